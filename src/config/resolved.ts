/**
 * The one configuration that every part reads: user config and environment, validated, defaulted and frozen.
 * Nothing here needs the OpenTelemetry SDK: samplers and propagators from the environment are names until a
 * worker builds them.
 *
 * @module
 */
import type { ListenOptions } from 'node:net';
import type { Attributes, Meter, MeterProvider, TextMapPropagator, TracerProvider } from '@opentelemetry/api';
import type { IdGenerator, Resource, Sampler, SpanExporter } from '../sdk/types.js';
import type { HeadersFunction } from './headers.js';
import type { ValuesOf } from './option.js';
import type { forensic } from './options/forensics.js';
import type { journaling } from './options/journal.js';
import type { logging } from './options/logs.js';
import type { tracing } from './options/tracing.js';
import type {
  ExportDestination,
  Hooks,
  HttpTracingConfig,
  PipelineName,
  SuperviseConfig,
  TracingConfig,
  ViewerConfig,
} from './types.js';

/** A sampler by its `OTEL_TRACES_SAMPLER` name. */
export interface NamedSampler {
  readonly name:
    | 'always_on'
    | 'always_off'
    | 'traceidratio'
    | 'parentbased_always_on'
    | 'parentbased_always_off'
    | 'parentbased_traceidratio'
    | 'jaeger_remote'
    | 'parentbased_jaeger_remote'
    | 'xray';
  /** 0..1, for the ratio samplers. */
  readonly ratio: number;
  /**
   * OTEL_TRACES_SAMPLER_ARG of the remote ones: endpoint, polling interval, initial rate; and `service.name`.
   */
  readonly remote?: Readonly<Record<string, string>>;
}

/** A propagator by its `OTEL_PROPAGATORS` name. */
export type PropagatorName =
  | 'tracecontext'
  | 'baggage'
  | 'b3'
  | 'b3multi'
  | 'jaeger'
  | 'xray'
  | 'xray-lambda'
  | 'ottrace';

/** Where one signal goes. */
export interface ResolvedExport {
  readonly to: ExportDestination;
  /**
   * Full URL for HTTP, `http(s)://host:port` for gRPC; undefined for console, none, and a viewer that is yet
   * to start.
   */
  readonly url: string | undefined;
  /** Nobody has said the protocol of the endpoint: it may be this one as well. */
  readonly otherwise?: { readonly to: 'otlp-http'; readonly url: string };
  /** Print what is exported, too. @default false */
  readonly print?: boolean;
  /** OTLP/HTTP's bodies. @default 'protobuf' */
  readonly encoding?: 'protobuf' | 'json';
  /** Secret: never in a message. As they are now; see {@link headersFrom}. */
  readonly headers: Readonly<Record<string, string>>;
  /** Where headers are read anew, beside `fixed` ones. A function is not there in another process. */
  readonly headersFrom?: {
    readonly fixed: Readonly<Record<string, string>>;
    readonly file?: string;
    readonly call?: HeadersFunction;
  };
  readonly compression: 'none' | 'gzip';
  readonly timeoutMs: number;
  /** Most bytes of a request of the shipper, before compression. @default 2 MiB */
  readonly maxRequestBytes?: number;
  /** Undefined: as the destination is. */
  readonly gatherMs?: number;
  /** PEM contents. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly insecure?: boolean };
  /** Files that `tls` is read from, anew. */
  readonly tlsFiles?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  /** Where log records go; undefined while logs are off. */
  readonly logs?: ResolvedExport | undefined;
}

/** The journal's options; `dir` is `<parent>/<service>`: this service's journal directory. */
export type ResolvedJournal = ValuesOf<typeof journaling.journal.entries> & { readonly dir: string };

export type ResolvedSpanLimits = ValuesOf<typeof tracing.spanLimits.entries>;

/** Of the SDK's BatchSpanProcessor. */
export interface ResolvedBatch {
  readonly maxQueueSize: number;
  readonly maxExportBatchSize: number;
  readonly scheduledDelayMillis: number;
  readonly exportTimeoutMillis: number;
}

export interface ResolvedMetrics {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  readonly runtime: boolean;
  readonly export: ResolvedExport;
}

/** Where log records go is `export.logs`. */
export type ResolvedLogs = Omit<ValuesOf<typeof logging.logs.entries>, 'url'>;

/** Whether the address at a distance (0 is the peer) is a proxy to be believed. */
export type TrustProxy = (address: string, distance: number) => boolean;

/** The options of HTTP server spans, compiled. */
export interface ResolvedHttp
  extends Readonly<
    Pick<
      HttpTracingConfig,
      | 'ignoreIncomingRequestHook'
      | 'spanDetails'
      | 'serverRequestHook'
      | 'responseHook'
      | 'applyCustomAttributesOnSpan'
      | 'clientRequestHook'
      | 'clientResponseHook'
      | 'tracerProvider'
      | 'meterProvider'
      | 'meter'
    >
  > {
  /** Tested on `scheme://host/path`; without flags that hold a position. */
  readonly excludedUrls: readonly RegExp[];
  readonly requireParentforIncomingSpans: boolean;
  readonly messageSpans: boolean;
  readonly excludeSpans: readonly ('receive' | 'send')[];
  readonly redactQueryParams: readonly string[];
  readonly trustIncomingContext: boolean;
  /** undefined: no proxy is trusted. */
  readonly trustProxy: TrustProxy | undefined;
  readonly captureHeaders: {
    readonly request: readonly string[];
    readonly response: readonly string[];
    readonly sanitize: readonly RegExp[];
  };
  readonly responseHeader: false | 'traceresponse' | 'traceparent';
  readonly knownMethods: ReadonlySet<string>;
}

/** What tracing in this process was configured to, from code, environment and defaults. */
export interface ResolvedConfig {
  readonly disabled: boolean;
  readonly serviceName: string;
  readonly serviceVersion: string | undefined;
  /** From config: wins over everything. */
  readonly resource: Attributes | Resource | undefined;
  /** From OTEL_RESOURCE_ATTRIBUTES, decoded. */
  readonly environmentResource: Attributes;
  readonly workers: number;
  readonly listen: ListenOptions;
  readonly pipeline: PipelineName;
  readonly export: ResolvedExport;
  readonly exporter: (() => SpanExporter) | undefined;
  readonly journal: ResolvedJournal;
  readonly ship: 'process' | 'inline';
  readonly sampler: Sampler | NamedSampler;
  readonly spanLimits: ResolvedSpanLimits;
  readonly batch: ResolvedBatch;
  readonly idGenerator: IdGenerator | undefined;
  readonly propagators: readonly (TextMapPropagator | PropagatorName)[];
  readonly spanProcessors: TracingConfig['spanProcessors'];
  readonly tracerProvider: TracerProvider | undefined;
  readonly meterProvider: MeterProvider | undefined;
  readonly meter: Meter | undefined;
  /** undefined: no MeterProvider is set up. */
  readonly metrics: ResolvedMetrics | undefined;
  /** undefined: log records are not kept. */
  readonly logs: ResolvedLogs | undefined;
  /** Nobody has said whether logs are wanted, and they are off. */
  readonly logsUnasked: boolean;
  readonly instrumentations: TracingConfig['instrumentations'];
  readonly rootSpan: boolean;
  readonly outgoing: boolean;
  readonly http: ResolvedHttp;
  readonly hooks: Hooks & { readonly timeoutMs: number };
  readonly supervise: Readonly<Required<SuperviseConfig>>;
  readonly forensics: ValuesOf<typeof forensic.forensics.entries>;
  /** undefined: no viewer is started. */
  readonly viewer: Readonly<Required<ViewerConfig>> | undefined;
  /** What becomes of exceptions while logs are on; undefined: events of their spans alone. */
  readonly exceptionSignal: 'logs' | 'logs/dup' | undefined;
  /** OTEL_LOG_LEVEL; undefined: OpenTelemetry's internal logger stays off. */
  readonly logLevel: 'none' | 'error' | 'warn' | 'info' | 'debug' | 'verbose' | 'all' | undefined;
}
