import type { ResolvedConfig, ResolvedExport } from '../config/resolved.js';
import type { SpanExporter } from '../sdk/types.js';
import { askedExporter } from './asked-exporter.js';

/** The exporter of the `batch` pipeline, created in the worker; undefined when spans go nowhere. */
export async function createExporter(config: ResolvedConfig): Promise<SpanExporter | undefined> {
  if (config.exporter) return config.exporter();
  const target = config.export;
  if (target.to === 'none') return undefined;
  if (target.to === 'console') return consoleExporter();
  const guess = await otlpExporter(target);
  const exporter = target.otherwise ? askedExporter(target, guess, otlpExporter) : guess;
  return target.print ? printing(exporter, await consoleExporter()) : exporter;
}

async function consoleExporter(): Promise<SpanExporter> {
  return new (await import('../sdk/trace.js')).ConsoleSpanExporter();
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

const otlpExporter = (target: ResolvedExport) =>
  target.to === 'otlp-http' ? httpExporter(target) : grpcExporter(target);

async function httpExporter(target: ResolvedExport): Promise<SpanExporter> {
  const { OTLPTraceExporter } = await httpExporters(target);
  return new OTLPTraceExporter({
    ...httpOptions(target),
    compression: target.compression as never,
    timeoutMillis: target.timeoutMs,
  });
}

/** Those of the encoding that is asked for. */
export async function httpExporters({ encoding }: ResolvedExport) {
  return encoding === 'json' ? import('../sdk/exporters-json.js') : import('../sdk/exporters-http.js');
}

/** URL, headers and TLS of an OTLP/HTTP exporter, for spans and metrics alike. */
export function httpOptions({ url, headers, tls: { ca, cert, key } }: ResolvedExport) {
  return { url, headers, httpAgentOptions: { keepAlive: true, ...((ca || cert || key) && { ca, cert, key }) } };
}

async function grpcExporter(target: ResolvedExport): Promise<SpanExporter> {
  const { OTLPTraceExporter } = await import('../sdk/exporters-grpc.js');
  return new OTLPTraceExporter({
    ...(await grpcChannelOptions(target)),
    compression: target.compression as never,
    timeoutMillis: target.timeoutMs,
  });
}

/** URL, metadata and credentials of an OTLP/gRPC exporter, for spans and metrics alike. */
export async function grpcChannelOptions(target: ResolvedExport) {
  const { credentials, Metadata } = await import('@grpc/grpc-js');
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
