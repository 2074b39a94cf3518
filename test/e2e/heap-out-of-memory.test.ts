import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningCluster, until } from '../coordinator/running-cluster.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';

test('with forensics.heapOutOfMemory a leak that kills has its line, its request and its victims; the end is V8’s own', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const cluster = await RunningCluster.ready(
    t,
    {
      workers: 1,
      pipeline: 'journal',
      export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
      // V8 collects for seconds before it gives up, on a busy machine for long.
      supervise: { backoffMinMs: 20, heartbeatTimeoutMs: 0 },
      forensics: { heapOutOfMemory: true },
    },
    { fixture: 'stuck-cluster', env: { NODE_OPTIONS: '--max-old-space-size=100' } },
  );
  const pid = await cluster.pidOf(0);
  void cluster.get('/patient').catch(() => {});
  await until('the victim is in flight', () => cluster.lines.some(({ arrived }) => arrived === 'patient'));
  void cluster.get('/leak').catch(() => {});
  const isExit = ({ name, attributes }: { name: string; attributes: Record<string, unknown> }) =>
    name === 'worker.exit' && attributes['cluster.worker.pid'] === pid;
  const spans = await endpoint.waitForSpans(
    (all) => all.some(isExit) && ['/patient', '/leak'].every((path) => all.some(({ name }) => name === `GET ${path}`)),
    60_000,
  );
  const { attributes, events } = spans.find(isExit)!;
  assert.equal(attributes['forktrace.exit.cause'], 'heap_out_of_memory');
  assert.equal(attributes['forktrace.exit.signal'], 'SIGABRT');
  assert.equal(attributes['forktrace.block.state'], 'ran out of heap memory');
  assert.match(String(attributes['code.stacktrace']), /fillCache .*stuck-cluster/);
  assert.match(String(attributes['code.file.path']), /stuck-cluster/);
  const words = events.find(({ name }) => name === 'forktrace.last_words');
  assert.match(String(words?.attributes['forktrace.last_words.text']), /JavaScript heap out of memory/);
  const role = (path: string) => spans.find(({ name }) => name === `GET ${path}`)!.attributes['forktrace.exit.role'];
  assert.deepEqual([role('/leak'), role('/patient')], ['culprit', 'victim']);
});
