import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
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
