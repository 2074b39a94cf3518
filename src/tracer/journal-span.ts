import { performance } from 'node:perf_hooks';
import {
  type Attributes,
  type AttributeValue,
  type HrTime,
  type Link,
  type SpanContext,
  type SpanKind,
  type SpanStatus,
  SpanStatusCode,
  type TimeInput,
  TraceFlags,
  type TraceState,
} from '@opentelemetry/api';
import { NO_ENTRY } from '../journal/span-log.js';
import type { ReadableSpan, TimedEvent } from '../sdk/types.js';
import type { AttributeBlock } from './attribute-block.js';
import { isAttribute, truncated } from './attribute-rules.js';
import { type Anchor, clock } from './clock.js';
import { hexToWord, randomWord, wordToHex } from './ids.js';
import { RecordingSpan } from './recording-span.js';
import { SpanDetails } from './span-details.js';
import { amendSpan, type EncodedSpan, keepSpan } from './span-encoding.js';
import { millisToHrTime, timeInputToHrTime, wholeTime } from './time-input.js';
import { flagsOf, isSampled } from './trace-flags.js';
import { ANCHOR, SCOPE, type TracerScope } from './tracer-scope.js';

const UNSET: SpanStatus = Object.freeze({ code: SpanStatusCode.UNSET });

/** Called by `call`, V8 makes no call of it in a `for … in`; of `Object.hasOwn` it makes one for each key. */
const isOwn = Object.prototype.hasOwnProperty;

/** From so many attributes on, a hash table finds a key faster than a walk through the list. */
const MAX_LIST_LENGTH = 2 * 32;

/**
 * A span that nobody reads but the encoder: there are no span processors.
 *
 * It is made and thrown away for each operation, so its fields are plain and few, ids and times are small
 * integers (which V8 keeps in the object), and everything that only some spans have, or that only a reader of
 * the SDK's ReadableSpan asks for, is made when it is asked for.
 */
export class JournalSpan extends RecordingSpan implements EncodedSpan {
  name: string;
  kind: SpanKind;
  // See SpanStart.
  trace0 = 0;
  trace1 = 0;
  trace2 = 0;
  trace3 = 0;
  readonly span0: number;
  readonly span1: number;
  parent0 = 0;
  parent1 = 0;
  traceFlags: number = TraceFlags.SAMPLED;
  traceState: TraceState | undefined = undefined;
  /** The parent's context if it is not a span of ours with the same trace state; else made when asked for. */
  parentContext: SpanContext | undefined = undefined;
  startSeconds = 0;
  startNanos = 0;
  endSeconds = 0;
  endNanos = 0;
  ended = false;
  entry: number = NO_ENTRY;
  encodedPairs = 0;
  encodedName = '';
  rewritten = false;
  currentStatus: SpanStatus = UNSET;
  listLength = 0;
  attributeList: unknown[] | undefined = undefined;
  /** Takes the list's place once somebody has seen it, who may write to it. */
  attributeObject: Attributes | undefined = undefined;
  details: SpanDetails | undefined = undefined;
  /**
   * What the span has besides {@link attributeList} and before it; given up when one of its keys is set anew.
   */
  block: AttributeBlock | undefined = undefined;
  exposed = false;
  ownContext: SpanContext | undefined = undefined;

  /**
   * A root: {@link continueLocal} and its siblings give it a parent. It has no trace id and no start time
   * yet.
   */
  constructor(scope: TracerScope, name: string, kind: SpanKind, span0: number, span1: number) {
    super(scope);
    this.name = name;
    this.kind = kind;
    this.span0 = span0;
    this.span1 = span1;
  }

  /** Begins a trace. */
  startTrace(): void {
    this.trace0 = randomWord();
    this.trace1 = randomWord();
    this.trace2 = randomWord();
    // Not all zeroes: that is no id (W3C Trace Context, "trace-id").
    this.trace3 = randomWord() || 1;
  }

  /** Becomes a child of a span of ours, which is sampled. */
  continueLocal(parent: JournalSpan): void {
    this.trace0 = parent.trace0;
    this.trace1 = parent.trace1;
    this.trace2 = parent.trace2;
    this.trace3 = parent.trace3;
    this.parent0 = parent.span0;
    this.parent1 = parent.span1;
    this.traceFlags = parent.traceFlags;
    this.traceState = parent.traceState;
  }

  /** Becomes a child of somebody else's span. */
  continueContext(parent: SpanContext): void {
    this.setTraceId(parent.traceId);
    this.parent0 = hexToWord(parent.spanId, 0);
    this.parent1 = hexToWord(parent.spanId, 8);
    this.traceFlags = flagsOf(true, parent);
    this.traceState = parent.traceState;
    this.parentContext = parent;
  }

  /** In hex, from an id generator or a parent. */
  setTraceId(traceId: string): void {
    this.trace0 = hexToWord(traceId, 0);
    this.trace1 = hexToWord(traceId, 8);
    this.trace2 = hexToWord(traceId, 16);
    this.trace3 = hexToWord(traceId, 24);
  }

  /** Starts now, at a `performance.now()` that the caller has read. */
  startAtReading(now: number, anchor: Anchor): void {
    this[ANCHOR] = anchor;
    clock.convert(now, anchor);
    this.startSeconds = clock.seconds;
    this.startNanos = clock.nanos;
  }

  /** Starts at a time that the program gave. */
  startAtTime(time: TimeInput, anchor: Anchor): void {
    [this.startSeconds, this.startNanos] = wholeTime(timeInputToHrTime(time, anchor) ?? millisToHrTime(Date.now()));
  }

  spanContext(): SpanContext {
    this.ownContext ??= {
      traceId: this.traceIdHex(),
      spanId: wordToHex(this.span0) + wordToHex(this.span1),
      traceFlags: this.traceFlags,
      traceState: this.traceState,
    };
    return this.ownContext;
  }

  protected traceIdHex(): string {
    // A remote parent's context has it as a string already.
    return (
      this.parentContext?.traceId ??
      wordToHex(this.trace0) + wordToHex(this.trace1) + wordToHex(this.trace2) + wordToHex(this.trace3)
    );
  }

  get parentSpanContext(): SpanContext | undefined {
    if (this.parentContext === undefined && (this.parent0 | this.parent1) !== 0) {
      this.parentContext = {
        traceId: this.traceIdHex(),
        spanId: wordToHex(this.parent0) + wordToHex(this.parent1),
        traceFlags: this.traceFlags,
        traceState: this.traceState,
      };
    }
    return this.parentContext;
  }

  /**
   * What most calls are, without the checks of the general case: ten attributes cost 1.2 µs this way and 1.35
   * µs without it.
   */
  override setAttribute(key: string, value: AttributeValue): this {
    if (typeof key !== 'string' || key.length === 0 || this.ended) return super.setAttribute(key, value);
    switch (typeof value) {
      case 'string':
        if (value.length > this[SCOPE].pipeline.uncutLength) return super.setAttribute(key, value);
        this.put(key, value);
        return this;
      case 'number':
      case 'boolean':
        this.put(key, value);
        return this;
      default:
        return super.setAttribute(key, value);
    }
  }

  protected put(key: string, value: AttributeValue): void {
    if (this.attributeObject !== undefined) {
      this.putIntoObject(this.attributeObject, key, value);
      return;
    }
    const { attributeCountLimit } = this[SCOPE].pipeline.limits;
    if (this.block?.has(key)) this.unfoldBlock();
    const length = this.listLength;
    if (length === 0 && attributeCountLimit > 0) {
      // With room for four attributes from the first on: growing the list costs more than the room.
      this.attributeList = [key, value, undefined, undefined, undefined, undefined, undefined, undefined];
      this.listLength = 2;
      return;
    }
    const list = this.attributeList!;
    for (let i = 0; i < length; i += 2) {
      if (list[i] === key) {
        if (i < this.encodedPairs && list[i + 1] !== value) this.rewritten = true;
        list[i + 1] = value;
        return;
      }
    }
    const count = this.block === undefined ? length : length + this.block.pairs.length;
    if (count >= 2 * attributeCountLimit) {
      this.makeDetails().droppedAttributesCount++;
      return;
    }
    list[length] = key;
    list[length + 1] = value;
    this.listLength = length + 2;
    if (length >= MAX_LIST_LENGTH) this.makeObject();
  }

  protected putIntoObject(object: Attributes, key: string, value: AttributeValue): void {
    const { attributeCountLimit } = this[SCOPE].pipeline.limits;
    if (!Object.hasOwn(object, key) && Object.keys(object).length >= attributeCountLimit) {
      this.makeDetails().droppedAttributesCount++;
      return;
    }
    object[key] = value;
  }

  protected unfoldBlock(): void {
    const { pairs } = this.block!;
    this.block = undefined;
    this.attributeList = [...pairs, ...(this.attributeList ?? []).slice(0, this.listLength)];
    this.listLength += pairs.length;
    // The in-flight table has them.
    if (this.entry !== NO_ENTRY) this.encodedPairs += pairs.length;
  }

  protected makeObject(): Attributes {
    if (this.block !== undefined) this.unfoldBlock();
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
    const { limits, uncutLength } = this[SCOPE].pipeline;
    const mostItems = 2 * limits.attributeCountLimit;
    // As in `put`.
    const list: unknown[] = [undefined, undefined, undefined, undefined, undefined, undefined, undefined, undefined];
    let length = 0;
    for (const key in attributes) {
      if (!isOwn.call(attributes, key)) continue;
      let value: AttributeValue | null | undefined = attributes[key];
      // Most are short strings, numbers and booleans.
      const isPlain =
        typeof value === 'string'
          ? value.length <= uncutLength
          : typeof value === 'number' || typeof value === 'boolean';
      if (!isPlain || key.length === 0) {
        if (!isAttribute(key, value) || value === undefined || value === null) continue;
        value = truncated(value, limits.attributeValueLengthLimit);
      }
      if (length >= mostItems) {
        this.makeDetails().droppedAttributesCount++;
        continue;
      }
      list[length] = key;
      list[length + 1] = value;
      length += 2;
    }
    if (length === 0) return;
    this.attributeList = list;
    this.listLength = length;
    if (length > MAX_LIST_LENGTH) this.makeObject();
  }

  /** As given to `JournalTracer.startPreparedSpan`. */
  setPrepared(pairs: unknown[], block: AttributeBlock): void {
    let length = pairs.length;
    while (length > 0 && pairs[length - 2] === undefined) length -= 2;
    this.attributeList = pairs;
    this.listLength = length;
    this.block = block;
  }

  protected finish(endTime: TimeInput | undefined): void {
    const anchor = this[ANCHOR];
    if (endTime === undefined && anchor !== undefined) {
      clock.convert(performance.now(), anchor);
      this.endSeconds = clock.seconds;
      this.endNanos = clock.nanos;
    } else [this.endSeconds, this.endNanos] = wholeTime(this.timeOf(endTime));
    const seconds = this.endSeconds - this.startSeconds;
    const isInverted = seconds < 0 || (seconds === 0 && this.endNanos < this.startNanos);
    if (isInverted) {
      this.endSeconds = this.startSeconds;
      this.endNanos = this.startNanos;
    }
    this.ended = true;
    const isKept = isSampled(this.traceFlags);
    this[SCOPE].pipeline.counts.ended[isKept ? 2 : 1]!++;
    if (isKept) keepSpan(this);
    // Last: a program's own logger may throw.
    if (isInverted) this.reportInverted();
    if (this.details !== undefined) this.reportDropped(this.details);
  }

  protected putStatus(status: SpanStatus): void {
    this.currentStatus = status;
  }

  protected makeDetails(): SpanDetails {
    this.details ??= new SpanDetails();
    return this.details;
  }

  /**
   * Writes what was set since the start into the in-flight table, so that it is known even if the process
   * dies now, and with it the spans that have ended. `http/` calls it with the status code in place, before a
   * response leaves.
   */
  checkpoint(): void {
    const { entry } = this;
    if (this.ended) return;
    if (entry !== NO_ENTRY && !this.rewritten && this.attributeObject === undefined) amendSpan(this);
    this[SCOPE].pipeline.spanLog?.settle(entry);
  }

  // What only a reader of the SDK's ReadableSpan asks for. The SDK has plain fields here, and programs assign
  // to them.

  get startTime(): HrTime {
    return [this.startSeconds, this.startNanos];
  }

  set startTime(time: HrTime) {
    [this.startSeconds, this.startNanos] = wholeTime(time);
    this.exposed = true;
  }

  get endTime(): HrTime {
    return [this.endSeconds, this.endNanos];
  }

  set endTime(time: HrTime) {
    [this.endSeconds, this.endNanos] = wholeTime(time);
  }

  get duration(): HrTime {
    if (this.endSeconds === 0 && !this.ended) return [-1, -1];
    const seconds = this.endSeconds - this.startSeconds;
    const nanos = this.endNanos - this.startNanos;
    return nanos < 0 ? [seconds - 1, nanos + 1e9] : [seconds, nanos];
  }

  get status(): SpanStatus {
    return this.currentStatus;
  }

  set status(status: SpanStatus) {
    this.currentStatus = status;
    this.exposed = true;
  }

  get attributes(): Attributes {
    return this.attributeObject ?? this.makeObject();
  }

  set attributes(attributes: Attributes) {
    this.block = undefined;
    this.attributeList = undefined;
    this.listLength = 0;
    this.attributeObject = attributes;
  }

  get events(): TimedEvent[] {
    this.exposed = true;
    return this.makeDetails().events;
  }

  set events(events: TimedEvent[]) {
    this.exposed = true;
    this.makeDetails().events = events;
  }

  get links(): Link[] {
    this.exposed = true;
    return this.makeDetails().links;
  }

  set links(links: Link[]) {
    this.exposed = true;
    this.makeDetails().links = links;
  }

  get droppedAttributesCount(): number {
    return this.details?.droppedAttributesCount ?? 0;
  }

  get droppedEventsCount(): number {
    return this.details?.droppedEventsCount ?? 0;
  }

  get droppedLinksCount(): number {
    return this.details?.droppedLinksCount ?? 0;
  }

  get resource(): ReadableSpan['resource'] {
    return this[SCOPE].pipeline.resource;
  }

  get instrumentationScope(): ReadableSpan['instrumentationScope'] {
    return this[SCOPE].instrumentationScope;
  }
}
