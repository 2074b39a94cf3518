/**
 * The one configuration that every part reads: user config and environment, validated, defaulted and frozen.
 * Nothing here needs the OpenTelemetry SDK: samplers and propagators from the environment are names until a worker builds them.
 *
 * @module
 */
import type { ListenOptions } from 'node:net';
import type { Attributes, Meter, MeterProvider, TextMapPropagator, TracerProvider } from '@opentelemetry/api';
import type { HttpTracingConfig } from '../http/types.js';
import type { IdGenerator, Resource, Sampler, SpanExporter, SpanProcessor } from '../sdk/types.js';
import type {
  ExportDestination,
  Hooks,
  InstrumentationLike,
  PipelineName,
  SuperviseConfig,
  ViewerConfig,
} from './types.js';

/** A sampler by its `OTEL_TRACES_SAMPLER` name. */
export interface NamedSampler {
  name:
    | 'always_on'
    | 'always_off'
    | 'traceidratio'
    | 'parentbased_always_on'
    | 'parentbased_always_off'
    | 'parentbased_traceidratio';
  /** 0..1, for the ratio samplers. */
  ratio: number;
}

/** A propagator by its `OTEL_PROPAGATORS` name. */
export type PropagatorName = 'tracecontext' | 'baggage' | 'b3' | 'b3multi' | 'jaeger';

export interface ResolvedExport {
  readonly to: ExportDestination;
  /** Full URL for HTTP, `http(s)://host:port` for gRPC; undefined for console, none, and a viewer that is yet to start. */
  readonly url: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly compression: 'none' | 'gzip';
  readonly timeoutMs: number;
  /** PEM contents. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string; readonly insecure?: boolean };
}

export interface ResolvedJournal {
  /** `<parent>/<service>`: this service's journal directory. */
  readonly dir: string;
  readonly maxBytes: number;
  readonly mode: 'auto' | 'mmap' | 'write';
  readonly segmentBytes: number;
  readonly inFlight: number;
}

export interface ResolvedSpanLimits {
  readonly attributeValueLengthLimit: number;
  readonly attributeCountLimit: number;
  readonly linkCountLimit: number;
  readonly eventCountLimit: number;
  readonly attributePerEventCountLimit: number;
  readonly attributePerLinkCountLimit: number;
}

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
  readonly spanProcessors: (() => SpanProcessor[]) | undefined;
  readonly tracerProvider: TracerProvider | undefined;
  readonly meterProvider: MeterProvider | undefined;
  readonly meter: Meter | undefined;
  /** undefined: no MeterProvider is set up. */
  readonly metrics: ResolvedMetrics | undefined;
  readonly instrumentations: (() => InstrumentationLike[]) | undefined;
  readonly outgoing: boolean;
  readonly http: HttpTracingConfig;
  readonly hooks: Hooks & { readonly timeoutMs: number };
  readonly supervise: Readonly<Required<SuperviseConfig>>;
  /** undefined: no viewer is started. */
  readonly viewer: Readonly<Required<ViewerConfig>> | undefined;
  /** OTEL_LOG_LEVEL; undefined: OpenTelemetry's internal logger stays off. */
  readonly logLevel: 'none' | 'error' | 'warn' | 'info' | 'debug' | 'verbose' | 'all' | undefined;
}
