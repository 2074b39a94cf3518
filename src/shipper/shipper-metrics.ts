import type { MeterProvider } from '@opentelemetry/api';
import { version } from '../version.js';
import type { ShipperStats } from './shipper-messages.js';

const COUNTERS = {
  read: 'Spans read from journals',
  shipped: 'Spans that the endpoint has taken',
  refused: 'Spans that the endpoint has refused for good',
  dropped: 'Spans given up to stay within journal.maxBytes',
  recovered: 'Ended spans read from the journals of dead writers',
  interrupted: 'Spans rebuilt from the in-flight tables of dead writers',
} as const satisfies Partial<Record<keyof ShipperStats, string>>;

/** `forktrace.shipper.spans.*`, `forktrace.shipper.lag` (bytes) and `forktrace.shipper.lag.duration` (s), read when they are collected. */
export function observeShipper(meterProvider: MeterProvider, stats: () => ShipperStats | undefined): void {
  const meter = meterProvider.getMeter('forktrace', version);
  for (const [name, description] of Object.entries(COUNTERS) as [keyof typeof COUNTERS, string][]) {
    meter
      .createObservableCounter(`forktrace.shipper.spans.${name}`, { unit: '{span}', description })
      .addCallback((result) => {
        const current = stats();
        if (current) result.observe(current[name]);
      });
  }
  const lag = { description: 'Committed bytes that are not shipped yet', unit: 'By' };
  meter.createObservableGauge('forktrace.shipper.lag', lag).addCallback((result) => {
    const current = stats();
    if (current) result.observe(current.lagBytes);
  });
  const age = { description: 'Age of the oldest byte that is not shipped yet', unit: 's' };
  meter.createObservableGauge('forktrace.shipper.lag.duration', age).addCallback((result) => {
    const current = stats();
    if (current) result.observe(current.lagMs / 1000);
  });
}
