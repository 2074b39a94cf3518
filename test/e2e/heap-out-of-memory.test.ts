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
      supervise: { backoffMinMs: 20 },
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
  const spans = await endpoint.waitForSpans((all) => all.some(isExit), 60_000);
  const exit = spans.find(isExit)!;
  assert.equal(exit.attributes['forktrace.exit.cause'], 'heap_out_of_memory');
  assert.equal(exit.attributes['forktrace.exit.signal'], 'SIGABRT');
  assert.equal(exit.attributes['forktrace.block.state'], 'ran out of heap memory');
  assert.match(String(exit.attributes['code.stacktrace']), /stuck-cluster/);
  assert.match(String(exit.attributes['code.file.path']), /stuck-cluster/);
  const words = exit.events.find(({ name }) => name === 'forktrace.last_words');
  assert.match(String(words?.attributes['forktrace.last_words.text']), /JavaScript heap out of memory/);
  assert.equal(spans.find(({ name }) => name === 'GET /patient')!.attributes['forktrace.exit.role'], 'victim');
});
