import { performance } from 'node:perf_hooks';
import { inspect } from 'node:util';
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
  ROOT_CONTEXT,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  type Tracer,
  type TraceState,
  trace,
} from '@opentelemetry/api';
import { encodeScopeFields, type Scope } from '../journal/encoder.js';
import { isPromise, reportFailure } from '../report-failure.js';
import type { Memory } from '../wire/memory.js';
import type { AttributeBlock } from './attribute-block.js';
import { validAttributes } from './attribute-rules.js';
import { clock } from './clock.js';
import { activeContext, contextStorage } from './context-storage.js';
import { hexToWord, randomWord } from './ids.js';
import { type InspectArguments, inspected, settledAttributes } from './inspected.js';
import { JournalSpan } from './journal-span.js';
import { newSpanId, newTraceId } from './new-ids.js';
import { ProcessedSpan } from './processed-span.js';
import { runWith } from './run-with.js';
import { NOT_RECORD, RECORD_AND_SAMPLED, samplingOf } from './sampling.js';
import { beginSpan, encodeBlock } from './span-encoding.js';
import { flagsOf, isSampled } from './trace-flags.js';
import type { SpanPipeline, TracerScope } from './tracer-scope.js';
import { UnsampledSpan } from './unsampled-span.js';

// Keys are symbols by name, the same in every copy of the API.
const SPAN_KEY = createContextKey('OpenTelemetry Context Key SPAN');
const SUPPRESS_KEY = createContextKey('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

const NO_OPTIONS: SpanOptions = Object.freeze({});

/** More than a prepared span has from `http/`, so that only what is set later can meet the limit. */
const PREPARED_ATTRIBUTES = 32;

/** Starts spans by the rules of the SDK's own tracer. Nothing here throws, whatever it is given. */
export class JournalTracer implements Tracer, TracerScope {
  readonly instrumentationScope: Scope;
  readonly pipeline: SpanPipeline;
  readonly scopeFields: Memory;
  /** A span needs no look at samplers, id generators and processors: there are none. */
  readonly #isPlain: boolean;

  constructor(scope: Scope, pipeline: SpanPipeline) {
    this.instrumentationScope = scope;
    this.pipeline = pipeline;
    this.scopeFields = encodeScopeFields(scope);
    const { sampler, idGenerator, processors } = pipeline;
    this.#isPlain = sampler === undefined && idGenerator === undefined && processors === undefined;
  }

  startSpan(name: string, options?: SpanOptions, parentContext?: Context): Span {
    const parent = parentContext ?? activeContext();
    try {
      return this.#startSpan(name, options ?? NO_OPTIONS, parent);
    } catch (error) {
      reportFailure('A span could not be started', error);
      return trace.wrapSpanContext(contextIn(parent) ?? INVALID_SPAN_CONTEXT);
    }
  }

  #startSpan(name: string, options: SpanOptions, parentContext: Context): Span {
    if (parentContext.getValue(SUPPRESS_KEY) === true) {
      diag.debug('Instrumentation suppressed, returning Noop Span');
      return trace.wrapSpanContext(INVALID_SPAN_CONTEXT);
    }
    const parent = options.root ? undefined : (parentContext.getValue(SPAN_KEY) as Span | undefined);
    if (!this.#isPlain) {
      return this.#startGeneral(name, options, options.root ? trace.deleteSpan(parentContext) : parentContext, parent);
    }
    // From here on: parent-based, always on, random ids.
    const kind = options.kind ?? SpanKind.INTERNAL;
    const text = typeof name === 'string' ? name : String(name);
    if (parent instanceof JournalSpan) {
      if (!isSampled(parent.traceFlags)) return this.#unsampled(parent.spanContext());
      const span = this.#newSpan(text, kind);
      this.pipeline.counts.child(RECORD_AND_SAMPLED, false);
      span.continueLocal(parent);
      this.#start(span, options);
      return span;
    }
    const remote = parent?.spanContext();
    if (isUnsampled(remote)) return this.#unsampled(remote);
    const span = this.#childOrRoot(text, kind, remote);
    this.#start(span, options);
    if (isLocalRoot(span.parentContext)) beginSpan(span);
    return span;
  }

  #newSpan(name: string, kind: SpanKind): JournalSpan {
    // Not all zeroes: that is no id (W3C Trace Context, "parent-id").
    return new JournalSpan(this, name, kind, randomWord(), randomWord() || 1);
  }

  #childOrRoot(name: string, kind: SpanKind, parent: SpanContext | undefined): JournalSpan {
    const span = this.#newSpan(name, kind);
    if (parent === undefined || !isSpanContextValid(parent)) {
      this.pipeline.counts.root(RECORD_AND_SAMPLED);
      span.startTrace();
    } else {
      this.pipeline.counts.child(RECORD_AND_SAMPLED, parent.isRemote === true);
      span.continueContext(parent);
    }
    return span;
  }

  #unsampled(parent: SpanContext): UnsampledSpan {
    this.pipeline.counts.child(NOT_RECORD, parent.isRemote === true);
    return new UnsampledSpan(parent);
  }

  /** Links, then time, then attributes, in the SDK's order. */
  #start(span: JournalSpan, options: SpanOptions): void {
    if (options.links !== undefined) span.addLinks(options.links);
    const now = performance.now();
    clock.check(now);
    if (options.startTime === undefined || options.startTime === null) span.startAtReading(now, clock.anchor);
    else span.startAtTime(options.startTime, clock.anchor);
    if (options.attributes !== undefined) span.setStartAttributes(options.attributes);
  }

  /**
   * A block for {@link startPreparedSpan}; undefined where spans need the general case: a sampler,
   * processors, narrow limits.
   */
  prepare(pairs: readonly unknown[]): AttributeBlock | undefined {
    if (!this.#isPlain) return undefined;
    const { attributeCountLimit, attributeValueLengthLimit } = this.pipeline.limits;
    if (attributeCountLimit < PREPARED_ATTRIBUTES || attributeValueLengthLimit !== Number.POSITIVE_INFINITY)
      return undefined;
    return encodeBlock(pairs);
  }

  /**
   * {@link startSpan} for `http/`, without options to look through and attributes to check.
   *
   * @param pairs key, value, key, value …: checked, distinct and not in `block`; undefined at the end is room
   * for more. The span takes the array over
   */
  startPreparedSpan(
    name: string,
    kind: SpanKind,
    pairs: unknown[],
    block: AttributeBlock,
    parentContext: Context,
  ): Span {
    const parent = parentContext.getValue(SPAN_KEY) as Span | undefined;
    if (parent instanceof JournalSpan || parentContext.getValue(SUPPRESS_KEY) === true) {
      const attributes: Attributes = {};
      for (const all of [block.pairs, pairs]) {
        for (let i = 0; i < all.length && all[i] !== undefined; i += 2)
          attributes[all[i] as string] = all[i + 1] as AttributeValue;
      }
      return this.startSpan(name, { kind, attributes }, parentContext);
    }
    const remote = parent?.spanContext();
    if (isUnsampled(remote)) return this.#unsampled(remote);
    const span = this.#childOrRoot(name, kind, remote);
    const now = performance.now();
    clock.check(now);
    span.startAtReading(now, clock.anchor);
    span.setPrepared(pairs, block);
    if (isLocalRoot(span.parentContext)) beginSpan(span);
    return span;
  }

  /** With a sampler, an id generator or processors of the user's, which want hex, copies and contexts. */
  #startGeneral(name: string, options: SpanOptions, parentContext: Context, parent: Span | undefined): Span {
    const offered = parent?.spanContext();
    const parentSpanContext = offered !== undefined && isSpanContextValid(offered) ? offered : undefined;
    const { sampler, idGenerator } = this.pipeline;
    const spanId = newSpanId(idGenerator);
    const traceId = parentSpanContext?.traceId ?? newTraceId(idGenerator);
    const kind = options.kind ?? SpanKind.INTERNAL;
    const links: Link[] = [];
    for (const link of options.links ?? []) {
      if (link) links.push({ context: link.context, attributes: validAttributes(link.attributes) });
    }
    const attributes = validAttributes(options.attributes);
    const asked = { traceId, name, kind, attributes, links };
    const decided = samplingOf(sampler, parentContext, parentSpanContext, asked);
    if (parentSpanContext === undefined) this.pipeline.counts.root(decided.decision);
    else this.pipeline.counts.child(decided.decision, parentSpanContext.isRemote === true);
    const traceState: TraceState | undefined = decided.traceState ?? parentSpanContext?.traceState;
    const traceFlags = flagsOf(decided.decision === RECORD_AND_SAMPLED, parentSpanContext);
    const spanContext = { traceId, spanId, traceFlags, traceState };
    if (decided.decision === NOT_RECORD) {
      diag.debug('Recording is off, propagating context in a non-recording span');
      return trace.wrapSpanContext(spanContext);
    }
    const all = validAttributes(Object.assign(attributes, decided.attributes));
    if (this.pipeline.processors !== undefined) {
      const span = new ProcessedSpan(this, String(name), kind, spanContext, parentSpanContext);
      span.addLinks(links);
      span.start(options.startTime);
      span.setAttributes(all);
      this.#processStart(span, parentContext);
      return span;
    }
    const span = new JournalSpan(this, String(name), kind, hexToWord(spanId, 0), hexToWord(spanId, 8));
    if (parentSpanContext === undefined) span.setTraceId(traceId);
    else span.continueContext(parentSpanContext);
    span.traceFlags = traceFlags;
    span.traceState = traceState;
    span.ownContext = spanContext;
    this.#start(span, { links, startTime: options.startTime, attributes: all });
    if (isSampled(traceFlags) && isLocalRoot(parentSpanContext)) beginSpan(span);
    return span;
  }

  #processStart(span: ProcessedSpan, parentContext: Context): void {
    for (const processor of this.pipeline.processors!) {
      try {
        isPromise(processor.onStart(span, parentContext), 'A span processor rejected in onStart');
      } catch (error) {
        reportFailure('A span processor threw in onStart', error);
      }
    }
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
    const parentContext = (fourth === undefined ? undefined : (third as Context | undefined)) ?? activeContext();
    const span = this.startSpan(name, options, parentContext);
    const active = trace.setSpan(parentContext, span);
    const run = fn as (span: Span) => ReturnType<F>;
    const storage = contextStorage();
    return storage === undefined ? context.with(active, run, undefined, span) : runWith(storage, active, run, span);
  }

  [inspect.custom](...args: InspectArguments): string {
    const { instrumentationScope, pipeline } = this;
    const fields = {
      instrumentationScope,
      resource: settledAttributes(pipeline.resource),
      spanLimits: pipeline.limits,
    };
    return inspected(this, fields, args);
  }
}

/** A valid parent that says not to sample. */
function isUnsampled(parent: SpanContext | undefined): parent is SpanContext {
  return parent !== undefined && !isSampled(parent.traceFlags) && isSpanContextValid(parent);
}

function isLocalRoot(parent: SpanContext | undefined): boolean {
  return parent === undefined || parent.isRemote === true;
}

function contextIn(parent: Context): SpanContext | undefined {
  try {
    return trace.getSpanContext(parent ?? ROOT_CONTEXT);
  } catch {
    return undefined;
  }
}
