/**
 * Where spans and metrics go, from config and the OTLP exporter variables.
 * (OpenTelemetry specification, "OpenTelemetry Protocol Exporter")
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { resolve as resolvePath } from 'node:path';
import { describeValue, ForktraceError } from '../errors.js';
import { type Environment, firstOf } from './environment.js';
import { type HeadersFunction, headerFault, parseHeaders } from './headers.js';
import { choice, flag, isSocketUrl, type Kind, timerMs } from './kinds.js';
import type { ValuesOf } from './option.js';
import { destinations, type exporting } from './options/export.js';
import type { logging } from './options/logs.js';
import type { tracing } from './options/tracing.js';
import type { ResolvedExport, ResolvedMetrics } from './resolved.js';
import type { ExportDestination, TracingConfig } from './types.js';
import { type OtlpSignal, type OtlpSuffix, otlp, specification } from './variables.js';

type OtlpDestination = 'otlp-grpc' | 'otlp-http';
type ExportValues = ValuesOf<typeof exporting>;

const DEFAULT_URLS = { 'otlp-grpc': 'http://localhost:4317', 'otlp-http': 'http://localhost:4318' } as const;
const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * The option or variable that a URL or file has come from: a wrong option stops the start, a variable is
 * said.
 */
type Origin = { option: string } | { variable: string };

/** Reads what is said for one signal, and for all. */
class OtlpVariables {
  readonly environment: Environment;
  readonly signal: OtlpSignal;

  constructor(environment: Environment, signal: OtlpSignal) {
    this.environment = environment;
    this.signal = signal;
  }

  /** The variable of this signal, then the one of all signals. */
  names(suffix: OtlpSuffix): [string, string] {
    return [`OTEL_EXPORTER_OTLP_${this.signal}_${suffix}`, `OTEL_EXPORTER_OTLP_${suffix}`];
  }

  read<Suffix extends OtlpSuffix>(suffix: Suffix): OtlpValue<Suffix> | undefined {
    const { kind, secret = false } = otlp[suffix] as unknown as { kind: Kind<OtlpValue<Suffix>>; secret?: boolean };
    return firstOf(this.environment, this.names(suffix), kind, secret);
  }

  /** What speaks for OTLP over gRPC or over HTTP; undefined where neither is said. */
  get protocol(): OtlpDestination | undefined {
    const protocol = this.read('PROTOCOL');
    return protocol && (protocol === 'grpc' ? 'otlp-grpc' : 'otlp-http');
  }

  get endpoint(): string | undefined {
    return this.read('ENDPOINT');
  }
}
type OtlpValue<Suffix extends OtlpSuffix> = (typeof otlp)[Suffix] extends { kind: Kind<infer T> } ? T : never;

/** A destination, and whether the protocol is only a guess. */
interface Destination {
  to: ExportDestination;
  guessed?: boolean;
  /** Print spans as well. */
  print?: boolean;
}

export function resolveExport(
  config: TracingConfig,
  values: ExportValues,
  environment: Environment,
  production: boolean,
): ResolvedExport {
  const variables = new OtlpVariables(environment, 'TRACES');
  const { to, guessed, print } = spanDestination(config, variables, production);
  if (config.viewer === false && to === 'viewer') {
    throw new ForktraceError('FORKTRACE_CONFIG_INVALID', [
      'viewer',
      'false',
      "true when spans are exported to 'viewer'",
    ]);
  }
  return resolved({ to, guessed, print }, variables, values, { option: 'export.url', url: values.export.url });
}

export function resolveMetrics(
  config: TracingConfig,
  values: ExportValues & Pick<ValuesOf<typeof tracing>, 'metrics'>,
  environment: Environment,
  spans: ResolvedExport,
): ResolvedMetrics | undefined {
  const named = exporters('OTEL_METRICS_EXPORTER', environment);
  const timeoutMs = environment.read('OTEL_METRIC_EXPORT_TIMEOUT', specification.OTEL_METRIC_EXPORT_TIMEOUT.kind);
  const temporality = 'OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE';
  environment.read(temporality, specification[temporality].kind);
  const wanted = config.metrics ?? (named !== undefined && !named.includes('none'));
  if (!wanted) return undefined;
  const { metrics } = values;
  const variables = new OtlpVariables(environment, 'METRICS');
  const own = environment.isSet('OTEL_EXPORTER_OTLP_METRICS_ENDPOINT');
  const { protocol } = variables;
  let destination: Destination;
  if (named?.includes('none')) destination = { to: 'none' };
  else if (named?.[0] === 'console' && named.length === 1) destination = { to: 'console' };
  else if (protocol) destination = { to: protocol };
  else if (metrics.url !== undefined) destination = protocolOf(metrics.url);
  else if (own || (named?.includes('otlp') && !spans.to.startsWith('otlp')))
    destination = protocolOf(variables.endpoint);
  else destination = { to: spans.to, guessed: spans.otherwise !== undefined };
  // Metrics go where config sends spans, unless they have a place of their own.
  const beside = values.export.url !== undefined && destination.to === spans.to ? spans.url : undefined;
  const url = (metrics.url ?? (own ? undefined : beside))?.replace(/\/v1\/traces$/, '/v1/metrics');
  return Object.freeze({
    intervalMs: metrics.intervalMs,
    // 0 is no limit; the SDK's reader wants none that is longer than the interval.
    timeoutMs: timeoutMs || (timeoutMs === 0 ? metrics.intervalMs : 30_000),
    runtime: metrics.runtime,
    export: resolved(
      { ...destination, print: named?.includes('console') && destination.to !== 'console' },
      variables,
      values,
      { option: 'metrics.url', url },
    ),
  });
}

/**
 * Where log records go; `to` is undefined where they are off. `byDefault`: whether they are wanted where
 * nobody says.
 */
export function resolveLogs(
  config: TracingConfig,
  values: ExportValues & Pick<ValuesOf<typeof logging>, 'logs'>,
  environment: Environment,
  spans: ResolvedExport,
  byDefault: boolean,
): { to: ResolvedExport | undefined; unasked: boolean } {
  const named = exporters('OTEL_LOGS_EXPORTER', environment);
  const timeoutMs = environment.read('OTEL_BLRP_EXPORT_TIMEOUT', specification.OTEL_BLRP_EXPORT_TIMEOUT.kind);
  const asked =
    (config.logs === undefined ? undefined : config.logs !== false) ??
    environment.read('FORKTRACE_LOGS', flag) ??
    (named && !named.includes('none'));
  if (!(asked ?? byDefault)) return { to: undefined, unasked: asked === undefined };
  const variables = new OtlpVariables(environment, 'LOGS');
  const own = environment.isSet('OTEL_EXPORTER_OTLP_LOGS_ENDPOINT');
  const { protocol } = variables;
  const { url: configured } = values.logs;
  let destination: Destination;
  if (named?.[0] === 'console' && named.length === 1) destination = { to: 'console' };
  else if (configured !== undefined) destination = protocol ? { to: protocol } : protocolOf(configured);
  else if (own || (named?.includes('otlp') && !spans.to.startsWith('otlp') && spans.to !== 'viewer'))
    destination = protocol ? { to: protocol } : protocolOf(variables.endpoint);
  else destination = { to: spans.to, guessed: spans.otherwise !== undefined };
  // Log records go where config sends spans, unless they have a place of their own.
  const beside = values.export.url !== undefined && destination.to === spans.to ? spans.url : undefined;
  const url = (configured ?? (own ? undefined : beside))?.replace(/\/v1\/traces$/, '/v1/logs');
  const print = named?.includes('console') && destination.to !== 'console';
  const to = resolved({ ...destination, print }, variables, values, { option: 'logs.url', url });
  const isTimeSaid = variables.names('TIMEOUT').some((name) => environment.isSet(name));
  const isOwnTime = timeoutMs !== undefined && !isTimeSaid && values.export.timeoutMs === undefined;
  return { to: isOwnTime ? Object.freeze({ ...to, timeoutMs: timerMs(timeoutMs) }) : to, unasked: false };
}

function spanDestination(config: TracingConfig, variables: OtlpVariables, production: boolean): Destination {
  const { environment, protocol, endpoint } = variables;
  const own = environment.read('FORKTRACE_EXPORT', choice(...destinations));
  const named = exporters('OTEL_TRACES_EXPORTER', environment);
  const print = named?.includes('console');
  const viewer = config.viewer ?? environment.read('FORKTRACE_VIEWER', flag);
  if (config.export?.to) return { to: config.export.to };
  if (config.export?.url !== undefined) return protocol ? { to: protocol } : protocolOf(config.export.url);
  if (own) return { to: own };
  if (named?.includes('none')) return { to: 'none' };
  if (print && !named?.includes('otlp')) return { to: 'console' };
  if (protocol) return { to: protocol, print };
  if (named || endpoint) return { ...protocolOf(endpoint), print };
  // What has an exporter or a provider of its own has no use for a viewer that nobody asked for.
  const elsewhere = config.exporter !== undefined || config.tracerProvider !== undefined;
  return { to: (viewer ?? !(production || elsewhere)) ? 'viewer' : 'otlp-grpc' };
}

/** `none` by itself, or others without it. */
function exporters(
  name: 'OTEL_TRACES_EXPORTER' | 'OTEL_METRICS_EXPORTER' | 'OTEL_LOGS_EXPORTER',
  environment: Environment,
) {
  const named = environment.list(name, specification[name].kind) ?? [];
  const others = named.filter((each) => each !== 'none');
  if (others.length > 0 && others.length < named.length)
    environment.unusable(name, 'none beside others', 'none by itself');
  return others.length > 0 ? others : named.length > 0 ? named : undefined;
}

/**
 * gRPC where nothing is said, for the port that OTLP registers for it, and for `host:port`; HTTP for its port
 * and for a URL with a path, which gRPC endpoints do not have. Any other http(s) URL says nothing: gRPC is a
 * guess then, and the endpoint is asked.
 */
function protocolOf(url: string | undefined): Destination {
  if (url === undefined || !/^https?:/i.test(url) || !URL.canParse(url)) return { to: 'otlp-grpc' };
  const { pathname, port } = new URL(url);
  if (pathname !== '/' || port === '4318') return { to: 'otlp-http' };
  return { to: 'otlp-grpc', guessed: port !== '4317' };
}

/** The whole of a destination. */
function resolved(
  { to, guessed, print }: Destination,
  variables: OtlpVariables,
  values: ExportValues,
  configured: { option: string; url: string | undefined },
): ResolvedExport {
  const url = resolveUrl(to, variables, values, configured);
  const otherwise = guessed
    ? Object.freeze({ to: 'otlp-http' as const, url: resolveUrl('otlp-http', variables, values, configured)! })
    : undefined;
  return Object.freeze({
    to,
    url,
    otherwise,
    print: print ?? false,
    encoding: variables.read('PROTOCOL') === 'http/json' ? 'json' : 'protobuf',
    ...delivery(variables, values),
  });
}

function resolveUrl(
  to: ExportDestination,
  variables: OtlpVariables,
  values: ExportValues,
  { option, url: configured }: { option: string; url: string | undefined },
): string | undefined {
  const { environment, signal } = variables;
  // Set by the coordinator, once the viewer has found its port.
  if (to === 'viewer') return environment.text('FORKTRACE_VIEWER_URL');
  if (to !== 'otlp-grpc' && to !== 'otlp-http') return undefined;
  const path = `v1/${signal.toLowerCase()}`;
  const insecure = isInsecure(variables, values);
  const read = (origin: Origin, text: string) =>
    to === 'otlp-grpc' ? grpcUrl(origin, text, insecure, environment) : httpUrl(origin, text, environment);

  if (configured !== undefined) {
    const url = read({ option }, configured);
    return to === 'otlp-http' && url && !isSocketUrl(url) && new URL(url).pathname === '/'
      ? appendPath(url, path)
      : url;
  }
  // The variable of one signal is the whole URL; the path is appended to the general one only.
  const [perSignal, general] = variables.names('ENDPOINT');
  const own = environment.text(perSignal);
  const url = own === undefined ? undefined : read({ variable: perSignal }, own);
  if (url !== undefined) return url;
  const shared = environment.text(general);
  const base = (shared === undefined ? undefined : read({ variable: general }, shared)) ?? DEFAULT_URLS[to];
  return to === 'otlp-http' && !isSocketUrl(base) ? appendPath(base, path) : base;
}

function appendPath(base: string, path: string): string {
  const url = new URL(base);
  url.pathname = `${url.pathname.replace(/\/$/, '')}/${path}`;
  return url.href;
}

function httpUrl(origin: Origin, text: string, environment: Environment): string | undefined {
  if (isSocketUrl(text)) return text;
  if (/^https?:\/\//i.test(text) && URL.canParse(text)) return new URL(text).href;
  return refuse(
    origin,
    withoutPassword(text),
    'a URL that begins with http:// or https://, or unix:///path',
    environment,
  );
}

/** `host:port` without a scheme is allowed, and secure unless it is said not to be. */
function grpcUrl(origin: Origin, text: string, insecure: boolean, environment: Environment): string | undefined {
  if (isSocketUrl(text)) return text;
  const full = text.includes('://') ? text : `${insecure ? 'http' : 'https'}://${text}`;
  const url = /^https?:\/\//i.test(full) && URL.canParse(full) ? new URL(full) : undefined;
  if (url?.pathname === '/' && url.search === '') return `${url.protocol}//${url.host}`;
  return refuse(
    origin,
    withoutPassword(text),
    'a URL http(s)://host:port without a path, for OTLP over gRPC',
    environment,
  );
}

function isInsecure(variables: OtlpVariables, values: ExportValues): boolean {
  const read = variables.read('INSECURE');
  return values.export.tls.insecure ?? read ?? false;
}

/** What is said the same way for every OTLP destination: headers, compression, timeout and TLS. */
function delivery(variables: OtlpVariables, values: ExportValues) {
  const { environment } = variables;
  const { headers, compression, timeoutMs, tls } = values.export;
  const [ownHeaders, generalHeaders] = variables.names('HEADERS');
  // All are read, so that a wrong variable is said even where an option wins.
  const read = { compression: variables.read('COMPRESSION'), timeoutMs: variables.read('TIMEOUT') };
  const pem = (option: 'ca' | 'cert' | 'key', suffix: 'CERTIFICATE' | 'CLIENT_CERTIFICATE' | 'CLIENT_KEY') => {
    const value = tls[option];
    if (value !== undefined) return readPem({ option: `export.tls.${option}` }, value, environment);
    const name = variables.names(suffix).find((each) => environment.isSet(each));
    return name && readPem({ variable: name }, environment.text(name)!, environment);
  };
  const fixed = { ...headersOf(generalHeaders, environment), ...headersOf(ownHeaders, environment) };
  const file = (option: 'ca' | 'cert' | 'key', suffix: 'CERTIFICATE' | 'CLIENT_CERTIFICATE' | 'CLIENT_KEY') => {
    const name = variables.names(suffix).find((each) => environment.isSet(each));
    const value = tls[option] ?? (name && environment.text(name));
    return value === undefined || value.includes('-----BEGIN ') ? undefined : resolvePath(value);
  };
  return {
    ...resolveHeaders(fixed, headers),
    compression: compression ?? read.compression ?? 'none',
    timeoutMs: timerMs(timeoutMs ?? read.timeoutMs ?? DEFAULT_TIMEOUT_MS),
    tls: Object.freeze({
      ca: pem('ca', 'CERTIFICATE'),
      cert: pem('cert', 'CLIENT_CERTIFICATE'),
      key: pem('key', 'CLIENT_KEY'),
      insecure: isInsecure(variables, values),
    }),
    tlsFiles: Object.freeze({
      ca: file('ca', 'CERTIFICATE'),
      cert: file('cert', 'CLIENT_CERTIFICATE'),
      key: file('key', 'CLIENT_KEY'),
    }),
    maxRequestBytes: values.export.maxRequestBytes,
    ...(values.export.gatherMs !== undefined && { gatherMs: values.export.gatherMs }),
  } as const;
}

/**
 * Those that do not change, beside those of a file or a function: what these say now, and where to ask again.
 */
function resolveHeaders(
  fixed: Record<string, string>,
  configured: Record<string, string> | string | HeadersFunction | undefined,
): Pick<ResolvedExport, 'headers' | 'headersFrom'> {
  if (typeof configured === 'object' || configured === undefined) {
    return { headers: Object.freeze({ ...fixed, ...configured }) };
  }
  if (typeof configured === 'string') {
    const file = resolvePath(configured);
    return { headers: Object.freeze({ ...fixed, ...headersOfFile(file) }), headersFrom: { fixed, file } };
  }
  // One that is asynchronous is heard later: a start waits for nothing.
  return { headers: Object.freeze(fixed), headersFrom: { fixed, call: configured } };
}

function headersOfFile(file: string): Record<string, string> {
  try {
    return parseHeaders(readFileSync(file, 'utf8'));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const found = `the file ${describeValue(file)} (${code ?? message})`;
    throw new ForktraceError('FORKTRACE_CONFIG_INVALID', [
      'export.headers',
      found,
      'a file of headers that can be read',
    ]);
  }
}

/** Those that can be sent; the others are said by name, for a value may be a secret. */
function headersOf(variable: string, environment: Environment): Record<string, string> {
  const sendable: Record<string, string> = {};
  for (const [name, value] of Object.entries(environment.pairs(variable) ?? {})) {
    const expected = headerFault(name, value);
    if (expected === undefined) sendable[name] = value;
    else environment.unusable(variable, `a header ${describeValue(name)} that cannot be sent`, expected);
  }
  return sendable;
}

function readPem(origin: Origin, value: string, environment: Environment): string | undefined {
  if (value.includes('-----BEGIN ')) return value;
  const path = describeValue(value);
  let contents: string;
  try {
    contents = readFileSync(value, 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return refuse(origin, `${path} (${code})`, 'a PEM file that can be read', environment);
  }
  if (contents.includes('-----BEGIN ')) return contents;
  return refuse(origin, `${path}, which is no PEM file`, 'a PEM file', environment);
}

function refuse(origin: Origin, found: string, expected: string, environment: Environment): undefined {
  if ('option' in origin) throw new ForktraceError('FORKTRACE_CONFIG_INVALID', [origin.option, found, expected]);
  environment.unusable(origin.variable, found, expected);
}

/** A URL for a message. */
const withoutPassword = (text: string) => describeValue(text.replace(/\/\/[^/@]*@/, '//…@'));
