/**
 * The types that forktrace shares with its users, in the shape of OpenTelemetry's SDK. They are structural:
 * samplers, processors and exporters of the SDK's 2.x and 3.x lines fit, whichever is installed, or none.
 *
 * Source: `@opentelemetry/sdk-trace` and `@opentelemetry/resources`.
 *
 * @module
 */
import type {
  Span as ApiSpan,
  Attributes,
  AttributeValue,
  Context,
  HrTime,
  Link,
  SpanContext,
  SpanKind,
  SpanStatus,
  TraceState,
} from '@opentelemetry/api';

/** The entity that produces telemetry, as attributes. Some may still be promises. */
export interface Resource {
  /** True while an attribute is a promise that has not settled. */
  readonly asyncAttributesPending?: boolean;
  /** The attributes that are known by now. */
  readonly attributes: Attributes;
  /** URL of the schema that the names follow. */
  readonly schemaUrl?: string;
  /** Resolves when every attribute is known. Never rejects. */
  waitForAsyncAttributes?(): Promise<void>;
  /** Makes a new resource with the attributes of both; those of `other` win. */
  merge(other: Resource | null): Resource;
  /** The attributes as they were given, promises among them. */
  getRawAttributes(): [string, AttributeValue | undefined | Promise<AttributeValue | undefined>][];
}

/** The library that created a span. */
export interface InstrumentationScope {
  /** For example `@opentelemetry/instrumentation-pg`. */
  name: string;
  /** Its version. */
  version?: string;
  /** URL of the schema that its names follow. */
  schemaUrl?: string;
}

/** An event of a span. */
export interface TimedEvent {
  /** When it happened, as `[seconds, nanoseconds]` since the epoch. */
  time: HrTime;
  /** For example `exception`. */
  name: string;
  /** Attributes of the event. */
  attributes?: Attributes;
  /** Number of attributes that exceeded the span limits. */
  droppedAttributesCount?: number;
}

/** A span as processors and exporters read it. */
export interface ReadableSpan {
  /** For example `GET /orders/:id`. */
  readonly name: string;
  /** SERVER, CLIENT, INTERNAL, PRODUCER or CONSUMER. */
  readonly kind: SpanKind;
  /** Trace id, span id and flags. */
  readonly spanContext: () => SpanContext;
  /** Context of the parent span; undefined for the root of a trace. */
  readonly parentSpanContext?: SpanContext;
  /** As `[seconds, nanoseconds]` since the epoch. */
  readonly startTime: HrTime;
  /** As `[seconds, nanoseconds]` since the epoch; `[0, 0]` before it has ended. */
  readonly endTime: HrTime;
  /** UNSET, OK, or ERROR with a message. */
  readonly status: SpanStatus;
  /** Attributes of the span. */
  readonly attributes: Attributes;
  /** Links to other spans. */
  readonly links: Link[];
  /** Events, in the order in which they were added. */
  readonly events: TimedEvent[];
  /** As `[seconds, nanoseconds]`. */
  readonly duration: HrTime;
  /** Whether `end()` was called. */
  readonly ended: boolean;
  /** Resource of the process. */
  readonly resource: Resource;
  /** The library that created it. */
  readonly instrumentationScope: InstrumentationScope;
  /** Number of attributes that exceeded the span limits. */
  readonly droppedAttributesCount: number;
  /** Number of events that exceeded the span limits. */
  readonly droppedEventsCount: number;
  /** Number of links that exceeded the span limits. */
  readonly droppedLinksCount: number;
}

/** A span that has not ended, as the methods `onStart` and `onEnding` of a processor get it. */
export type SdkSpan = ApiSpan & ReadableSpan;

/**
 * Sees each sampled span start and end. Its methods run in the application's code, so they must return at
 * once.
 */
export interface SpanProcessor {
  /** Called when a span starts, within that call. */
  onStart(span: SdkSpan, parentContext: Context): void;
  /** Called just before a span ends, while it can still be changed. */
  onEnding?(span: SdkSpan): void;
  /** Called when the span has ended. */
  onEnd(span: ReadableSpan): void;
  /** Resolves when all ended spans have been passed on. */
  forceFlush(): Promise<void>;
  /** Called once, at the end. Resolves when all spans have been passed on. */
  shutdown(): Promise<void>;
}

/** The outcome that an exporter reports: code 0 is success, 1 is failure. */
export interface ExportResult {
  /** 0: exported; 1: failed. */
  code: number;
  /** Why it failed. */
  error?: Error;
}

/** Sends ended spans somewhere. */
export interface SpanExporter {
  /** Sends spans, and calls back when they have been sent or that has failed. */
  export(spans: ReadableSpan[], resultCallback: (result: ExportResult) => void): void;
  /** Called once, at the end. */
  shutdown(): Promise<void>;
  /** Resolves when all spans that it holds have been sent. */
  forceFlush?(): Promise<void>;
}

/** What a sampler decides for a span. */
export interface SamplingResult {
  /** 0: not recorded; 1: recorded, not sampled; 2: recorded and sampled. */
  decision: number;
  /** Attributes that are added to the span. */
  attributes?: Readonly<Attributes>;
  /** Trace state of the span; undefined: that of its parent. */
  traceState?: TraceState;
}

/** Decides whether a span is recorded. */
export interface Sampler {
  /** Called before each span is made, within the call that starts it. */
  shouldSample(
    context: Context,
    traceId: string,
    spanName: string,
    spanKind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult;
  /** Description for messages. */
  toString(): string;
}

/** Makes ids: 32 and 16 lower-case hexadecimal digits. */
export interface IdGenerator {
  /** 32 lower-case hex digits, not all of them 0. */
  generateTraceId(): string;
  /** 16 lower-case hex digits, not all of them 0. */
  generateSpanId(): string;
}
