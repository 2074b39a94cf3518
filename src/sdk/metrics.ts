export type { PushMetricExporter } from '@opentelemetry/sdk-metrics';
export { ConsoleMetricExporter, MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
