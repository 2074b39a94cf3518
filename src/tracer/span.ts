import { performance } from 'node:perf_hooks';
import {
  type Attributes,
  type AttributeValue,
  diag,
  type Exception,
  type HrTime,
  type Link,
  type Span,
  type SpanContext,
  type SpanKind,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
  type TraceState,
} from '@opentelemetry/api';
import type { SpanStart } from '../journal/encoder.js';
import { NO_ENTRY } from '../journal/span-log.js';
import type { ReadableSpan, TimedEvent } from '../sdk/types.js';
import type { AttributeBlock } from './attribute-block.js';
import { isAttribute, truncated, validAttributes } from './attribute-rules.js';
import { type Anchor, clock } from './clock.js';
import { wordToHex } from './ids.js';
import { SpanDetails } from './span-details.js';
import { amendSpan, keepSpan } from './span-encoding.js';
import { isTimeInput, millisToHrTime, performanceToHrTime, timeInputToHrTime, wholeTime } from './time-input.js';
import type { LeanTracer } from './tracer.js';

const UNSET: SpanStatus = Object.freeze({ code: SpanStatusCode.UNSET });

/** From so many attributes on, a hash table finds a key faster than a walk through the list. */
const MAX_LIST_LENGTH = 2 * 32;

/**
 * A recording span: the API's Span and the SDK's ReadableSpan, by the rules of the SDK's own span.
 *
 * It is made and thrown away for each operation, so its fields are plain and few, ids and times are small integers (which V8
 * keeps in the object), and everything that only some spans have or only a processor reads is made when it is asked for.
 */
export class LeanSpan implements Span, ReadableSpan, SpanStart {
  readonly tracer: LeanTracer;
  name: string;
  readonly kind: SpanKind;
  // See SpanStart.
  readonly trace0: number;
  readonly trace1: number;
  readonly trace2: number;
  readonly trace3: number;
  readonly span0: number;
  readonly span1: number;
  readonly parent0: number;
  readonly parent1: number;
  readonly traceFlags: number;
  readonly traceState: TraceState | undefined;
  /** The parent's context if it is not a span of ours with the same trace state; else made when asked for. */
  parentContext: SpanContext | undefined;
  /** Undefined when the start time was given: then durations cannot be measured. */
  anchor: Anchor | undefined = undefined;
  startSeconds = 0;
  startNanos = 0;
  endSeconds = 0;
  endNanos = 0;
  ended = false;
  /** In the in-flight table. */
  entry: number = NO_ENTRY;
  /** How much of {@link attributeList} the entry has, and which name. */
  encodedPairs = 0;
  encodedName = '';
  /** An attribute that the entry has was set anew: the entry's bytes cannot be completed. */
  rewritten = false;
  status: SpanStatus = UNSET;
  /** Of {@link attributeList}, which has room for four attributes from the first on: growing it costs more than the room. */
  listLength = 0;
  /** Key, value, key, value …; undefined when there are none, or when they are in {@link attributeObject}. */
  attributeList: unknown[] | undefined = undefined;
  /** Takes the list's place once somebody has seen it: a processor may write to it. */
  attributeObject: Attributes | undefined = undefined;
  details: SpanDetails | undefined = undefined;
  /** What the span has besides {@link attributeList} and before it; given up when one of its keys is set anew. */
  block: AttributeBlock | undefined = undefined;
  #context: SpanContext | undefined;

  constructor(
    tracer: LeanTracer,
    name: string,
    kind: SpanKind,
    trace0: number,
    trace1: number,
    trace2: number,
    trace3: number,
    span0: number,
    span1: number,
    parent0: number,
    parent1: number,
    traceFlags: number,
    traceState: TraceState | undefined,
    parentContext: SpanContext | undefined,
    context: SpanContext | undefined,
  ) {
    this.tracer = tracer;
    this.name = name;
    this.kind = kind;
    this.trace0 = trace0;
    this.trace1 = trace1;
    this.trace2 = trace2;
    this.trace3 = trace3;
    this.span0 = span0;
    this.span1 = span1;
    this.parent0 = parent0;
    this.parent1 = parent1;
    this.traceFlags = traceFlags;
    this.traceState = traceState;
    this.parentContext = parentContext;
    this.#context = context;
  }

  spanContext(): SpanContext {
    this.#context ??= {
      traceId: this.#traceIdHex(),
      spanId: wordToHex(this.span0) + wordToHex(this.span1),
      traceFlags: this.traceFlags,
      traceState: this.traceState,
    };
    return this.#context;
  }

  #traceIdHex(): string {
    // A remote parent's context has it as a string already.
    return (
      this.parentContext?.traceId ??
      wordToHex(this.trace0) + wordToHex(this.trace1) + wordToHex(this.trace2) + wordToHex(this.trace3)
    );
  }

  get parentSpanContext(): SpanContext | undefined {
    if (this.parentContext === undefined && (this.parent0 | this.parent1) !== 0) {
      this.parentContext = {
        traceId: this.#traceIdHex(),
        spanId: wordToHex(this.parent0) + wordToHex(this.parent1),
        traceFlags: this.traceFlags,
        traceState: this.traceState,
      };
    }
    return this.parentContext;
  }

  isRecording(): boolean {
    return !this.ended;
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (value === undefined || value === null || this.#isEnded()) return this;
    if (isAttribute(key, value)) this.#put(key, value);
    return this;
  }

  setAttributes(attributes: Attributes): this {
    for (const key in attributes) {
      if (Object.hasOwn(attributes, key)) this.setAttribute(key, attributes[key]!);
    }
    return this;
  }

  #put(key: string, value: AttributeValue): void {
    const { limits } = this.tracer.pipeline;
    const kept = truncated(value, limits.attributeValueLengthLimit);
    if (this.attributeObject !== undefined) {
      this.#putIntoObject(this.attributeObject, key, kept);
      return;
    }
    if (this.block?.has(key)) this.#unfoldBlock();
    const length = this.listLength;
    if (length === 0 && limits.attributeCountLimit > 0) {
      this.attributeList = [key, kept, undefined, undefined, undefined, undefined, undefined, undefined];
      this.listLength = 2;
      return;
    }
    const list = this.attributeList!;
    for (let i = 0; i < length; i += 2) {
      if (list[i] === key) {
        if (i < this.encodedPairs && list[i + 1] !== kept) this.rewritten = true;
        list[i + 1] = kept;
        return;
      }
    }
    const count = this.block === undefined ? length : length + this.block.pairs.length;
    if (count >= 2 * limits.attributeCountLimit) {
      this.#details().droppedAttributes++;
      return;
    }
    list[length] = key;
    list[length + 1] = kept;
    this.listLength = length + 2;
    if (length >= MAX_LIST_LENGTH) this.#makeObject();
  }

  #putIntoObject(object: Attributes, key: string, value: AttributeValue): void {
    const { limits } = this.tracer.pipeline;
    if (!Object.hasOwn(object, key) && Object.keys(object).length >= limits.attributeCountLimit) {
      this.#details().droppedAttributes++;
      return;
    }
    object[key] = value;
  }

  #unfoldBlock(): void {
    const { pairs } = this.block!;
    this.block = undefined;
    this.attributeList = [...pairs, ...(this.attributeList ?? []).slice(0, this.listLength)];
    this.listLength += pairs.length;
    // The in-flight table has them.
    if (this.entry !== NO_ENTRY) this.encodedPairs += pairs.length;
  }

  #makeObject(): Attributes {
    if (this.block !== undefined) this.#unfoldBlock();
    const object: Attributes = {};
    const list = this.attributeList;
    if (list !== undefined) {
      for (let i = 0; i < this.listLength; i += 2) object[list[i] as string] = list[i + 1] as AttributeValue;
      this.attributeList = undefined;
      this.listLength = 0;
    }
    this.attributeObject = object;
    return object;
  }

  /** As given to `startSpan`: keys are distinct. */
  setStartAttributes(attributes: Attributes): void {
    const { limits } = this.tracer.pipeline;
    const list: unknown[] = [];
    for (const key in attributes) {
      if (!Object.hasOwn(attributes, key)) continue;
      const value = attributes[key];
      if (!isAttribute(key, value) || value === undefined || value === null) continue;
      if (list.length >= 2 * limits.attributeCountLimit) this.#details().droppedAttributes++;
      else list.push(key, truncated(value, limits.attributeValueLengthLimit));
    }
    if (list.length === 0) return;
    this.attributeList = list;
    this.listLength = list.length;
    if (list.length > MAX_LIST_LENGTH) this.#makeObject();
  }

  /** As given to {@link LeanTracer.startPreparedSpan}. */
  setPrepared(pairs: unknown[], block: AttributeBlock): void {
    let length = pairs.length;
    while (length > 0 && pairs[length - 2] === undefined) length -= 2;
    this.attributeList = pairs;
    this.listLength = length;
    this.block = block;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.#isEnded()) return this;
    const { limits } = this.tracer.pipeline;
    const details = this.#details();
    if (limits.eventCountLimit === 0) {
      diag.warn('No events allowed.');
      details.droppedEvents++;
      return this;
    }
    if (details.events.length >= limits.eventCountLimit) {
      if (details.droppedEvents === 0) diag.debug('Dropping extra events.');
      details.events.shift();
      details.droppedEvents++;
    }
    let attributes: Attributes | undefined;
    let at = time;
    if (isTimeInput(attributesOrTime)) {
      if (!isTimeInput(at)) at = attributesOrTime;
    } else attributes = attributesOrTime;
    const event: TimedEvent = { name: `${name}`, attributes: {}, time: this.#time(at), droppedAttributesCount: 0 };
    event.droppedAttributesCount = this.#copyAttributes(
      attributes,
      event.attributes!,
      limits.attributePerEventCountLimit,
    );
    details.events.push(event);
    return this;
  }

  addLink(link: Link): this {
    if (this.#isEnded()) return this;
    const { limits } = this.tracer.pipeline;
    const details = this.#details();
    if (limits.linkCountLimit === 0) {
      details.droppedLinks++;
      return this;
    }
    if (details.links.length >= limits.linkCountLimit) {
      if (details.droppedLinks === 0) diag.debug('Dropping extra links.');
      details.links.shift();
      details.droppedLinks++;
    }
    const kept: Link = { context: link.context };
    if (link.attributes !== undefined) {
      const attributes: Attributes = {};
      const dropped = this.#copyAttributes(link.attributes, attributes, limits.attributePerLinkCountLimit);
      for (const _ in attributes) {
        kept.attributes = attributes;
        break;
      }
      if (dropped > 0) kept.droppedAttributesCount = dropped;
    }
    details.links.push(kept);
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  /** What is valid of `from` into `to`, up to `limit`. Returns how many were too many. */
  #copyAttributes(from: Attributes | undefined, to: Attributes, limit: number): number {
    if (from === undefined || from === null) return 0;
    const { attributeValueLengthLimit } = this.tracer.pipeline.limits;
    const valid = validAttributes(from);
    let count = 0;
    let dropped = 0;
    for (const key in valid) {
      if (!Object.hasOwn(valid, key)) continue;
      if (count >= limit) {
        dropped++;
        continue;
      }
      to[key] = truncated(valid[key], attributeValueLengthLimit);
      count++;
    }
    return dropped;
  }

  setStatus(status: SpanStatus): this {
    if (this.#isEnded()) return this;
    // Ok is final, and unset changes nothing: "Set Status" of the trace API specification.
    if (status.code === SpanStatusCode.UNSET || this.status.code === SpanStatusCode.OK) return this;
    const kept: SpanStatus = { code: status.code };
    if (status.code === SpanStatusCode.ERROR) {
      if (typeof status.message === 'string') kept.message = status.message;
      else if (status.message !== undefined && status.message !== null) {
        diag.warn(`Dropping invalid status.message of type '${typeof status.message}', expected 'string'`);
      }
    }
    this.status = kept;
    return this;
  }

  updateName(name: string): this {
    if (this.#isEnded()) return this;
    this.name = `${name}`;
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    const attributes: Attributes = {};
    if (typeof exception === 'string') {
      attributes['exception.message'] = exception;
    } else if (exception) {
      if (exception.code) attributes['exception.type'] = exception.code.toString();
      else if (exception.name) attributes['exception.type'] = exception.name;
      if (exception.message) attributes['exception.message'] = exception.message;
      if (exception.stack) attributes['exception.stacktrace'] = exception.stack;
    }
    // The specification asks for one of them.
    if (attributes['exception.type'] || attributes['exception.message']) this.addEvent('exception', attributes, time);
    else diag.warn('Failed to record an exception', exception);
  }

  end(endTime?: TimeInput): void {
    if (this.ended) {
      const { traceId, spanId } = this.spanContext();
      diag.error(`${this.name} ${traceId}-${spanId} - You can only call end() on a span once.`);
      return;
    }
    const { anchor } = this;
    if (endTime === undefined && anchor !== undefined) this.#endAtReading(performance.now(), anchor);
    else [this.endSeconds, this.endNanos] = wholeTime(this.#time(endTime));
    if (
      this.endSeconds < this.startSeconds ||
      (this.endSeconds === this.startSeconds && this.endNanos < this.startNanos)
    ) {
      diag.warn(
        'Inconsistent start and end time, startTime > endTime. Setting span duration to 0ms.',
        this.startTime,
        this.#endTime(),
      );
      this.endSeconds = this.startSeconds;
      this.endNanos = this.startNanos;
    }
    const { details } = this;
    if (details !== undefined) {
      if (details.droppedEvents > 0)
        diag.warn(`Dropped ${details.droppedEvents} events because eventCountLimit reached`);
      if (details.droppedLinks > 0) diag.warn(`Dropped ${details.droppedLinks} links because linkCountLimit reached`);
    }
    if (this.tracer.pipeline.processors !== undefined) this.#processEnd();
    this.ended = true;
    if (this.traceFlags !== 0) keepSpan(this);
  }

  /** Processors come first: they may still change the span, and see it before it is written. */
  #processEnd(): void {
    const processors = this.tracer.pipeline.processors!;
    try {
      for (const processor of processors) processor.onEnding?.(this);
      this.ended = true;
      for (const processor of processors) processor.onEnd(this);
    } catch (error) {
      diag.error('A span processor threw', error);
    }
  }

  /** A `performance.now()` as start time; without an array that nobody asks for. */
  startAtReading(now: number, anchor: Anchor): void {
    this.anchor = anchor;
    const millis = now + anchor.millis;
    const seconds = Math.floor(millis / 1000);
    const nanos = Math.round((millis - seconds * 1000) * 1e6) | 0;
    this.startSeconds = nanos === 1e9 ? anchor.seconds + seconds + 1 : anchor.seconds + seconds;
    this.startNanos = nanos === 1e9 ? 0 : nanos;
  }

  startAtTime(time: TimeInput, anchor: Anchor): void {
    [this.startSeconds, this.startNanos] = wholeTime(timeInputToHrTime(time, anchor) ?? millisToHrTime(Date.now()));
  }

  #endAtReading(now: number, anchor: Anchor): void {
    const millis = now + anchor.millis;
    const seconds = Math.floor(millis / 1000);
    const nanos = Math.round((millis - seconds * 1000) * 1e6) | 0;
    this.endSeconds = nanos === 1e9 ? anchor.seconds + seconds + 1 : anchor.seconds + seconds;
    this.endNanos = nanos === 1e9 ? 0 : nanos;
  }

  /** The time given, else now. */
  #time(input: TimeInput | undefined): HrTime {
    const given = timeInputToHrTime(input, this.anchor ?? clock.anchor);
    if (given !== undefined) return given;
    return this.anchor === undefined ? millisToHrTime(Date.now()) : performanceToHrTime(performance.now(), this.anchor);
  }

  #details(): SpanDetails {
    this.details ??= new SpanDetails();
    return this.details;
  }

  #isEnded(): boolean {
    if (this.ended) {
      const { traceId, spanId } = this.spanContext();
      const operation = `on ended Span {traceId: ${traceId}, spanId: ${spanId}}`;
      diag.warn(`Cannot execute the operation ${operation}`, new Error(`Operation attempted ${operation}`));
    }
    return this.ended;
  }

  /**
   * Writes what was set since the start into the in-flight table, so that it is known even if the process dies now.
   * `http/` calls it with the status code in place, before a response leaves.
   */
  checkpoint(): void {
    if (this.entry === NO_ENTRY || this.rewritten || this.ended || this.attributeObject !== undefined) return;
    amendSpan(this);
  }

  // What only processors and exporters read.

  get startTime(): HrTime {
    return [this.startSeconds, this.startNanos];
  }

  get endTime(): HrTime {
    return this.#endTime();
  }

  #endTime(): HrTime {
    return [this.endSeconds, this.endNanos];
  }

  get duration(): HrTime {
    if (this.endSeconds === 0 && !this.ended) return [-1, -1];
    const seconds = this.endSeconds - this.startSeconds;
    const nanos = this.endNanos - this.startNanos;
    return nanos < 0 ? [seconds - 1, nanos + 1e9] : [seconds, nanos];
  }

  get attributes(): Attributes {
    return this.attributeObject ?? this.#makeObject();
  }

  get events(): TimedEvent[] {
    return this.#details().events;
  }

  get links(): Link[] {
    return this.#details().links;
  }

  get droppedAttributesCount(): number {
    return this.details?.droppedAttributes ?? 0;
  }

  get droppedEventsCount(): number {
    return this.details?.droppedEvents ?? 0;
  }

  get droppedLinksCount(): number {
    return this.details?.droppedLinks ?? 0;
  }

  get resource(): ReadableSpan['resource'] {
    return this.tracer.pipeline.resource;
  }

  get instrumentationScope(): ReadableSpan['instrumentationScope'] {
    return this.tracer.instrumentationScope;
  }
}
