import assert from 'node:assert/strict';
import { get } from 'node:http';
import { test } from 'node:test';
import { context, propagation, trace } from '@opentelemetry/api';
import type { ReadableSpan, SpanExporter } from '@opentelemetry/sdk-trace-base';
import { startWorkerTracing } from 'forktrace';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { freePort } from '../process/free-port.js';
import { fixture, runProgram } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';

/** An exporter whose batches succeed when the test says so. */
class HeldExporter implements SpanExporter {
  readonly batches: ReadableSpan[][] = [];
  readonly #callbacks: (() => void)[] = [];
  shutDown = false;

  export(spans: ReadableSpan[], callback: Parameters<SpanExporter['export']>[1]): void {
    this.batches.push(spans);
    this.#callbacks.push(() => callback({ code: 0 }));
  }

  release(): void {
    for (const callback of this.#callbacks.splice(0)) callback();
  }

  async shutdown(): Promise<void> {
    this.shutDown = true;
  }
}

test('forceFlush awaits a batch that is in flight, and shutdown gives everything back', async () => {
  const exporter = new HeldExporter();
  process.env.OTEL_BSP_SCHEDULE_DELAY = '1';
  const tracing = await startWorkerTracing({ exporter: () => exporter });
  delete process.env.OTEL_BSP_SCHEDULE_DELAY;
  tracing.tracer.startSpan('one').end();
  // The queue is empty now, and its batch is on its way.
  await waitFor(() => exporter.batches.length === 1, 'a batch in flight');
  let flushed = false;
  const flush = tracing.forceFlush().then((inTime) => {
    flushed = true;
    return inTime;
  });
  for (let turn = 0; turn < 50; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(flushed, false, 'forceFlush has waited for the batch');
  exporter.release();
  assert.equal(await flush, true);
  assert.equal(await tracing.shutdown(), true);
  assert.equal(exporter.shutDown, true);
  assert.equal(trace.getTracer('after').startSpan('x').isRecording(), false);
  assert.deepEqual(propagation.fields(), []);
  assert.equal(
    context.with(context.active(), () => 1),
    1,
  );
});

test('forceFlush and shutdown end at their deadline when the exporter never answers', async () => {
  const exporter = new HeldExporter();
  const tracing = await startWorkerTracing({ exporter: () => exporter });
  tracing.tracer.startSpan('one').end();
  const from = performance.now();
  assert.equal(await tracing.forceFlush(200), false);
  assert.equal(await tracing.shutdown(200), false);
  assert.ok(performance.now() - from < 5000);
  exporter.release();
});

test('a second call returns the first one, and after a shutdown tracing can start again', async () => {
  const config = { exporter: () => new HeldExporter() };
  const [first, second] = await Promise.all([startWorkerTracing(config), startWorkerTracing(config)]);
  assert.equal(first, second);
  await first.shutdown();
  const third = await startWorkerTracing(config);
  assert.notEqual(third, first);
  await third.shutdown();
});

test('a wrong option throws a coded error, and the next start is not spoilt by it', async () => {
  assert.throws(() => startWorkerTracing({ workers: 'four' as never }), { code: 'FORKTRACE_CONFIG_INVALID' });
  const tracing = await startWorkerTracing({ exporter: () => new HeldExporter() });
  await tracing.shutdown();
});

test('disabled: the app runs, nothing is recorded', async () => {
  const tracing = await startWorkerTracing({ disabled: true });
  assert.equal(tracing.tracer.startSpan('x').isRecording(), false);
  assert.equal(await tracing.shutdown(), true);
});

async function serve(t: Parameters<typeof runProgram>[0], url: string, env: Record<string, string> = {}) {
  const port = await freePort();
  const config = {
    pipeline: 'batch',
    listen: { port, host: '127.0.0.1' },
    export: { to: 'otlp-grpc', url },
    supervise: { shutdownTimeoutMs: 2000 },
  };
  const program = runProgram(t, fixture('app-kind'), {
    env: { APP_KIND: 'listener', pm_id: '0', kill_timeout: '2500', CONFIG: JSON.stringify(config), ...env },
  });
  await program.waitForOutput(/workerReady/);
  const request = () =>
    new Promise<number>((resolve, reject) => {
      get({ port, host: '127.0.0.1', agent: false }, (response) => {
        response.resume().on('end', () => resolve(response.statusCode!));
      }).on('error', reject);
    });
  return { program, request };
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal}: ended spans are exported before the process dies of it`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const { program, request } = await serve(t, endpoint.grpcUrl);
    for (let i = 0; i < 100; i++) assert.equal(await request(), 200);
    program.kill(signal);
    assert.deepEqual(await program.waitForExit(), { code: null, signal });
    assert.equal(endpoint.received().length, 100);
  });
}

test('an exporter that cannot reach anybody delays no request and no exit, and is said once', async (t) => {
  const { program, request } = await serve(t, `http://127.0.0.1:${await freePort()}`, {
    OTEL_BSP_SCHEDULE_DELAY: '50',
    OTEL_EXPORTER_OTLP_TIMEOUT: '300',
  });
  for (let i = 0; i < 20; i++) assert.equal(await request(), 200);
  await program.waitForOutput(/FORKTRACE_EXPORT_FAILED/);
  for (let i = 0; i < 20; i++) assert.equal(await request(), 200);
  const from = performance.now();
  program.kill('SIGTERM');
  assert.deepEqual(await program.waitForExit(), { code: null, signal: 'SIGTERM' });
  assert.ok(performance.now() - from < 2500, 'inside the deadline');
  assert.equal(program.stderr.match(/FORKTRACE_EXPORT_FAILED/g)?.length, 1);
});

test('an endpoint that hangs keeps the process no longer than its deadline', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  endpoint.answerWith({ answer: 'hang' });
  const { program, request } = await serve(t, endpoint.grpcUrl);
  assert.equal(await request(), 200);
  const from = performance.now();
  program.kill('SIGTERM');
  assert.deepEqual(await program.waitForExit(), { code: null, signal: 'SIGTERM' });
  assert.ok(performance.now() - from < 2500, 'inside the deadline');
});
