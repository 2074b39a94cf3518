import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ROOT_CONTEXT, type Tracer, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, type Sampler } from '@opentelemetry/sdk-trace-base';
import { JournalTracerProvider } from '#src/tracer/provider.js';
import { observeSpans } from '#src/worker/pipeline-metrics.js';
import { defaultLimits, resource } from '../tracer/compared-spans.js';

/** Spans of every origin, some of which stay open. */
function program(tracer: Tracer): void {
  const remote = (traceFlags: number) =>
    trace.setSpanContext(ROOT_CONTEXT, { traceId: '1'.repeat(32), spanId: '2'.repeat(16), traceFlags, isRemote: true });
  const root = tracer.startSpan('root', {}, ROOT_CONTEXT);
  const child = tracer.startSpan('child', {}, trace.setSpan(ROOT_CONTEXT, root));
  tracer.startSpan('grandchild', {}, trace.setSpan(ROOT_CONTEXT, child)).end();
  tracer.startSpan('called', {}, remote(1)).end();
  const unsampled = tracer.startSpan('not sampled', {}, remote(0));
  tracer.startSpan('below', {}, trace.setSpan(ROOT_CONTEXT, unsampled)).end();
  root.end();
}

async function measured(run: (meterProvider: MeterProvider) => void) {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  run(provider);
  await provider.forceFlush();
  const metrics = exporter
    .getMetrics()
    .flatMap(({ scopeMetrics }) => scopeMetrics)
    .flatMap(({ metrics }) => metrics)
    .filter(({ descriptor }) => descriptor.name.startsWith('otel.sdk.span.'));
  await provider.shutdown();
  return metrics
    .flatMap(({ descriptor: { name, unit, description }, dataPoints }) =>
      dataPoints.map(({ attributes, value }) => ({ name, unit, description, attributes, value })),
    )
    .sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
}

const NO_PROCESSOR = { onStart() {}, onEnd() {}, forceFlush: async () => {}, shutdown: async () => {} };

const samplers: [string, Sampler | undefined][] = [
  ['the default sampler', undefined],
  ['a sampler that records only', { shouldSample: () => ({ decision: 1 }) }],
  ['a sampler that drops all', { shouldSample: () => ({ decision: 0 }) }],
];
for (const [what, sampler] of samplers) {
  for (const spanProcessors of [undefined, () => [NO_PROCESSOR]]) {
    test(`spans are counted as the SDK counts them, with ${what}${spanProcessors ? ' and a processor' : ''}`, async () => {
      const theirs = await measured((meterProvider) => {
        program(new BasicTracerProvider({ resource, sampler, meterProvider } as object).getTracer('t'));
      });
      const ours = await measured((meterProvider) => {
        const provider = new JournalTracerProvider({ resource, spanLimits: defaultLimits, sampler, spanProcessors });
        observeSpans(meterProvider.getMeter('t'), provider.counts);
        program(provider.getTracer('t'));
      });
      assert.ok(ours.length > 0);
      assert.deepEqual(ours, theirs);
    });
  }
}
