// The sampler behind each name of OTEL_TRACES_SAMPLER.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT_CONTEXT, SpanKind, TraceFlags, trace } from '@opentelemetry/api';
import { createSampler } from '#src/worker/sampler.js';

type Name = Parameters<typeof createSampler>[0] extends infer S ? (S extends { name: infer N } ? N : never) : never;

const LOW = '00000000000000000000000000000001';
/** The SDK takes a ratio of the parts of an id, put together by exclusive or. */
const HIGH = '000000000000000000000000f0000000';
const RECORDED = 2;

/** Whether it keeps a root span, and children of a sampled and of an unsampled remote parent. */
function kept(name: Name, traceId = LOW): boolean[] {
  const sampler = createSampler({ name, ratio: 0.5, remote: { 'service.name': 'shop' } });
  const parent = (traceFlags: TraceFlags) =>
    trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId: '0000000000000001', traceFlags, isRemote: true });
  const contexts = [ROOT_CONTEXT, parent(TraceFlags.SAMPLED), parent(TraceFlags.NONE)];
  return contexts.map(
    (context) => sampler.shouldSample(context, traceId, 'span', SpanKind.SERVER, {}, []).decision === RECORDED,
  );
}

test('each name decides as the specification says', () => {
  assert.deepEqual(kept('always_on'), [true, true, true]);
  assert.deepEqual(kept('always_off'), [false, false, false]);
  assert.deepEqual(kept('traceidratio'), [true, true, true]);
  assert.deepEqual(kept('traceidratio', HIGH), [false, false, false]);
  assert.deepEqual(kept('parentbased_always_on'), [true, true, false]);
  assert.deepEqual(kept('parentbased_always_off'), [false, true, false]);
  assert.deepEqual(kept('parentbased_traceidratio'), [true, true, false]);
  assert.deepEqual(kept('parentbased_traceidratio', HIGH), [false, true, false]);
});

test('a sampler of the user is used as it is', () => {
  const own = { shouldSample: () => ({ decision: RECORDED }), toString: () => 'own' };
  assert.equal(createSampler(own as never), own);
});
