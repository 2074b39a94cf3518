import { createRequire } from 'node:module';
import type { MeterProvider } from '@opentelemetry/api';
import type { ResolvedConfig, ResolvedExport } from '../config/resolved.js';
import type { SpanExporter } from '../sdk/types.js';
import { askedExporter } from './asked-exporter.js';
import { freshExporter } from './fresh-exporter.js';

const require = createRequire(import.meta.url);

/**
 * Creates the exporter of the `batch` pipeline, in the worker. Undefined when spans go nowhere.
 *
 * @param meterProvider for the exporter's own metrics, `otel.sdk.exporter.*`
 */
export function createExporter(config: ResolvedConfig, meterProvider?: MeterProvider): SpanExporter | undefined {
  if (config.exporter) return config.exporter();
  const target = config.export;
  if (target.to === 'none') return undefined;
  if (target.to === 'console') return consoleExporter();
  const create = (of: ResolvedExport) => otlpExporter(of, meterProvider);
  const exporter = freshExporter(target, (of) => (of.otherwise ? askedExporter(of, create(of), create) : create(of)));
  return target.print ? printing(exporter, consoleExporter()) : exporter;
}

function consoleExporter(): SpanExporter {
  const { ConsoleSpanExporter } = require('../sdk/trace.js') as typeof import('../sdk/trace.js');
  return new ConsoleSpanExporter();
}

function printing(exporter: SpanExporter, printer: SpanExporter): SpanExporter {
  return {
    export(spans, done) {
      printer.export(spans, () => {});
      exporter.export(spans, done);
    },
    forceFlush: async () => void (await exporter.forceFlush?.()),
    shutdown: () => exporter.shutdown(),
  };
}

function otlpExporter(target: ResolvedExport, selfObsMeterProvider: MeterProvider | undefined): SpanExporter {
  const options = {
    compression: target.compression as never,
    timeoutMillis: target.timeoutMs,
    selfObsMeterProvider,
  };
  return target.to === 'otlp-http' ? httpExporter(target, options) : grpcExporter(target, options);
}

function httpExporter(target: ResolvedExport, options: object): SpanExporter {
  const { OTLPTraceExporter } = httpExporters(target);
  return new OTLPTraceExporter({ ...httpExporterOptions(target), ...options });
}

/** The exporters for the configured encoding. */
export function httpExporters({ encoding }: ResolvedExport) {
  return encoding === 'json'
    ? (require('../sdk/exporters-json.js') as typeof import('../sdk/exporters-json.js'))
    : (require('../sdk/exporters-http.js') as typeof import('../sdk/exporters-http.js'));
}

/** URL, headers and TLS of an OTLP/HTTP exporter, for spans and for metrics. */
export function httpExporterOptions({ url, headers, tls: { ca, cert, key } }: ResolvedExport) {
  return { url, headers, httpAgentOptions: { keepAlive: true, ...((ca || cert || key) && { ca, cert, key }) } };
}

function grpcExporter(target: ResolvedExport, options: object): SpanExporter {
  const { OTLPTraceExporter } = require('../sdk/exporters-grpc.js') as typeof import('../sdk/exporters-grpc.js');
  return new OTLPTraceExporter({ ...grpcChannelOptions(target), ...options });
}

/** URL, metadata and credentials of an OTLP/gRPC exporter, for spans and for metrics. */
export function grpcChannelOptions(target: ResolvedExport) {
  const { credentials, Metadata } = require('@grpc/grpc-js') as typeof import('@grpc/grpc-js');
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(target.headers)) metadata.set(name, value);
  const url = target.url ?? 'http://localhost:4317';
  const { ca, cert, key, insecure } = target.tls;
  const pem = (text: string | undefined) => (text === undefined ? null : Buffer.from(text));
  const plain = url.startsWith('http:') || (insecure && !url.startsWith('https:'));
  return {
    url,
    metadata,
    credentials: plain ? credentials.createInsecure() : credentials.createSsl(pem(ca), pem(key), pem(cert)),
  };
}
