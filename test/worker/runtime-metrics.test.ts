import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { RuntimeNodeInstrumentation } from '@opentelemetry/instrumentation-runtime-node';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { startRuntimeMetrics } from '#src/worker/runtime-metrics.js';

test('event-loop delay and utilisation, heap spaces and garbage collections are measured, until stopped', async () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  const stop = startRuntimeMetrics(provider.getMeter('test'));
  const collect = async () => {
    await provider.forceFlush();
    const metrics = exporter
      .getMetrics()
      .at(-1)!
      .scopeMetrics.flatMap(({ metrics }) => metrics);
    return new Map(metrics.map((metric) => [metric.descriptor.name, metric.dataPoints]));
  };
  let seen = await collect();
  const wanted = [
    ...['min', 'max', 'mean', 'stddev', 'p50', 'p90', 'p99'].map((name) => `nodejs.eventloop.delay.${name}`),
    'nodejs.eventloop.utilization',
    'v8js.memory.heap.limit',
    'v8js.memory.heap.used',
    'v8js.gc.duration',
  ];
  const complete = () => wanted.every((name) => (seen.get(name)?.length ?? 0) > 0);
  for (const deadline = performance.now() + 20_000; !complete() && performance.now() < deadline; ) {
    const garbage = Array.from({ length: 200_000 }, (_, i) => ({ i }));
    await delay(25 + garbage.length / 1e9);
    seen = await collect();
  }
  assert.deepEqual(
    wanted.filter((name) => !seen.get(name)?.length),
    [],
  );
  const utilization = seen.get('nodejs.eventloop.utilization')![0]!.value as number;
  assert.ok(utilization >= 0 && utilization <= 1);
  assert.ok(
    seen.get('v8js.memory.heap.used')!.some((point) => point.attributes['v8js.heap.space.name'] === 'new_space'),
  );
  stop();
  await provider.shutdown();
});

test('names, units, kinds and attributes are those of instrumentation-runtime-node', async () => {
  // Ours stands in for the package, which loads 45 modules more into each worker.
  const complete = (seen: Map<string, object>) =>
    seen.has('v8js.gc.duration') && seen.has('nodejs.eventloop.delay.p99');
  const measured = async (start: (provider: MeterProvider) => () => void) => {
    const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
    const provider = new MeterProvider({ readers: [reader] });
    const stop = start(provider);
    const described = async () => {
      await provider.forceFlush();
      const found = new Map<string, object>();
      for (const { metrics } of exporter.getMetrics().at(-1)?.scopeMetrics ?? []) {
        for (const { descriptor, dataPoints, dataPointType } of metrics) {
          const keys = new Set(dataPoints.flatMap(({ attributes }) => Object.keys(attributes)));
          found.set(descriptor.name, { unit: descriptor.unit, dataPointType, keys: [...keys] });
        }
      }
      return found;
    };
    let seen = await described();
    for (const end = performance.now() + 20_000; !complete(seen) && performance.now() < end; ) {
      const garbage = Array.from({ length: 200_000 }, (_, i) => ({ i }));
      await delay(25 + garbage.length / 1e9);
      seen = await described();
    }
    stop();
    await provider.shutdown();
    return seen;
  };
  const ours = await measured((provider) => startRuntimeMetrics(provider.getMeter('test')));
  const theirs = await measured((provider) => {
    const instrumentation = new RuntimeNodeInstrumentation();
    instrumentation.setMeterProvider(provider);
    instrumentation.enable();
    return () => instrumentation.disable();
  });
  assert.ok(theirs.size >= 14 && complete(theirs), [...theirs.keys()].join());
  for (const [name, description] of theirs) assert.deepEqual([name, ours.get(name)], [name, description]);
});
