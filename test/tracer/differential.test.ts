/** The journal tracer and the SDK's do the same things; the official decoder must not see a difference. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createTraceState } from '@opentelemetry/api';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BasicTracerProvider,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  TraceIdRatioBasedSampler,
} from '@opentelemetry/sdk-trace-base';
import fc from 'fast-check';
import { JournalTracerProvider } from '#src/tracer/provider.js';
import { byId, Collected, defaultLimits, exported, resource, Time } from './compared-spans.js';
import { decodeScopeSpans } from './decoded-spans.js';
import { MemorySpanLog } from './memory-span-log.js';
import { run, type ScriptedSpan, script, usesReadings } from './span-script.js';

const samplers: Record<string, () => Sampler | undefined> = {
  default: () => undefined,
  parentBasedAlwaysOn: () => new ParentBasedSampler({ root: new AlwaysOnSampler() }),
  alwaysOff: () => new AlwaysOffSampler(),
  ratio: () => new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.5) }),
  recordOnly: () => ({ shouldSample: () => ({ decision: SamplingDecision.RECORD }), toString: () => 'record only' }),
  adding: () => ({
    shouldSample: () => ({
      decision: SamplingDecision.RECORD_AND_SAMPLED,
      attributes: { 'sampler.rule': 'r1', a: 'sampler' },
      traceState: createTraceState('sampler=yes'),
    }),
    toString: () => 'adding',
  }),
};

const limitsOf = fc.record({
  attributeValueLengthLimit: fc.constantFrom(Number.POSITIVE_INFINITY, 3, 0),
  attributeCountLimit: fc.constantFrom(128, 2, 0),
  eventCountLimit: fc.constantFrom(128, 1, 0),
  linkCountLimit: fc.constantFrom(128, 1, 0),
  attributePerEventCountLimit: fc.constantFrom(128, 1, 0),
  attributePerLinkCountLimit: fc.constantFrom(128, 1, 0),
});
/** A provider's worth of ids that can be drawn again. */
class ReplayedIds {
  ids = { traceId: '', spanId: '' };
  generateTraceId = () => this.ids.traceId;
  generateSpanId = () => this.ids.spanId;
}

interface Setting {
  limits: typeof defaultLimits;
  sampler: string;
  ownIds: boolean;
  processor: boolean;
  inFlight: number;
  room: number;
}

const setting: fc.Arbitrary<Setting> = fc.record({
  limits: fc.oneof(fc.constant(defaultLimits), limitsOf),
  sampler: fc.constantFrom(...Object.keys(samplers)),
  ownIds: fc.boolean(),
  processor: fc.boolean(),
  inFlight: fc.constantFrom(0, 16),
  // None, too little for all or for many, and enough for most.
  room: fc.constantFrom(0, 64, 256, 4096),
});

function ourSpans(steps: readonly ScriptedSpan[], time: Time, given: Setting) {
  const log = new MemorySpanLog(given.inFlight, given.room);
  const processor = new Collected();
  let drawn = 0;
  const idGenerator = {
    generateTraceId: () => (++drawn).toString(16).padStart(32, 'a'),
    generateSpanId: () => (++drawn).toString(16).padStart(16, 'b'),
  };
  const provider = new JournalTracerProvider({
    resource,
    spanLog: log,
    spanLimits: given.limits,
    sampler: samplers[given.sampler]!(),
    idGenerator: given.ownIds ? idGenerator : undefined,
    spanProcessors: given.processor ? () => [processor] : undefined,
  });
  const spans = run(
    steps,
    provider.getTracer('t', '1', { schemaUrl: 'https://s' }),
    (ms) => (time.now += ms),
    () => {},
  );
  assert.equal(log.entries.filter(Boolean).length, 0, 'an ended span has an entry in the in-flight table');
  return { log, processor, ids: spans.map((span) => span.spanContext()) };
}

function sdkSpans(
  steps: readonly ScriptedSpan[],
  time: Time,
  given: Setting,
  ids: { traceId: string; spanId: string }[],
) {
  const processor = new Collected();
  const replayed = new ReplayedIds();
  const provider = new BasicTracerProvider({
    resource,
    spanProcessors: [processor],
    spanLimits: given.limits,
    sampler: samplers[given.sampler]!(),
    idGenerator: replayed,
  });
  const tracer = provider.getTracer('t', '1', { schemaUrl: 'https://s' });
  const spans = run(
    steps,
    tracer,
    (ms) => (time.now += ms),
    (index) => {
      replayed.ids = ids[index]!;
    },
  );
  return { spans: processor.spans, ids: spans.map((span) => span.spanContext()) };
}

/** The SDK converts readings of performance.now() by way of `timeOrigin`, and loses up to a microsecond. */
function rounded(spans: object): unknown {
  const text = JSON.stringify(spans).replace(/"(\w*[tT]imeUnixNano)":"(\d+)"/g, (_, name: string, nanos: string) => {
    return `"${name}":"${(BigInt(nanos) + 2_000n) / 10_000n}"`;
  });
  return JSON.parse(text);
}

describe('the journal tracer against the SDK', () => {
  it('sends an endpoint the same spans, whatever a program does with the API', (t) => {
    const time = new Time(t);
    fc.assert(
      fc.property(script, setting, (steps, given) => {
        const start = time.now;
        const ours = ourSpans(steps, time, given);
        time.now = start;
        const sdk = sdkSpans(steps, time, given, ours.ids);
        assert.deepEqual(sdk.ids, ours.ids);
        const fromUs = byId(decodeScopeSpans(ours.log.chunks));
        const fromSdk = exported(sdk.spans);
        if (usesReadings(steps)) assert.deepEqual(rounded(fromUs), rounded(fromSdk));
        else assert.deepEqual(fromUs, fromSdk);
        if (given.processor && ours.processor.spans.length > 0) {
          // What our span shows a processor's exporter is the same again.
          assert.deepEqual(exported(ours.processor.spans), fromUs);
        }
      }),
      { numRuns: 1500, includeErrorInReport: true },
    );
  });
});
