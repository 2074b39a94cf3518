import assert from 'node:assert/strict';
import { get } from 'node:http';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { ReceivedMetric } from '../endpoint/received-metric.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const REQUESTS = 40;

const instance = ({ resource }: ReceivedMetric) => String(resource['service.instance.id']);

/** Of cumulative counts the last one of each worker. */
function requestsByWorker(metrics: readonly ReceivedMetric[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const metric of metrics) {
    if (metric.name !== 'http.server.request.duration') continue;
    counts.set(
      instance(metric),
      metric.points.reduce((sum, { count }) => sum + count!, 0),
    );
  }
  return counts;
}

test('two workers’ metrics arrive as two series, told apart by their resource, and add up to what was served', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const program = runProgram(t, fixture('e2e-server'), {
    ipc: true,
    env: {
      WEB_CONCURRENCY: '2',
      OTEL_SERVICE_NAME: 'measured',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      OTEL_METRICS_EXPORTER: 'otlp',
      OTEL_METRIC_EXPORT_INTERVAL: '200',
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
    },
  });
  const { address } = await program.waitForMessage(
    (message): message is { address: string } =>
      typeof message === 'object' && message !== null && 'address' in message,
  );
  const pids = new Set<string>();
  for (let i = 0; i < REQUESTS; i++) pids.add(await body(address));
  assert.equal(pids.size, 2, 'both workers serve');

  const runtime = ['nodejs.eventloop.utilization', 'nodejs.eventloop.delay.p99', 'v8js.memory.heap.used'];
  const own = ['forktrace.spans.journaled', 'forktrace.spans.lost'];
  const metrics = await endpoint.waitForMetrics((all) => {
    const total = [...requestsByWorker(all).values()].reduce((sum, count) => sum + count, 0);
    const workersWith = (name: string) => new Set(all.filter((metric) => metric.name === name).map(instance)).size;
    return total === REQUESTS && [...runtime, ...own].every((name) => workersWith(name) === 2);
  });
  assert.equal(requestsByWorker(metrics).size, 2);
  assert.deepEqual(new Set(metrics.map(({ resource }) => String(resource['process.pid']))), pids);
  assert.deepEqual([...new Set(metrics.map(({ resource }) => resource['cluster.worker.slot']))].sort(), [0, 1]);
  assert.ok(metrics.every(({ resource }) => resource['service.name'] === 'measured'));

  // What was measured since the last export goes out at the end.
  endpoint.clear();
  await body(address);
  program.kill('SIGTERM');
  await program.waitForExit();
  assert.equal(
    [...requestsByWorker(endpoint.metrics).values()].reduce((sum, count) => sum + count, 0),
    REQUESTS + 1,
  );
});

/** On a connection of its own, so that the primary deals them out to both workers. */
function body(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(address, { agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}
