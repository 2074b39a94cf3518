import {
  type Attributes,
  type Context,
  context as contextApi,
  createContextKey,
  diag,
  INVALID_SPAN_CONTEXT,
  type Link,
  type Span,
  SpanKind,
  type SpanOptions,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import type { IdGenerator, ReadableSpan, Sampler, SpanProcessor } from '@opentelemetry/sdk-trace-base';
import type { ResolvedSpanLimits } from '../config/resolved.js';
import { encodeScopeFields, type Scope } from '../journal/encoder.js';
import type { SpanLog } from '../journal/span-log.js';
import { validAttributes } from './attribute-rules.js';
import { clock } from './clock.js';
import { hexToWord, randomWord } from './ids.js';
import { LeanSpan } from './span.js';
import { readTimeInput } from './time-input.js';

/** What `suppressTracing` of @opentelemetry/core sets: context keys of one description are one key. */
const SUPPRESS_TRACING = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

// SamplingDecision of the SDK, which is not imported here.
const NOT_RECORD = 0;
const RECORD_AND_SAMPLED = 2;

/** What all tracers of a provider share. */
export interface TracerShared {
  readonly resource: ReadableSpan['resource'];
  readonly limits: ResolvedSpanLimits;
  /** undefined: parent-based, always on at the root, decided without a call. */
  readonly sampler: Sampler | undefined;
  /** undefined: random ids from the pool. */
  readonly idGenerator: IdGenerator | undefined;
  readonly processor: SpanProcessor | undefined;
  readonly spanLog: SpanLog | undefined;
}

export class LeanTracer implements Tracer {
  readonly resource: ReadableSpan['resource'];
  readonly limits: ResolvedSpanLimits;
  readonly processor: SpanProcessor | undefined;
  readonly spanLog: SpanLog | undefined;
  readonly instrumentationScope: Scope;
  /** The fields of a ScopeSpans message that come before its spans. */
  readonly scopeFields: Uint8Array;
  readonly #sampler: Sampler | undefined;
  readonly #idGenerator: IdGenerator | undefined;

  constructor(scope: Scope, shared: TracerShared) {
    this.instrumentationScope = scope;
    this.scopeFields = encodeScopeFields(scope);
    this.resource = shared.resource;
    this.limits = shared.limits;
    this.processor = shared.processor;
    this.spanLog = shared.spanLog;
    this.#sampler = shared.sampler;
    this.#idGenerator = shared.idGenerator;
  }

  startSpan(name: string, options: SpanOptions = {}, parentContext: Context = contextApi.active()): Span {
    const context = options.root ? trace.deleteSpan(parentContext) : parentContext;
    if (context.getValue(SUPPRESS_TRACING) === true) return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);

    const span = new LeanSpan(this, name, options.kind ?? SpanKind.INTERNAL);
    const parent = trace.getSpan(context);
    // At the root the default decision is to sample; below it, the parent's.
    let sampledByDefault: number = TraceFlags.SAMPLED;
    if (parent instanceof LeanSpan) {
      sampledByDefault = parent.traceFlags & TraceFlags.SAMPLED;
      childOf(span, parent);
    } else if (parent !== undefined) {
      const remote = parent.spanContext();
      if (trace.isSpanContextValid(remote)) {
        sampledByDefault = remote.traceFlags & TraceFlags.SAMPLED;
        setTraceId(span, remote.traceId);
        span.hasParent = true;
        span.parentIsRemote = remote.isRemote === true;
        span.parent0 = hexToWord(remote.spanId, 0);
        span.parent1 = hexToWord(remote.spanId, 8);
        span.traceState = remote.traceState;
      }
    }
    this.#generateIds(span);

    let attributes = options.attributes;
    if (this.#sampler === undefined) {
      span.traceFlags = sampledByDefault;
      if (sampledByDefault === TraceFlags.NONE) return trace.wrapSpanContext(span.spanContext());
    } else {
      const links: Link[] = (options.links ?? []).map((link) => ({
        context: link.context,
        attributes: validAttributes(link.attributes),
      }));
      const valid = validAttributes(attributes);
      const result = this.#sampler.shouldSample(context, span.traceId, name, span.kind, valid, links);
      span.traceState = result.traceState ?? span.traceState;
      span.traceFlags = result.decision === RECORD_AND_SAMPLED ? TraceFlags.SAMPLED : TraceFlags.NONE;
      if (result.decision === NOT_RECORD) return trace.wrapSpanContext(span.spanContext());
      attributes = Object.assign(valid, result.attributes);
    }

    if (options.startTime !== undefined && readTimeInput(options.startTime)) span.startTimeGiven = true;
    else clock.read();
    span.startSeconds = clock.seconds;
    span.startNanoseconds = clock.nanoseconds;
    if (options.links !== undefined) span.addLinks(options.links);
    if (attributes !== undefined) setStartAttributes(span, attributes);
    span.started(context);
    return span;
  }

  #generateIds(span: LeanSpan): void {
    const generator = this.#idGenerator;
    if (generator !== undefined) {
      const spanId = generator.generateSpanId();
      span.span0 = hexToWord(spanId, 0);
      span.span1 = hexToWord(spanId, 8);
      if (!span.hasParent) setTraceId(span, generator.generateTraceId());
      return;
    }
    // The all-zero id is invalid (W3C Trace Context, sections 3.2.2.3 and 3.2.2.4), and as likely as any other.
    do {
      span.span0 = randomWord();
      span.span1 = randomWord();
    } while ((span.span0 | span.span1) === 0);
    if (span.hasParent) return;
    do {
      span.trace0 = randomWord();
      span.trace1 = randomWord();
      span.trace2 = randomWord();
      span.trace3 = randomWord();
    } while ((span.trace0 | span.trace1 | span.trace2 | span.trace3) === 0);
  }

  startActiveSpan<F extends (span: Span) => unknown>(name: string, fn: F): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(name: string, options: SpanOptions, fn: F): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    context: Context,
    fn: F,
  ): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    second: F | SpanOptions,
    third?: F | Context,
    fourth?: F,
  ): ReturnType<F> | undefined {
    const fn = (fourth ?? third ?? second) as ((span: Span) => ReturnType<F>) | undefined;
    // The SDK's own tracer does the same with too few arguments.
    if (fn === undefined) return undefined;
    const options = third === undefined ? undefined : (second as SpanOptions);
    const parent = (fourth === undefined ? undefined : (third as Context)) ?? contextApi.active();
    const span = this.startSpan(name, options, parent);
    return contextApi.with(trace.setSpan(parent, span), fn, undefined, span);
  }
}

function childOf(span: LeanSpan, parent: LeanSpan): void {
  span.hasParent = true;
  span.trace0 = parent.trace0;
  span.trace1 = parent.trace1;
  span.trace2 = parent.trace2;
  span.trace3 = parent.trace3;
  span.parent0 = parent.span0;
  span.parent1 = parent.span1;
  span.traceState = parent.traceState;
}

function setTraceId(span: LeanSpan, traceId: string): void {
  span.trace0 = hexToWord(traceId, 0);
  span.trace1 = hexToWord(traceId, 8);
  span.trace2 = hexToWord(traceId, 16);
  span.trace3 = hexToWord(traceId, 24);
}

/** As `setAttributes`, but arrays are copied: the caller may go on using his. */
function setStartAttributes(span: LeanSpan, attributes: Attributes): void {
  for (const key in attributes) {
    if (!Object.hasOwn(attributes, key)) continue;
    const value = attributes[key];
    if (value == null) continue;
    if (key === '') diag.warn('Invalid attribute key: it is empty');
    else span.setAttribute(key, Array.isArray(value) ? (value.slice() as typeof value) : value);
  }
}
