/**
 * Where spans and metrics go, from config and the OTLP exporter variables.
 * (OpenTelemetry specification, "OpenTelemetry Protocol Exporter")
 *
 * @module
 */
import { ForktraceError } from '../errors.js';
import { resolveUrl } from './destination-url.js';
import type { Environment } from './environment.js';
import { delivery } from './export-delivery.js';
import { choice, flag, timerMs } from './kinds.js';
import type { ValuesOf } from './option.js';
import { destinations } from './options/export.js';
import type { logging } from './options/logs.js';
import type { tracing } from './options/tracing.js';
import { type ExportValues, OtlpVariables } from './otlp-variables.js';
import type { ResolvedExport, ResolvedMetrics } from './resolved.js';
import type { ExportDestination, TracingConfig } from './types.js';
import { specification } from './variables.js';

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
