import assert from 'node:assert/strict';
import { Agent, get } from 'node:http';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { OtlpSpanKind } from '../endpoint/received-span.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const REQUESTS = 2000;

for (const pipeline of ['batch', 'journal']) {
  test(`pipeline ${pipeline}: 4 workers serve ${REQUESTS} requests, and each arrives as one trace`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const program = runProgram(t, fixture('e2e-server'), {
      ipc: true,
      env: {
        WEB_CONCURRENCY: '4',
        OTEL_SERVICE_NAME: 'e2e',
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        // All that 4 workers serve must fit in one queue, should one of them get it all.
        OTEL_BSP_MAX_QUEUE_SIZE: String(2 * REQUESTS),
        OTEL_BSP_SCHEDULE_DELAY: '500',
        FORKTRACE_PIPELINE: pipeline,
        FORKTRACE_JOURNAL_DIR: await tempDir(t),
      },
    });
    const { address } = await program.waitForMessage(
      (message): message is { address: string } =>
        typeof message === 'object' && message !== null && 'address' in message,
    );
    await requestAll(address);
    const isServer = (span: { kind: number }) => span.kind === OtlpSpanKind.SERVER;
    await endpoint.waitForSpans((spans) => spans.filter(isServer).length >= REQUESTS, 60_000);
    program.kill('SIGTERM');
    assert.deepEqual(await program.waitForExit(), { code: null, signal: 'SIGTERM' }, program.output);

    // After the exit there is nothing left that could send more.
    const spans = endpoint.received();
    const servers = spans.filter(isServer);
    assert.equal(servers.length, REQUESTS);
    assert.equal(new Set(servers.map((span) => span.resource['service.instance.id'])).size, 4);
    assert.deepEqual([...new Set(servers.map((span) => span.resource['cluster.worker.slot']))].sort(), [0, 1, 2, 3]);
    assert.equal(new Set(servers.map((span) => span.traceId)).size, REQUESTS, 'a trace of its own each');
    assert.ok(servers.every((span) => span.parentSpanId === ''));

    const parents = new Map(servers.map((span) => [span.spanId, span]));
    const children = spans.filter((span) => span.name === 'work');
    assert.equal(children.length, REQUESTS);
    for (const child of children) {
      const parent = parents.get(child.parentSpanId);
      assert.ok(parent, `a child without its parent: ${child.spanId}`);
      assert.equal(child.traceId, parent.traceId);
      assert.equal(child.resource['service.instance.id'], parent.resource['service.instance.id']);
      assert.ok(parents.delete(child.parentSpanId), 'one child each');
    }
    // The primary serves nothing and exports nothing; in the journal it may keep spans about the cluster's
    // life.
    const fromPrimary = spans.filter((span) => span.resource['process.pid'] === program.pid);
    assert.deepEqual(pipeline === 'batch' ? fromPrimary : fromPrimary.filter(isServer), []);
  });
}

/** Every connection of its own, so that the primary deals them out to all workers. */
async function requestAll(address: string): Promise<void> {
  const agent = new Agent({ keepAlive: false });
  let left = REQUESTS;
  const one = () =>
    new Promise<void>((resolve, reject) => {
      get(address, { agent }, (response) => {
        assert.equal(response.statusCode, 200);
        response.resume().on('end', resolve);
      }).on('error', reject);
    });
  const client = async () => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: 16 }, client));
}
