import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { SHARE_ENV } from 'node:worker_threads';
import { context, propagation, type Span, trace } from '@opentelemetry/api';
import { CompositePropagator, W3CBaggagePropagator, W3CTraceContextPropagator } from '@opentelemetry/core';
import { tracedFork, tracedWorker } from 'forktrace';
import { environmentWithContext, takeParentFromEnvironment } from '#src/propagation/environment.js';
import { fixture } from '../process/run-program.js';
import { recordSpans } from '../span/recorded-spans.js';

const { provider } = recordSpans();
propagation.setGlobalPropagator(
  new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
);
const tracer = provider.getTracer('test');
const child = fixture('traced-child');

interface Told {
  inherited: string[];
  spans: { name: string; traceId: string; spanId: string; parent: string | undefined }[];
  identity: { manager: string; slot: number | undefined };
  grandchild: Told;
}

/** What the process tells, once it has ended. */
async function told(t: { after(fn: () => void): void }, running: ChildProcess): Promise<Told> {
  t.after(() => running.kill('SIGKILL'));
  const [message] = await once(running, 'message', { signal: AbortSignal.timeout(30_000) });
  return message as Told;
}

function inSpan<T>(name: string, fn: (span: Span) => T): T {
  return tracer.startActiveSpan(name, (span) => {
    try {
      return fn(span);
    } finally {
      span.end();
    }
  });
}

const spanId = (span: Span) => span.spanContext().spanId;

test("a forked child's first span is a child of the span that forked it, its second is not", async (t) => {
  const [parent, running] = inSpan('fork', (span) => [span, tracedFork(child, ['spans'])]);
  const { spans, inherited } = await told(t, running);
  assert.equal(spans[0]!.parent, spanId(parent));
  assert.equal(spans[0]!.traceId, parent.spanContext().traceId);
  assert.equal(spans[1]!.parent, undefined);
  assert.notEqual(spans[1]!.traceId, parent.spanContext().traceId);
  assert.deepEqual(inherited, [], 'the variables are gone from the child');
});

test('what a child was given does not leak to its own children', async (t) => {
  const running = inSpan('fork', () => tracedFork(child, ['grandchild']));
  const { grandchild } = await told(t, running);
  assert.equal(grandchild.spans[0]!.parent, undefined);
});

test("a child of a pm2 worker takes the context written for it, but not the worker's identity", async (t) => {
  const env = { ...process.env, pm_id: '3', NODE_APP_INSTANCE: '1', FORKTRACE_IDENTITY_PID: String(process.pid) };
  const [parent, running] = inSpan('fork', (span) => [span, tracedFork(child, ['spans'], { env })]);
  const { spans, identity } = await told(t, running);
  assert.equal(spans[0]!.parent, spanId(parent));
  assert.deepEqual(identity, { manager: 'none' }, 'in no slot');
});

test('a pm2 worker ignores the context of the shell that started pm2', async (t) => {
  const env = inSpan('shell', () => environmentWithContext({ ...process.env, pm_id: '0' }));
  delete env.FORKTRACE_CONTEXT_PID;
  const { spans, inherited } = await told(t, fork(child, ['spans'], { env }));
  assert.equal(spans[0]!.parent, undefined);
  assert.deepEqual(inherited, []);
});

test('a process that anybody starts with TRACEPARENT takes it', async (t) => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const running = fork(child, ['spans'], { env: { ...process.env, TRACEPARENT: traceparent } });
  const { spans } = await told(t, running);
  assert.equal(spans[0]!.parent, 'b7ad6b7169203331');
});

test('a malformed TRACEPARENT starts a new trace', async (t) => {
  const running = fork(child, ['spans'], { env: { ...process.env, TRACEPARENT: '00-nonsense' } });
  assert.equal((await told(t, running)).spans[0]!.parent, undefined);
});

test('context is kept across the start of a worker thread', async () => {
  const [parent, thread] = inSpan('start', (span) => [
    span,
    tracedWorker(pathToFileURL(child), { argv: ['spans'], env: { ...process.env } }),
  ]);
  const [{ spans, inherited }] = (await once(thread, 'message')) as [Told];
  await thread.terminate();
  assert.equal(spans[0]!.parent, spanId(parent));
  assert.equal(spans[1]!.parent, undefined);
  assert.deepEqual(inherited, []);
  assert.equal(process.env.TRACEPARENT, undefined);
});

test('a worker thread that shares the environment starts without context', async () => {
  const thread = inSpan('start', () => tracedWorker(pathToFileURL(child), { argv: ['spans'], env: SHARE_ENV }));
  const [{ spans }] = (await once(thread, 'message')) as [Told];
  await thread.terminate();
  assert.equal(spans[0]!.parent, undefined);
});

test('the environment carries trace state and baggage by their W3C names, and nobody else’s context', () => {
  const baggage = propagation.createBaggage({ tenant: { value: 'acme' } });
  const inherited = { traceparent: 'stale', TRACESTATE: 'stale=1', PATH: '/bin' };
  const env = inSpan('outer', () =>
    context.with(propagation.setBaggage(context.active(), baggage), () => environmentWithContext(inherited)),
  );
  assert.match(env.TRACEPARENT!, /^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  assert.equal(env.BAGGAGE, 'tenant=acme');
  assert.equal(env.PATH, '/bin');
  assert.equal(env.traceparent, undefined);
  assert.equal(env.TRACESTATE, undefined);

  env.FORKTRACE_CONTEXT_PID = String(process.ppid);
  const taken = takeParentFromEnvironment(env)!;
  assert.equal(trace.getSpanContext(taken)!.isRemote, true);
  assert.equal(propagation.getBaggage(taken)!.getEntry('tenant')!.value, 'acme');
  assert.deepEqual(env, { PATH: '/bin' });
  assert.equal(takeParentFromEnvironment(env), undefined);
});
