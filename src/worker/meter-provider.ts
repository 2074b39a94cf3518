import type { MeterProvider as ApiMeterProvider } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ResolvedMetrics } from '../config/resolved.js';

/** An SDK MeterProvider with one OTLP reader, for this worker alone: its resource tells its series apart. */
export interface WorkerMeterProvider extends ApiMeterProvider {
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

export async function createMeterProvider(config: ResolvedMetrics, resource: Resource): Promise<WorkerMeterProvider> {
  const { MeterProvider, PeriodicExportingMetricReader } = await import('@opentelemetry/sdk-metrics');
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
      return new (await import('@opentelemetry/sdk-metrics')).ConsoleMetricExporter();
    case 'otlp-http': {
      const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-proto');
      const { httpOptions } = await import('./exporter.js');
      return new OTLPMetricExporter({ ...shared, ...httpOptions(target) });
    }
    case 'otlp-grpc':
    case 'viewer': {
      const { OTLPMetricExporter } = await import('@opentelemetry/exporter-metrics-otlp-grpc');
      const { grpcChannelOptions } = await import('./exporter.js');
      return new OTLPMetricExporter({ ...shared, ...(await grpcChannelOptions(target)) });
    }
  }
}
