import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Context, context, ROOT_CONTEXT, SpanKind, type Tracer, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { suppressTracing } from '@opentelemetry/core';
import { withFirstSpanParent } from '#src/propagation/first-span-parent.js';
import { JournalTracerProvider } from '#src/tracer/provider.js';
import { defaultLimits, resource } from './compared-spans.js';
import { decodeScopeSpans } from './decoded-spans.js';
import { MemorySpanLog } from './memory-span-log.js';

context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());

const REMOTE = {
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  spanId: '00f067aa0ba902b7',
  traceFlags: 1,
  isRemote: true,
};
const parent = trace.setSpanContext(ROOT_CONTEXT, REMOTE);

function scene() {
  const spanLog = new MemorySpanLog();
  const provider = new JournalTracerProvider({ resource, spanLimits: defaultLimits, spanLog } as never);
  const spans = () => decodeScopeSpans(spanLog.chunks).flatMap((each) => each.spans as Record<string, unknown>[]);
  return { provider, spans };
}

/** Every form of the API's `startActiveSpan`, each with the kind and the parent that it asks for. */
function forms(tracer: Tracer, within: Context): void {
  const fn = () => {
    trace.getActiveSpan()!.end();
    return trace.getActiveSpan()!.spanContext().traceId;
  };
  context.with(within, () => {
    tracer.startActiveSpan('fn', fn);
    tracer.startActiveSpan('options', { kind: SpanKind.CLIENT }, fn);
    tracer.startActiveSpan('options, context', { kind: SpanKind.CLIENT }, parent, fn);
    tracer.startActiveSpan('no options, context', undefined as never, parent, fn);
    tracer.startActiveSpan('options, no context', { kind: SpanKind.CLIENT }, undefined as never, fn);
  });
}

const told = (spans: Record<string, unknown>[]) =>
  spans.map(({ name, kind, parentSpanId }) => [name, kind, Boolean(parentSpanId)]);

test('startActiveSpan takes options and a context, or leaves them out', () => {
  const { provider, spans } = scene();
  forms(provider.getTracer('test'), ROOT_CONTEXT);
  const [internal, client] = [SpanKind.INTERNAL + 1, SpanKind.CLIENT + 1];
  assert.deepEqual(told(spans()), [
    ['fn', internal, false],
    ['options', client, false],
    ['options, context', client, true],
    ['no options, context', internal, true],
    ['options, no context', client, false],
  ]);
  assert.equal((provider.getTracer('test').startActiveSpan as (name: string) => unknown)('nothing to call'), undefined);
});

test('of a process that was started within a span the first span is a child of that, in every form', () => {
  for (const form of [0, 1, 2, 3, 4]) {
    const { provider, spans } = scene();
    const inheriting = withFirstSpanParent(provider, parent);
    const tracer = inheriting.getTracer('test');
    assert.equal((tracer.startActiveSpan as (name: string) => unknown)('nothing to call'), undefined);
    tracer.startSpan('of a request', { kind: SpanKind.SERVER }).end();
    tracer.startSpan('a root of its own', { root: true }).end();
    const only = {
      startActiveSpan: (...args: never[]) =>
        calls++ === form ? (tracer.startActiveSpan as never as (...all: never[]) => unknown)(...args) : 0,
    };
    let calls = 0;
    forms(only as never, ROOT_CONTEXT);
    tracer.startSpan('the second').end();
    const hasParent = spans().map(({ parentSpanId }) => Boolean(parentSpanId));
    // A span that has a parent of its own leaves the inherited one to the next.
    assert.deepEqual(hasParent, form === 2 || form === 3 ? [false, false, true, true] : [false, false, true, false]);
  }
});

test('nothing is recorded where tracing is suppressed', () => {
  const { provider, spans } = scene();
  const tracer = provider.getTracer('test');
  const span = tracer.startSpan('suppressed', {}, suppressTracing(parent));
  assert.equal(span.isRecording(), false);
  span.end();
  assert.deepEqual(spans(), []);
});
