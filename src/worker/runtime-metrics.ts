/**
 * Metrics of a worker's runtime: event loop, heap, garbage collection, and resources that keep it alive.
 * Names, units and attributes are those of the semantic conventions for Node.js and V8 runtimes, which
 * `@opentelemetry/instrumentation-runtime-node` uses, too; a test compares the two. That package is not used
 * because it loads OpenTelemetry's instrumentation base with its two module hooks into each worker.
 *
 * @module
 */
import {
  type EventLoopUtilization,
  monitorEventLoopDelay,
  type PerformanceEntry,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks';
import { getHeapSpaceStatistics } from 'node:v8';
import type { Meter } from '@opentelemetry/api';
import {
  ACTIVE_RESOURCES,
  EVENTLOOP_DELAYS,
  EVENTLOOP_STATE,
  EVENTLOOP_TIME,
  EVENTLOOP_UTILIZATION,
  GC_DURATION,
  GC_TYPE,
  HEAP_LIMIT,
  HEAP_SPACE_AVAILABLE,
  HEAP_SPACE_NAME,
  HEAP_SPACE_PHYSICAL,
  HEAP_SPACE_SIZE,
  HEAP_USED,
  RESOURCE_TYPE,
} from '../wire/conventions.js';

/** In seconds, from the semantic conventions, `v8js.gc.duration`. */
const GC_BUCKETS = [0.01, 0.1, 1, 10];

const GC_TYPES: Record<number, string> = { 1: 'minor', 4: 'major', 8: 'incremental', 16: 'weakcb' };

/** Nanoseconds in a second. */
const NANOSECONDS = 1e9;
const MILLISECONDS = 1e3;

/** Measures until the returned function is called. */
export function startRuntimeMetrics(meter: Meter): () => void {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const delays = {
    min: () => delay.min,
    max: () => delay.max,
    mean: () => delay.mean,
    stddev: () => delay.stddev,
    p50: () => delay.percentile(50),
    p90: () => delay.percentile(90),
    p99: () => delay.percentile(99),
  };
  const delayGauges = (Object.keys(delays) as (keyof typeof delays)[]).map((name) => ({
    read: delays[name],
    gauge: meter.createObservableGauge(EVENTLOOP_DELAYS[name], { unit: 's' }),
  }));
  const utilization = meter.createObservableGauge(EVENTLOOP_UTILIZATION, { unit: '1' });
  const time = meter.createObservableCounter(EVENTLOOP_TIME, { unit: 's' });
  const heapSize = meter.createObservableUpDownCounter(HEAP_SPACE_SIZE, { unit: 'By' });
  const heapAvailable = meter.createObservableGauge(HEAP_SPACE_AVAILABLE, { unit: 'By' });
  const heapPhysical = meter.createObservableGauge(HEAP_SPACE_PHYSICAL, { unit: 'By' });
  const activeResources = meter.createObservableGauge(ACTIVE_RESOURCES, { unit: '{resource}' });
  const heapLimit = meter.createObservableGauge(HEAP_LIMIT, { unit: 'By' });
  const heapUsed = meter.createObservableGauge(HEAP_USED, { unit: 'By' });
  const gc = meter.createHistogram(GC_DURATION, {
    unit: 's',
    advice: { explicitBucketBoundaries: GC_BUCKETS },
  });

  /** Each type that was ever seen. A type without resources now is reported as 0. */
  const resourceTypes = new Map<string, number>();
  let last: EventLoopUtilization = performance.eventLoopUtilization();
  const observe: Parameters<Meter['addBatchObservableCallback']>[0] = (result) => {
    // Before the first turn of its timer the histogram is empty, and its minimum is a huge number.
    if (delay.count > 0) {
      for (const { gauge, read } of delayGauges) result.observe(gauge, read() / NANOSECONDS);
      delay.reset();
    }
    const now = performance.eventLoopUtilization();
    result.observe(utilization, performance.eventLoopUtilization(now, last).utilization);
    last = now;
    result.observe(time, now.active / MILLISECONDS, { [EVENTLOOP_STATE]: 'active' });
    result.observe(time, now.idle / MILLISECONDS, { [EVENTLOOP_STATE]: 'idle' });
    for (const space of getHeapSpaceStatistics()) {
      const attributes = { [HEAP_SPACE_NAME]: space.space_name };
      result.observe(heapLimit, space.space_size, attributes);
      result.observe(heapSize, space.space_size, attributes);
      result.observe(heapUsed, space.space_used_size, attributes);
      result.observe(heapAvailable, space.space_available_size, attributes);
      result.observe(heapPhysical, space.physical_space_size, attributes);
    }
    for (const type of resourceTypes.keys()) resourceTypes.set(type, 0);
    for (const type of process.getActiveResourcesInfo()) resourceTypes.set(type, (resourceTypes.get(type) ?? 0) + 1);
    for (const [type, count] of resourceTypes) result.observe(activeResources, count, { [RESOURCE_TYPE]: type });
  };
  const observables = [
    ...delayGauges.map(({ gauge }) => gauge),
    ...[utilization, time, heapLimit, heapSize, heapUsed, heapAvailable, heapPhysical, activeResources],
  ];
  meter.addBatchObservableCallback(observe, observables);

  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const { kind } = (entry as PerformanceEntry & { detail: { kind: number } }).detail;
      gc.record(entry.duration / MILLISECONDS, { [GC_TYPE]: GC_TYPES[kind] ?? 'unknown' });
    }
  });
  observer.observe({ entryTypes: ['gc'] });

  return () => {
    observer.disconnect();
    delay.disable();
    meter.removeBatchObservableCallback(observe, observables);
  };
}
