/**
 * The variables that no option stands for: those of OpenTelemetry's specification, and those that forktrace
 * sets for itself. docs/environment.md follows from this table and the options' own variables.
 *
 * @module
 */
import {
  called,
  choice,
  endpoint,
  flag,
  type Kind,
  milliseconds,
  portOrPath,
  ratio,
  text,
  timeout,
  urlOf,
  whole,
} from './kinds.js';

/** What becomes of a variable. */
export type VariableStatus = 'honoured' | 'warned' | 'not applicable';

export interface Variable<T = unknown> {
  readonly status: VariableStatus;
  readonly about: string;
  /** What its text must be; without it, it is not looked at here. */
  readonly kind?: Kind<T>;
  /** Comma-separated items of the kind. */
  readonly list?: true;
  readonly otherwise?: string;
  readonly secret?: true;
}

const honoured = <T>(kind: Kind<T>, about: string, otherwise: string): Variable<T> & { kind: Kind<T> } => ({
  status: 'honoured',
  kind,
  about,
  otherwise,
});
const listed = <T>(kind: Kind<T>, about: string, otherwise: string) => ({
  ...honoured(kind, about, otherwise),
  list: true as const,
});
/** One that is set is said to have no effect. */
const warned = (about: string): Variable => ({ status: 'warned', about });
const notApplicable = (about: string): Variable => ({ status: 'not applicable', about });

/** Samplers and propagators of packages that are used when the app has them installed. */
export const SAMPLER_PACKAGES = {
  jaeger_remote: '@opentelemetry/sampler-jaeger-remote',
  parentbased_jaeger_remote: '@opentelemetry/sampler-jaeger-remote',
  xray: '@opentelemetry/sampler-aws-xray',
} as const;
export const PROPAGATOR_PACKAGES = {
  xray: '@opentelemetry/propagator-aws-xray',
  'xray-lambda': '@opentelemetry/propagator-aws-xray-lambda',
  ottrace: '@opentelemetry/propagator-ot-trace',
} as const;

/** What their OTEL_TRACES_SAMPLER_ARG may hold. */
export const REMOTE_SAMPLER_ARGUMENTS: Readonly<Record<string, Kind<unknown>>> = {
  endpoint: urlOf('http:', 'https:'),
  pollingIntervalMs: whole(1),
  initialSamplingRate: ratio,
  // Of AWS X-Ray, in seconds, as OpenTelemetry's other languages name it.
  polling_interval: whole(1),
};

export const samplerName = choice(
  'always_on',
  'always_off',
  'traceidratio',
  'parentbased_always_on',
  'parentbased_always_off',
  'parentbased_traceidratio',
  'jaeger_remote',
  'parentbased_jaeger_remote',
  'xray',
);
export const propagatorName = choice(
  'tracecontext',
  'baggage',
  'b3',
  'b3multi',
  'jaeger',
  'xray',
  'xray-lambda',
  'ottrace',
  'none',
);
const exporterName = choice('otlp', 'console', 'none');

/**
 * OpenTelemetry specification, "Environment Variable Specification" (general, batch span processor, metrics).
 */
export const specification = {
  OTEL_RESOURCE_ATTRIBUTES: {
    status: 'honoured',
    about:
      'Resource attributes: `key=value,…`, percent-encoded. In a cluster each worker keeps its own `service.instance.id`. One wrong pair discards all of them, as the specification has it.',
    otherwise: 'none',
  },
  OTEL_ENTITIES: notApplicable('Entities are not part of the stable SDK.'),
  OTEL_LOG_LEVEL: honoured(
    choice('none', 'error', 'warn', 'info', 'debug', 'verbose', 'all'),
    "Turns on OpenTelemetry's internal logger, in workers.",
    'off',
  ),
  OTEL_PROPAGATORS: listed(
    propagatorName,
    `Comma-separated. \`xray\`, \`xray-lambda\` and \`ottrace\` need ${Object.values(PROPAGATOR_PACKAGES)
      .map((name) => `\`${name}\``)
      .join(', ')}, installed by you; without it they are warned about.`,
    '`tracecontext,baggage`',
  ),
  OTEL_TRACES_SAMPLER: honoured(
    samplerName,
    'The sampler. `jaeger_remote` and `parentbased_jaeger_remote` need `@opentelemetry/sampler-jaeger-remote`, `xray` needs `@opentelemetry/sampler-aws-xray`, installed by you; without it they are warned about.',
    '`parentbased_always_on`',
  ),
  OTEL_TRACES_SAMPLER_ARG: {
    status: 'honoured',
    about:
      'A ratio from 0 to 1 for the two ratio samplers; `endpoint=…,pollingIntervalMs=…,initialSamplingRate=…` for the remote ones.',
    otherwise: '1',
  },
  OTEL_TRACES_EXPORTER: listed(
    exporterName,
    'Where spans go. `otlp,console` sends them and prints them; `none` stands alone.',
    'see [configuration.md](configuration.md)',
  ),
  OTEL_METRICS_EXPORTER: listed(exporterName, '`otlp` and `console` turn metrics on.', 'none'),
  OTEL_BSP_SCHEDULE_DELAY: honoured(milliseconds(0), '`batch`: milliseconds between two exports.', '5000'),
  OTEL_BSP_EXPORT_TIMEOUT: honoured(timeout, '`batch`: milliseconds for one export.', '30000'),
  OTEL_BSP_MAX_QUEUE_SIZE: honoured(whole(1), '`batch`: spans that wait; more are lost.', '2048'),
  OTEL_BSP_MAX_EXPORT_BATCH_SIZE: honoured(whole(1), '`batch`: spans of one export, at most the queue size.', '512'),
  OTEL_METRIC_EXPORT_TIMEOUT: honoured(timeout, 'Milliseconds for one export of metrics.', '30000'),
  OTEL_METRICS_EXEMPLAR_FILTER: notApplicable('The JavaScript SDK has no exemplars.'),
  OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE: honoured(
    choice('cumulative', 'delta', 'lowmemory'),
    "Temporality of sums and histograms, read by OpenTelemetry's metric exporter.",
    '`cumulative`',
  ),
  OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION: warned(
    "The JavaScript SDK's exporter has no such setting.",
  ),
  OTEL_CONFIG_FILE: {
    status: 'honoured',
    about:
      "A file of OpenTelemetry's declarative configuration, which replaces the variables of this section, as the specification has it. It is read by `@opentelemetry/configuration` (0.223.0), installed by you; without it the variable is warned about. Settings that have no counterpart among these variables are named in one warning.",
    otherwise: 'none',
  },
  OTEL_EXPERIMENTAL_CONFIG_FILE: warned('It is `OTEL_CONFIG_FILE` now.'),
  OTEL_LOGS_EXPORTER: listed(
    exporterName,
    '`otlp` and `console` turn logs on, `none` turns them off. See [logs.md](logs.md).',
    '`otlp` unless `NODE_ENV=production`',
  ),
  OTEL_BLRP_SCHEDULE_DELAY: notApplicable(
    'Log records are kept in the journal as they come: no batch waits in the process.',
  ),
  OTEL_BLRP_EXPORT_TIMEOUT: honoured(
    timeout,
    'Milliseconds for one export request of log records, where no `OTEL_EXPORTER_OTLP_…TIMEOUT` is set.',
    '10000',
  ),
  OTEL_BLRP_MAX_QUEUE_SIZE: notApplicable('`journal.maxBytes` bounds what waits.'),
  OTEL_BLRP_MAX_EXPORT_BATCH_SIZE: notApplicable('`export.maxRequestBytes` bounds a request.'),
  OTEL_EXPORTER_ZIPKIN_ENDPOINT: notApplicable('There is no Zipkin exporter; a Collector has one.'),
  OTEL_EXPORTER_ZIPKIN_TIMEOUT: notApplicable('There is no Zipkin exporter; a Collector has one.'),
  OTEL_EXPORTER_ZIPKIN_PROTOCOL: notApplicable('There is no Zipkin exporter; a Collector has one.'),
  OTEL_EXPORTER_PROMETHEUS_HOST: notApplicable('There is no Prometheus exporter; a Collector has one.'),
  OTEL_EXPORTER_PROMETHEUS_PORT: notApplicable('There is no Prometheus exporter; a Collector has one.'),
  OTEL_EXPORTER_OTLP_SPAN_INSECURE: warned('Obsolete: it is `OTEL_EXPORTER_OTLP_TRACES_INSECURE`.'),
  OTEL_EXPORTER_OTLP_METRIC_INSECURE: warned('Obsolete: it is `OTEL_EXPORTER_OTLP_METRICS_INSECURE`.'),
  OTEL_SEMCONV_EXCEPTION_SIGNAL_OPT_IN: honoured(
    choice('logs', 'logs/dup'),
    'Exceptions that spans record become log records named `exception`: in place of events of the span with `logs`, beside them with `logs/dup`. Without logs, or with pipeline `batch`, they stay events.',
    'events of the span',
  ),
  OTEL_SEMCONV_STABILITY_OPT_IN: notApplicable(
    'HTTP server spans follow the stable conventions always; instrumentations of yours read it themselves.',
  ),
} as const satisfies Record<string, Variable>;

/**
 * `OTEL_EXPORTER_OTLP_<suffix>` for all signals, `OTEL_EXPORTER_OTLP_<SIGNAL>_<suffix>` for one, which wins.
 */
export const otlp = {
  ENDPOINT: honoured(
    endpoint,
    "HTTP: the general one is a base URL to which `/v1/traces`, `/v1/metrics` or `/v1/logs` is appended, one signal's is used as it is. gRPC: `http(s)://host:port`, or `host:port`.",
    '`http://localhost:4317` (gRPC), `http://localhost:4318` (HTTP)',
  ),
  PROTOCOL: honoured(choice('grpc', 'http/protobuf', 'http/json'), 'How to speak to the endpoint.', 'see below'),
  HEADERS: {
    status: 'honoured',
    about: '`key=value,…`, percent-encoded; those of both are sent.',
    otherwise: 'none',
    secret: true,
  },
  COMPRESSION: honoured(choice('none', 'gzip'), 'Of export requests.', '`none`'),
  TIMEOUT: honoured(timeout, 'Milliseconds for one export request.', '10000'),
  CERTIFICATE: honoured(text, "Path of a PEM file: the authority of the endpoint's certificate.", "the system's"),
  CLIENT_CERTIFICATE: honoured(text, "Path of a PEM file: the client's certificate.", 'none'),
  CLIENT_KEY: { ...honoured(text, 'Path of a PEM file: its key.', 'none'), secret: true },
  INSECURE: honoured(flag, '`true`: plain text for a gRPC endpoint without a scheme.', '`false`'),
} as const satisfies Record<string, Variable>;

/** What is to say about a variable of OpenTelemetry; undefined where it is none that we know. */
export function variableOf(name: string): Variable | undefined {
  const suffix = /^OTEL_EXPORTER_OTLP_(?:(?:TRACES|METRICS|LOGS)_)?(\w+)$/.exec(name)?.[1];
  return (specification as Record<string, Variable>)[name] ?? (otlp as Record<string, Variable>)[suffix ?? ''];
}

export type OtlpSuffix = keyof typeof otlp;
export const SIGNALS = ['TRACES', 'METRICS', 'LOGS'] as const;
export type OtlpSignal = (typeof SIGNALS)[number];

/** Of OpenTelemetry's JavaScript packages, and of those in Python whose names HTTP options follow. */
export const node = {
  OTEL_NODE_ENABLED_INSTRUMENTATIONS: {
    status: 'honoured',
    about:
      'Comma-separated names without `@opentelemetry/instrumentation-`: of the installed instrumentations these alone are enabled.',
    otherwise: 'all but `fs` and `host-metrics`',
  },
  OTEL_NODE_DISABLED_INSTRUMENTATIONS: {
    status: 'honoured',
    about: 'The same names: these are not enabled. It wins over `OTEL_NODE_ENABLED_INSTRUMENTATIONS`.',
    otherwise: 'none',
  },
  OTEL_NODE_RESOURCE_DETECTORS: {
    status: 'honoured',
    about:
      "`all`, `none`, or some of `container`, `env`, `host`, `os`, `process`, `serviceinstance`. Those of clouds are not: a Collector's `resourcedetection` adds their attributes. The attributes that tell a worker from its siblings stay.",
    otherwise: '`all`',
  },
  OTEL_NODE_EXCLUDED_URLS: {
    status: 'honoured',
    about: 'Comma-separated regular expressions, searched in `scheme://host/path`: no span, no metric.',
    otherwise: 'none',
  },
  OTEL_NODE_HTTP_EXCLUDED_URLS: {
    status: 'honoured',
    about: 'The same, instead of `OTEL_NODE_EXCLUDED_URLS`; the middle word is `http.excludeUrlsEnvKey`.',
    otherwise: 'none',
  },
  OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS: {
    status: 'honoured',
    about: 'Comma-separated methods that are recorded as they are; others are `_OTHER`.',
    otherwise: 'the standard ones',
  },
} as const satisfies Record<string, Variable>;

/** Variables that forktrace reads beside those of options. */
export const own = {
  FORKTRACE_VIEWER_URL: 'The OTLP/gRPC URL of a viewer that runs; set by the coordinator for its workers.',
  FORKTRACE_VIEWER_TOKEN: 'The token that the viewer asks for.',
  FORKTRACE_CONFIG_FILE:
    'A file with options: JSON, or a module whose default export they are. Options in code beat it, it beats the other variables.',
  FORKTRACE_QUIET:
    '1 or true: a start does not say where the app serves and where spans go. Warnings and errors are said all the same.',
  FORKTRACE_RUN_DIR: "The directory of the coordinator's control socket.",
  FORKTRACE_SLOT: 'Set by the coordinator for a worker.',
  FORKTRACE_INCARNATION: 'Set by the coordinator for a worker.',
  FORKTRACE_STDOUT: "Set by the coordinator for a worker whose standard output it reads: the terminal's size, or `no`.",
  FORKTRACE_STDERR: "Set by the coordinator for a worker whose standard error it reads: the terminal's size, or `no`.",
  FORKTRACE_IDENTITY_PID: 'Set by a worker of pm2 for itself.',
  FORKTRACE_CONTEXT_PID: 'Set by `tracedFork` for the child.',
} as const satisfies Record<`FORKTRACE_${string}`, string>;

/** Those of the host, which are the app's as much as ours: looked at only where we serve. */
export const host = {
  PORT: portOrPath,
  WEB_CONCURRENCY: called(`${whole(1, 1024).expected}, or auto`, whole(1, 1024)),
} as const;
