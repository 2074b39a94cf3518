import { createRequire } from 'node:module';
import type { MeterProvider as ApiMeterProvider } from '@opentelemetry/api';
import type { ResolvedExport, ResolvedMetrics } from '../config/resolved.js';
import type { PushMetricExporter } from '../sdk/metrics.js';
import type { Resource } from '../sdk/types.js';
import { askedExporter } from './asked-exporter.js';
import { grpcChannelOptions, httpExporterOptions, httpExporters } from './exporter.js';
import { freshExporter } from './fresh-exporter.js';
import { reportedMetrics } from './reported-metrics.js';

const require = createRequire(import.meta.url);

/**
 * An SDK MeterProvider with one OTLP reader, for this worker alone. Its resource distinguishes its series
 * from those of other workers.
 */
export interface WorkerMeterProvider extends ApiMeterProvider {
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

export function createMeterProvider(config: ResolvedMetrics, resource: Resource): WorkerMeterProvider {
  const { MeterProvider, PeriodicExportingMetricReader } =
    require('../sdk/metrics.js') as typeof import('../sdk/metrics.js');
  const readers = createMetricExporters(config.export).map(
    (exporter) =>
      new PeriodicExportingMetricReader({
        exporter,
        exportIntervalMillis: config.intervalMs,
        exportTimeoutMillis: Math.min(config.timeoutMs, config.intervalMs),
      }),
  );
  return new MeterProvider({ resource, readers });
}

function createMetricExporters(target: ResolvedExport) {
  const { ConsoleMetricExporter } = require('../sdk/metrics.js') as typeof import('../sdk/metrics.js');
  if (target.to === 'none') return [];
  if (target.to === 'console') return [new ConsoleMetricExporter()];
  const exporter = freshExporter(target, (of) =>
    of.otherwise ? askedExporter(of, otlpExporter(of), otlpExporter) : otlpExporter(of),
  );
  const reported = reportedMetrics(exporter, target);
  return target.print ? [reported, new ConsoleMetricExporter()] : [reported];
}

function otlpExporter(target: ResolvedExport): PushMetricExporter {
  const shared = {
    compression: target.compression as never,
    timeoutMillis: target.timeoutMs,
  };
  if (target.to === 'otlp-http') {
    const { OTLPMetricExporter } = httpExporters(target);
    return new OTLPMetricExporter({ ...shared, ...httpExporterOptions(target) });
  }
  const { OTLPMetricExporter } = require('../sdk/exporters-grpc.js') as typeof import('../sdk/exporters-grpc.js');
  return new OTLPMetricExporter({ ...shared, ...grpcChannelOptions(target) });
}
