import type { MeterProvider as ApiMeterProvider } from '@opentelemetry/api';
import type { ResolvedMetrics } from '../config/resolved.js';
import type { Resource } from '../sdk/types.js';

/** An SDK MeterProvider with one OTLP reader, for this worker alone: its resource tells its series apart. */
export interface WorkerMeterProvider extends ApiMeterProvider {
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

export async function createMeterProvider(config: ResolvedMetrics, resource: Resource): Promise<WorkerMeterProvider> {
  const { MeterProvider, PeriodicExportingMetricReader } = await import('../sdk/metrics.js');
  const exporter = await createMetricExporter(config);
  const readers = exporter
    ? [
        new PeriodicExportingMetricReader({
          exporter,
          exportIntervalMillis: config.intervalMs,
          exportTimeoutMillis: Math.min(config.timeoutMs, config.intervalMs),
        }),
      ]
    : [];
  return new MeterProvider({ resource, readers });
}

async function createMetricExporter({ export: target }: ResolvedMetrics) {
  const shared = {
    compression: target.compression as never,
    timeoutMillis: target.timeoutMs,
  };
  switch (target.to) {
    case 'none':
      return undefined;
    case 'console':
      return new (await import('../sdk/metrics.js')).ConsoleMetricExporter();
    case 'otlp-http': {
      const { OTLPMetricExporter } = await import('../sdk/exporters-http.js');
      const { httpOptions } = await import('./exporter.js');
      return new OTLPMetricExporter({ ...shared, ...httpOptions(target) });
    }
    case 'otlp-grpc':
    case 'viewer': {
      const { OTLPMetricExporter } = await import('../sdk/exporters-grpc.js');
      const { grpcChannelOptions } = await import('./exporter.js');
      return new OTLPMetricExporter({ ...shared, ...(await grpcChannelOptions(target)) });
    }
  }
}
