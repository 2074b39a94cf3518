import { performance } from 'node:perf_hooks';
import {
  type Attributes,
  type AttributeValue,
  type Context,
  context,
  createContextKey,
  diag,
  INVALID_SPAN_CONTEXT,
  isSpanContextValid,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  TraceFlags,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { encodeScopeFields, type Scope } from '../journal/encoder.js';
import type { Memory } from '../wire/memory.js';
import type { AttributeBlock } from './attribute-block.js';
import { validAttributes } from './attribute-rules.js';
import { clock } from './clock.js';
import { hexToWord, randomWord, wordToHex } from './ids.js';
import { LeanSpan } from './span.js';
import { beginSpan, encodeBlock } from './span-encoding.js';
import type { SpanPipeline } from './span-pipeline.js';
import { UnsampledSpan } from './unsampled-span.js';

// Keys are symbols by name, the same in every copy of the API.
const SPAN_KEY = createContextKey('OpenTelemetry Context Key SPAN');
const SUPPRESS_KEY = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

const NO_OPTIONS: SpanOptions = Object.freeze({});

/** More than a prepared span has from `http/`, so that only what is set later can meet the limit. */
const PREPARED_ATTRIBUTES = 32;

/** Starts spans by the rules of the SDK's own tracer. */
export class LeanTracer implements Tracer {
  readonly instrumentationScope: Scope;
  readonly pipeline: SpanPipeline;
  /** What a ScopeSpans message of this tracer begins with. */
  readonly scopeFields: Memory;

  constructor(scope: Scope, pipeline: SpanPipeline) {
    this.instrumentationScope = scope;
    this.pipeline = pipeline;
    this.scopeFields = encodeScopeFields(scope);
  }

  startSpan(name: string, options: SpanOptions = NO_OPTIONS, parentContext: Context = context.active()): Span {
    const { pipeline } = this;
    if (parentContext.getValue(SUPPRESS_KEY) === true) {
      diag.debug('Instrumentation suppressed, returning Noop Span');
      return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    }
    const parent = options.root ? undefined : (parentContext.getValue(SPAN_KEY) as Span | undefined);
    if (pipeline.sampler !== undefined || pipeline.idGenerator !== undefined) {
      return this.#startBySampler(
        name,
        options,
        options.root ? trace.deleteSpan(parentContext) : parentContext,
        parent,
      );
    }
    // From here on: parent-based, always on, random ids.
    const kind = options.kind ?? SpanKind.INTERNAL;
    let span: LeanSpan;
    // Not all zeroes: that is no id (W3C Trace Context, "trace-id" and "parent-id").
    const span0 = randomWord();
    const span1 = randomWord() || 1;
    if (parent instanceof LeanSpan) {
      if (parent.traceFlags === TraceFlags.NONE)
        return new UnsampledSpan(parent.spanContext().traceId, parent.traceState);
      span = new LeanSpan(
        this,
        `${name}`,
        kind,
        parent.trace0,
        parent.trace1,
        parent.trace2,
        parent.trace3,
        span0,
        span1,
        parent.span0,
        parent.span1,
        TraceFlags.SAMPLED,
        parent.traceState,
        undefined,
        undefined,
      );
      this.#start(span, options, undefined);
    } else {
      const remote = parent?.spanContext();
      if (remote === undefined || !isSpanContextValid(remote)) {
        span = this.#root(`${name}`, kind, span0, span1);
      } else {
        if ((remote.traceFlags & TraceFlags.SAMPLED) === 0) return new UnsampledSpan(remote.traceId, remote.traceState);
        span = this.#childOf(remote, `${name}`, kind, span0, span1);
      }
      this.#start(span, options, undefined);
      if (span.parentContext === undefined || span.parentContext.isRemote === true) beginSpan(span);
    }
    if (pipeline.processors !== undefined) this.#processStart(span, options, parentContext);
    return span;
  }

  /** A block for {@link startPreparedSpan}; undefined where spans need the general case: a sampler, processors, narrow limits. */
  prepare(pairs: readonly unknown[]): AttributeBlock | undefined {
    const { sampler, idGenerator, processors, limits } = this.pipeline;
    if (sampler !== undefined || idGenerator !== undefined || processors !== undefined) return undefined;
    const { attributeCountLimit, attributeValueLengthLimit } = limits;
    if (attributeCountLimit < PREPARED_ATTRIBUTES || attributeValueLengthLimit !== Number.POSITIVE_INFINITY)
      return undefined;
    return encodeBlock(pairs);
  }

  /**
   * {@link startSpan} for `http/`, without options to look through and attributes to check.
   *
   * @param pairs key, value, key, value …: checked, distinct and not in `block`; undefined at the end is room for more.
   * The span takes the array over
   */
  startPreparedSpan(
    name: string,
    kind: SpanKind,
    pairs: unknown[],
    block: AttributeBlock,
    parentContext: Context,
  ): Span {
    const parent = parentContext.getValue(SPAN_KEY) as Span | undefined;
    if (parent instanceof LeanSpan || parentContext.getValue(SUPPRESS_KEY) === true) {
      const attributes: Attributes = {};
      for (const all of [block.pairs, pairs]) {
        for (let i = 0; i < all.length && all[i] !== undefined; i += 2)
          attributes[all[i] as string] = all[i + 1] as AttributeValue;
      }
      return this.startSpan(name, { kind, attributes }, parentContext);
    }
    const span0 = randomWord();
    const span1 = randomWord() || 1;
    const remote = parent?.spanContext();
    let span: LeanSpan;
    if (remote === undefined || !isSpanContextValid(remote)) {
      span = this.#root(name, kind, span0, span1);
    } else {
      if ((remote.traceFlags & TraceFlags.SAMPLED) === 0) return new UnsampledSpan(remote.traceId, remote.traceState);
      span = this.#childOf(remote, name, kind, span0, span1);
    }
    const now = performance.now();
    clock.check(now);
    span.startAtReading(now, clock.anchor);
    span.setPrepared(pairs, block);
    if (span.parentContext === undefined || span.parentContext.isRemote === true) beginSpan(span);
    return span;
  }

  #root(name: string, kind: SpanKind, span0: number, span1: number): LeanSpan {
    return new LeanSpan(
      this,
      name,
      kind,
      randomWord(),
      randomWord(),
      randomWord(),
      randomWord() || 1,
      span0,
      span1,
      0,
      0,
      TraceFlags.SAMPLED,
      undefined,
      undefined,
      undefined,
    );
  }

  #childOf(parent: SpanContext, name: string, kind: SpanKind, span0: number, span1: number): LeanSpan {
    const { traceId, spanId } = parent;
    return new LeanSpan(
      this,
      name,
      kind,
      hexToWord(traceId, 0),
      hexToWord(traceId, 8),
      hexToWord(traceId, 16),
      hexToWord(traceId, 24),
      span0,
      span1,
      hexToWord(spanId, 0),
      hexToWord(spanId, 8),
      TraceFlags.SAMPLED,
      parent.traceState,
      parent,
      undefined,
    );
  }

  /** Links, then time, then attributes, in the SDK's order. */
  #start(span: LeanSpan, options: SpanOptions, merged: Attributes | undefined): void {
    if (options.links !== undefined) span.addLinks(options.links);
    const now = performance.now();
    clock.check(now);
    if (options.startTime === undefined || options.startTime === null) span.startAtReading(now, clock.anchor);
    else span.startAtTime(options.startTime, clock.anchor);
    const attributes = merged ?? options.attributes;
    if (attributes !== undefined) span.setStartAttributes(attributes);
  }

  #processStart(span: LeanSpan, options: SpanOptions, parentContext: Context): void {
    const seen = options.root ? trace.deleteSpan(parentContext) : parentContext;
    try {
      for (const processor of this.pipeline.processors!) processor.onStart(span, seen);
    } catch (error) {
      diag.error('A span processor threw', error);
    }
  }

  /** The general case: a sampler or an id generator of the user's, which want hex, copies and contexts. */
  #startBySampler(name: string, options: SpanOptions, parentContext: Context, parent: Span | undefined): Span {
    const { idGenerator, sampler } = this.pipeline;
    const offered = parent?.spanContext();
    const parentSpanContext = offered !== undefined && isSpanContextValid(offered) ? offered : undefined;
    const spanId = idGenerator?.generateSpanId() ?? hex(2);
    const traceId = parentSpanContext?.traceId ?? idGenerator?.generateTraceId() ?? hex(4);
    const kind = options.kind ?? SpanKind.INTERNAL;
    const links: Link[] = (options.links ?? []).map((link) => ({
      context: link.context,
      attributes: validAttributes(link.attributes),
    }));
    const attributes = validAttributes(options.attributes);
    let traceState = parentSpanContext?.traceState;
    let traceFlags: number = TraceFlags.SAMPLED;
    if (sampler !== undefined) {
      const result = sampler.shouldSample(parentContext, traceId, name, kind, attributes, links);
      traceState = result.traceState ?? traceState;
      traceFlags = result.decision === RECORD_AND_SAMPLED ? TraceFlags.SAMPLED : TraceFlags.NONE;
      if (result.decision === NOT_RECORD) {
        diag.debug('Recording is off, propagating context in a non-recording span');
        return trace.wrapSpanContext({ traceId, spanId, traceFlags, traceState });
      }
      Object.assign(attributes, result.attributes);
    } else if (parentSpanContext !== undefined && (parentSpanContext.traceFlags & TraceFlags.SAMPLED) === 0) {
      return trace.wrapSpanContext({ traceId, spanId, traceFlags: TraceFlags.NONE, traceState });
    }
    const span = new LeanSpan(
      this,
      `${name}`,
      kind,
      hexToWord(traceId, 0),
      hexToWord(traceId, 8),
      hexToWord(traceId, 16),
      hexToWord(traceId, 24),
      hexToWord(spanId, 0),
      hexToWord(spanId, 8),
      parentSpanContext === undefined ? 0 : hexToWord(parentSpanContext.spanId, 0),
      parentSpanContext === undefined ? 0 : hexToWord(parentSpanContext.spanId, 8),
      traceFlags,
      traceState,
      parentSpanContext,
      { traceId, spanId, traceFlags, traceState },
    );
    this.#start(span, { links, startTime: options.startTime }, attributes);
    const isLocalRoot = parentSpanContext === undefined || parentSpanContext.isRemote === true;
    if (isLocalRoot && traceFlags !== TraceFlags.NONE) beginSpan(span);
    if (this.pipeline.processors !== undefined) this.#processStart(span, NO_OPTIONS, parentContext);
    return span;
  }

  startActiveSpan<F extends (span: Span) => unknown>(name: string, fn: F): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(name: string, options: SpanOptions, fn: F): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    options: SpanOptions,
    parentContext: Context,
    fn: F,
  ): ReturnType<F>;
  startActiveSpan<F extends (span: Span) => unknown>(
    name: string,
    second?: SpanOptions | F,
    third?: Context | F,
    fourth?: F,
  ): ReturnType<F> | undefined {
    const fn = fourth ?? third ?? second;
    if (typeof fn !== 'function') return undefined;
    const options = fn === second ? undefined : (second as SpanOptions | undefined);
    const parentContext = (fourth === undefined ? undefined : (third as Context | undefined)) ?? context.active();
    const span = this.startSpan(name, options, parentContext);
    return context.with(trace.setSpan(parentContext, span), fn as (span: Span) => ReturnType<F>, undefined, span);
  }
}

// SamplingDecision of the SDK.
const NOT_RECORD = 0;
const RECORD_AND_SAMPLED = 2;

function hex(words: number): string {
  let id = wordToHex(randomWord() | 1);
  for (let i = 1; i < words; i++) id += wordToHex(randomWord());
  return id;
}
