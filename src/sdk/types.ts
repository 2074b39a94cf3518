/**
 * What forktrace takes from users and gives to them, in the shape of OpenTelemetry's SDK. The types are structural, so that
 * samplers, processors and exporters of the SDK's 2.x and 3.x lines fit alike, whichever is installed, or none.
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
  readonly attributes: Attributes;
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
  name: string;
  version?: string;
  schemaUrl?: string;
}

/** An event of a span. */
export interface TimedEvent {
  time: HrTime;
  name: string;
  attributes?: Attributes;
  droppedAttributesCount?: number;
}

/** A span as processors and exporters read it. */
export interface ReadableSpan {
  readonly name: string;
  readonly kind: SpanKind;
  readonly spanContext: () => SpanContext;
  readonly parentSpanContext?: SpanContext;
  readonly startTime: HrTime;
  readonly endTime: HrTime;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
  readonly links: Link[];
  readonly events: TimedEvent[];
  readonly duration: HrTime;
  readonly ended: boolean;
  readonly resource: Resource;
  readonly instrumentationScope: InstrumentationScope;
  readonly droppedAttributesCount: number;
  readonly droppedEventsCount: number;
  readonly droppedLinksCount: number;
}

/** A span that has not ended: what `onStart` and `onEnding` of a processor get. */
export type SdkSpan = ApiSpan & ReadableSpan;

/** Sees each sampled span start and end. Its methods return at once: they run in the application's code. */
export interface SpanProcessor {
  onStart(span: SdkSpan, parentContext: Context): void;
  /** Called before the span ends: it can still be changed. */
  onEnding?(span: SdkSpan): void;
  onEnd(span: ReadableSpan): void;
  forceFlush(): Promise<void>;
  shutdown(): Promise<void>;
}

/** The outcome that an exporter reports: code 0 is success, 1 is failure. */
export interface ExportResult {
  code: number;
  error?: Error;
}

/** Sends ended spans somewhere. */
export interface SpanExporter {
  export(spans: ReadableSpan[], resultCallback: (result: ExportResult) => void): void;
  shutdown(): Promise<void>;
  forceFlush?(): Promise<void>;
}

/** What a sampler decides for a span. */
export interface SamplingResult {
  /** 0: not recorded; 1: recorded, not sampled; 2: recorded and sampled. */
  decision: number;
  attributes?: Readonly<Attributes>;
  traceState?: TraceState;
}

/** Decides whether a span is recorded. */
export interface Sampler {
  shouldSample(
    context: Context,
    traceId: string,
    spanName: string,
    spanKind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult;
  toString(): string;
}

/** Makes ids: 32 and 16 lower-case hexadecimal digits. */
export interface IdGenerator {
  generateTraceId(): string;
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
