export { ExportResultCode } from '@opentelemetry/core';
export { CompressionAlgorithm, OTLPExporterError } from '@opentelemetry/otlp-exporter-base';
export { createOtlpHttpExportDelegate, httpAgentFactoryFromOptions } from '@opentelemetry/otlp-exporter-base/node-http';
