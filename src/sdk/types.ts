/**
 * What forktrace takes from users and gives to them, in the shape of OpenTelemetry's SDK. The types are
 * structural, so that samplers, processors and exporters of the SDK's 2.x and 3.x lines fit alike, whichever
 * is installed, or none.
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

/** What produces telemetry: attributes, some of which may still be promises. */
export interface Resource {
  /** True while an attribute is a promise that has not settled. */
  readonly asyncAttributesPending?: boolean;
  /** Those that are known by now. */
  readonly attributes: Attributes;
  /** Of the conventions that the names follow. */
  readonly schemaUrl?: string;
  /** Resolves when every attribute is known. Never rejects. */
  waitForAsyncAttributes?(): Promise<void>;
  /** A new resource with the attributes of both; the other one's win. */
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
  /** Of the conventions that its names follow. */
  schemaUrl?: string;
}

/** An event of a span. */
export interface TimedEvent {
  /** When it happened, as `[seconds, nanoseconds]` since the epoch. */
  time: HrTime;
  /** For example `exception`. */
  name: string;
  /** What is known about it. */
  attributes?: Attributes;
  /** Attributes beyond the span limits. */
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
  /** Of the span above; undefined: it is the root of its trace. */
  readonly parentSpanContext?: SpanContext;
  /** As `[seconds, nanoseconds]` since the epoch. */
  readonly startTime: HrTime;
  /** As `[seconds, nanoseconds]` since the epoch; `[0, 0]` before it has ended. */
  readonly endTime: HrTime;
  /** UNSET, OK, or ERROR with a message. */
  readonly status: SpanStatus;
  /** What is known about it. */
  readonly attributes: Attributes;
  /** To spans that are not above it. */
  readonly links: Link[];
  /** In the order in which they were added. */
  readonly events: TimedEvent[];
  /** As `[seconds, nanoseconds]`. */
  readonly duration: HrTime;
  /** Whether `end()` was called. */
  readonly ended: boolean;
  /** Of the process. */
  readonly resource: Resource;
  /** The library that created it. */
  readonly instrumentationScope: InstrumentationScope;
  /** Attributes beyond the span limits. */
  readonly droppedAttributesCount: number;
  /** Events beyond the span limits. */
  readonly droppedEventsCount: number;
  /** Links beyond the span limits. */
  readonly droppedLinksCount: number;
}

/** A span that has not ended: what `onStart` and `onEnding` of a processor get. */
export type SdkSpan = ApiSpan & ReadableSpan;

/** Sees each sampled span start and end. Its methods return at once: they run in the application's code. */
export interface SpanProcessor {
  /** Called in the call that starts the span. */
  onStart(span: SdkSpan, parentContext: Context): void;
  /** Called before the span ends: it can still be changed. */
  onEnding?(span: SdkSpan): void;
  /** Called when the span has ended. */
  onEnd(span: ReadableSpan): void;
  /** Resolves when what has ended was handed on. */
  forceFlush(): Promise<void>;
  /** Called once, at the end. Resolves when everything was handed on. */
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
  /** Sends spans, and calls back when that is done or has failed. */
  export(spans: ReadableSpan[], resultCallback: (result: ExportResult) => void): void;
  /** Called once, at the end. */
  shutdown(): Promise<void>;
  /** Resolves when what it holds was sent. */
  forceFlush?(): Promise<void>;
}

/** What a sampler decides for a span. */
export interface SamplingResult {
  /** 0: not recorded; 1: recorded, not sampled; 2: recorded and sampled. */
  decision: number;
  /** Added to the span. */
  attributes?: Readonly<Attributes>;
  /** The span's; undefined: that of its parent. */
  traceState?: TraceState;
}

/** Decides whether a span is recorded. */
export interface Sampler {
  /** Called before each span is made, in the call that starts it. */
  shouldSample(
    context: Context,
    traceId: string,
    spanName: string,
    spanKind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult;
  /** For messages. */
  toString(): string;
}

/** Makes ids: 32 and 16 lower-case hexadecimal digits. */
export interface IdGenerator {
  /** 32 lower-case hex digits, not all of them 0. */
  generateTraceId(): string;
  /** 16 lower-case hex digits, not all of them 0. */
  generateSpanId(): string;
}

/** Bounds of a span. Sources and defaults: https://opentelemetry.io/docs/specs/otel/trace/sdk/#span-limits */
export interface SpanLimits {
  /** UTF-16 code units of an attribute's text. @default Infinity */
  attributeValueLengthLimit?: number;
  /** @default 128 */
  attributeCountLimit?: number;
  /** @default 128 */
  linkCountLimit?: number;
  /** @default 128 */
  eventCountLimit?: number;
  /** @default 128 */
  attributePerEventCountLimit?: number;
  /** @default 128 */
  attributePerLinkCountLimit?: number;
}
