/**
 * Where spans and metrics go, from config and the OTLP exporter variables.
 * (OpenTelemetry specification, "OpenTelemetry Protocol Exporter")
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { describeValue, type ErrorCode, ForktraceError } from '../errors.js';
import type { Environment } from './environment.js';
import type { ResolvedExport, ResolvedMetrics } from './resolved.js';
import type { ExportDestination, TracingConfig } from './types.js';

type SignalName = 'TRACES' | 'METRICS';
type OtlpDestination = 'otlp-grpc' | 'otlp-http';

const DEFAULT_URLS = { 'otlp-grpc': 'http://localhost:4317', 'otlp-http': 'http://localhost:4318' } as const;
const DEFAULT_TIMEOUT_MS = 10_000;

/** An option or variable that a URL or file has come from, for the error. */
interface Origin {
  code: Extract<ErrorCode, 'FORKTRACE_CONFIG_INVALID' | 'FORKTRACE_ENV_INVALID'>;
  name: string;
}
const option = (name: string): Origin => ({ code: 'FORKTRACE_CONFIG_INVALID', name });
const variable = (name: string): Origin => ({ code: 'FORKTRACE_ENV_INVALID', name });

export function resolveExport(config: TracingConfig, environment: Environment, production: boolean): ResolvedExport {
  const to = spanDestination(config, environment, production);
  if (config.viewer === false && to === 'viewer') {
    throw new ForktraceError('FORKTRACE_CONFIG_INVALID', [
      'viewer',
      'false',
      "true when spans are exported to 'viewer'",
    ]);
  }
  return Object.freeze({
    to,
    url: resolveUrl(to, 'TRACES', config.export?.url, 'export.url', config, environment),
    ...delivery('TRACES', config, environment),
  });
}

export function resolveMetrics(
  config: TracingConfig,
  environment: Environment,
  spans: ResolvedExport,
): ResolvedMetrics | undefined {
  const named = environment.oneOf('OTEL_METRICS_EXPORTER', ['otlp', 'console', 'none']);
  const interval = environment.whole('OTEL_METRIC_EXPORT_INTERVAL', 1, 2_147_483_647);
  const timeout = environment.whole('OTEL_METRIC_EXPORT_TIMEOUT', 1, 2_147_483_647);
  const wanted = config.metrics ?? (named !== undefined && named !== 'none');
  if (!wanted) return undefined;
  const metrics = typeof wanted === 'object' ? wanted : {};
  const protocol = otlpProtocol('METRICS', environment);
  let to: ExportDestination;
  if (named === 'console' || named === 'none') to = named;
  else if (protocol) to = protocol;
  else if (metrics.url !== undefined) to = protocolOf(metrics.url);
  else if (environment.firstSet('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT')) to = endpointProtocol('METRICS', environment);
  else if (named === 'otlp' && !spans.to.startsWith('otlp')) to = endpointProtocol('METRICS', environment);
  else to = spans.to;
  // Metrics go where config sends spans, unless they have a place of their own.
  const beside = config.export?.url !== undefined && to === spans.to ? spans.url : undefined;
  const own = metrics.url ?? (environment.firstSet('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT') ? undefined : beside);
  const url = resolveUrl(
    to,
    'METRICS',
    own?.replace(/\/v1\/traces$/, '/v1/metrics'),
    'metrics.url',
    config,
    environment,
  );
  const intervalMs = metrics.intervalMs ?? interval ?? 60_000;
  return Object.freeze({
    intervalMs,
    timeoutMs: timeout ?? 30_000,
    runtime: metrics.runtime ?? true,
    export: Object.freeze({ to, url, ...delivery('METRICS', config, environment) }),
  });
}

function spanDestination(config: TracingConfig, environment: Environment, production: boolean): ExportDestination {
  const own = environment.oneOf('FORKTRACE_EXPORT', ['otlp-grpc', 'otlp-http', 'console', 'none', 'viewer']);
  const named = environment.oneOf('OTEL_TRACES_EXPORTER', ['otlp', 'console', 'none']);
  const protocol = otlpProtocol('TRACES', environment);
  const viewer = config.viewer ?? environment.boolean('FORKTRACE_VIEWER');
  if (config.export?.to) return config.export.to;
  if (config.export?.url !== undefined) return protocol ?? protocolOf(config.export.url);
  if (own) return own;
  if (named === 'console' || named === 'none') return named;
  const endpoint = environment.firstSet('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT');
  if (named === 'otlp' || protocol || endpoint) return endpointProtocol('TRACES', environment);
  // What has an exporter or a provider of its own has no use for a viewer that nobody asked for.
  const elsewhere = config.exporter !== undefined || config.tracerProvider !== undefined;
  return (viewer ?? !(production || elsewhere)) ? 'viewer' : 'otlp-grpc';
}

function otlpProtocol(signal: SignalName, environment: Environment): OtlpDestination | undefined {
  const read = (name: string) => environment.oneOf(name, ['grpc', 'http/protobuf']);
  const general = read('OTEL_EXPORTER_OTLP_PROTOCOL');
  const protocol = read(`OTEL_EXPORTER_OTLP_${signal}_PROTOCOL`) ?? general;
  return protocol && (protocol === 'grpc' ? 'otlp-grpc' : 'otlp-http');
}

function endpointProtocol(signal: SignalName, environment: Environment): OtlpDestination {
  const endpoint = environment.firstSet(`OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`, 'OTEL_EXPORTER_OTLP_ENDPOINT');
  return otlpProtocol(signal, environment) ?? protocolOf(endpoint && environment.text(endpoint));
}

/** gRPC, unless the URL has a path, which gRPC endpoints do not, or OTLP/HTTP's port. */
function protocolOf(url: string | undefined): OtlpDestination {
  if (url === undefined || !/^https?:/.test(url) || !URL.canParse(url)) return 'otlp-grpc';
  const { pathname, port } = new URL(url);
  return pathname !== '/' || port === '4318' ? 'otlp-http' : 'otlp-grpc';
}

function resolveUrl(
  to: ExportDestination,
  signal: SignalName,
  configured: string | undefined,
  optionName: string,
  config: TracingConfig,
  environment: Environment,
): string | undefined {
  // Set by the coordinator, once the viewer has found its port.
  if (to === 'viewer') return environment.text('FORKTRACE_VIEWER_URL');
  if (to !== 'otlp-grpc' && to !== 'otlp-http') return undefined;
  const path = `v1/${signal.toLowerCase()}`;
  const perSignal = `OTEL_EXPORTER_OTLP_${signal}_ENDPOINT`;
  const general = 'OTEL_EXPORTER_OTLP_ENDPOINT';
  const insecure = isInsecure(signal, config, environment);
  const read = (origin: Origin, text: string) =>
    to === 'otlp-grpc' ? grpcUrl(origin, text, insecure) : httpUrl(origin, text);

  if (configured !== undefined) {
    const url = read(option(optionName), configured);
    return to === 'otlp-http' && new URL(url).pathname === '/' ? appendPath(url, path) : url;
  }
  // The variable of one signal is the whole URL; the path is appended to the general one only.
  const own = environment.text(perSignal);
  if (own !== undefined) return read(variable(perSignal), own);
  const shared = environment.text(general);
  const url = shared === undefined ? DEFAULT_URLS[to] : read(variable(general), shared);
  return to === 'otlp-http' ? appendPath(url, path) : url;
}

function appendPath(base: string, path: string): string {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
  return url.href;
}

function httpUrl({ code, name }: Origin, text: string): string {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) {
    throw new ForktraceError(code, [name, describeValue(text), 'a URL that begins with http:// or https://']);
  }
  return new URL(text).href;
}

/** `host:port` without a scheme is allowed, and secure unless it is said not to be. */
function grpcUrl({ code, name }: Origin, text: string, insecure: boolean): string {
  const expected = 'a URL http(s)://host:port without a path, for OTLP over gRPC';
  const full = text.includes('://') ? text : `${insecure ? 'http' : 'https'}://${text}`;
  const url = /^https?:\/\//i.test(full) && URL.canParse(full) ? new URL(full) : undefined;
  if (url?.pathname !== '/' || url.search !== '') throw new ForktraceError(code, [name, describeValue(text), expected]);
  return `${url.protocol}//${url.host}`;
}

function isInsecure(signal: SignalName, config: TracingConfig, environment: Environment): boolean {
  const general = environment.boolean('OTEL_EXPORTER_OTLP_INSECURE');
  return (
    config.export?.tls?.insecure ?? environment.boolean(`OTEL_EXPORTER_OTLP_${signal}_INSECURE`) ?? general ?? false
  );
}

/** What is said the same way for every OTLP destination: headers, compression, timeout and TLS. */
function delivery(signal: SignalName, config: TracingConfig, environment: Environment) {
  const names = (suffix: string) => [`OTEL_EXPORTER_OTLP_${signal}_${suffix}`, `OTEL_EXPORTER_OTLP_${suffix}`] as const;
  const first = <T>(suffix: string, read: (name: string) => T | undefined): T | undefined => {
    // Both are read, so that a wrong value is an error even where the other one wins.
    const [own, general] = names(suffix).map(read);
    return own ?? general;
  };
  const [ownHeaders, generalHeaders] = names('HEADERS');
  const { tls = {} } = config.export ?? {};
  const pem = (configured: 'ca' | 'cert' | 'key', suffix: string) => {
    const value = tls[configured];
    if (value !== undefined) return readPem(option(`export.tls.${configured}`), value);
    const name = environment.firstSet(...names(suffix));
    return name && readPem(variable(name), environment.text(name)!);
  };
  return {
    headers: Object.freeze({
      ...environment.pairs(generalHeaders),
      ...environment.pairs(ownHeaders),
      ...config.export?.headers,
    }),
    compression:
      config.export?.compression ?? first('COMPRESSION', (name) => environment.oneOf(name, ['none', 'gzip'])) ?? 'none',
    timeoutMs:
      config.export?.timeoutMs ??
      first('TIMEOUT', (name) => environment.whole(name, 1, 2_147_483_647)) ??
      DEFAULT_TIMEOUT_MS,
    tls: Object.freeze({
      ca: pem('ca', 'CERTIFICATE'),
      cert: pem('cert', 'CLIENT_CERTIFICATE'),
      key: pem('key', 'CLIENT_KEY'),
      insecure: isInsecure(signal, config, environment),
    }),
  } as const;
}

function readPem({ code, name }: Origin, value: string): string {
  if (value.includes('-----BEGIN ')) return value;
  let contents: string;
  try {
    contents = readFileSync(value, 'utf8');
  } catch (error) {
    const { code: reason } = error as NodeJS.ErrnoException;
    throw new ForktraceError(code, [name, `${describeValue(value)} (${reason})`, 'a PEM file that can be read']);
  }
  if (contents.includes('-----BEGIN ')) return contents;
  throw new ForktraceError(code, [name, `${describeValue(value)}, which is no PEM file`, 'a PEM file']);
}
