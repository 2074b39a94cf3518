import type { ResolvedConfig, ResolvedExport } from '../config/resolved.js';
import type { SpanExporter } from '../sdk/types.js';

/** The exporter of the `batch` pipeline, created in the worker; undefined when spans go nowhere. */
export async function createExporter(config: ResolvedConfig): Promise<SpanExporter | undefined> {
  if (config.exporter) return config.exporter();
  const target = config.export;
  switch (target.to) {
    case 'none':
      return undefined;
    case 'console':
      return new (await import('../sdk/trace.js')).ConsoleSpanExporter();
    case 'otlp-http':
      return httpExporter(target);
    case 'otlp-grpc':
    case 'viewer':
      return grpcExporter(target);
  }
}

async function httpExporter(target: ResolvedExport): Promise<SpanExporter> {
  const { OTLPTraceExporter } = await import('../sdk/exporters-http.js');
  return new OTLPTraceExporter({
    ...httpOptions(target),
    compression: target.compression as never,
    timeoutMillis: target.timeoutMs,
  });
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
