import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  defaultTextMapGetter,
  defaultTextMapSetter,
  ROOT_CONTEXT,
  type TextMapPropagator,
  trace,
} from '@opentelemetry/api';
import { createPropagator } from '#src/worker/propagators.js';

const fail = () => {
  throw new Error('the propagator is broken');
};
const broken: Record<string, Partial<Record<keyof TextMapPropagator, unknown>>> = {
  'all of it throws': { inject: fail, extract: fail, fields: fail },
  'extract and fields return nothing': { inject: () => {}, extract: () => undefined, fields: () => undefined },
  'all of it is async by mistake': {
    inject: async () => fail(),
    extract: async () => fail(),
    fields: async () => fail(),
  },
  'extract returns what is no context': { inject: () => {}, extract: () => 'context', fields: () => [] },
  'fields is null': { inject: () => {}, extract: () => null, fields: () => null },
  'there are no methods': {},
};
const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

for (const [name, methods] of Object.entries(broken)) {
  test(`a propagator of the app's never throws into it, alone or beside others: ${name}`, () => {
    const alone = createPropagator([methods as unknown as TextMapPropagator]);
    const carrier: Record<string, string> = {};
    alone.inject(ROOT_CONTEXT, carrier, defaultTextMapSetter);
    assert.deepEqual(carrier, {});
    assert.equal(alone.extract(ROOT_CONTEXT, { traceparent }, defaultTextMapGetter), ROOT_CONTEXT);
    assert.deepEqual(alone.fields(), []);

    const both = createPropagator([methods as unknown as TextMapPropagator, 'tracecontext']);
    const extracted = both.extract(ROOT_CONTEXT, { traceparent }, defaultTextMapGetter);
    assert.equal(trace.getSpanContext(extracted)?.spanId, 'b7ad6b7169203331');
    both.inject(extracted, carrier, defaultTextMapSetter);
    assert.equal(carrier.traceparent, traceparent);
    assert.deepEqual(both.fields(), ['traceparent', 'tracestate']);
  });
}
