/**
 * The journal pipeline's span: the OpenTelemetry API's Span and the SDK's ReadableSpan, with the rules of the SDK's own,
 * encoded to OTLP when it ends, and at its start into the in-flight table when it is a local root.
 *
 * Fields are plain: the tracer and the encoding read them on the hot path.
 *
 * @module
 */
import {
  type Attributes,
  type AttributeValue,
  type Context,
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
  TraceFlags,
  type TraceState,
} from '@opentelemetry/api';
import type { ReadableSpan, TimedEvent } from '@opentelemetry/sdk-trace-base';
import { NO_ENTRY } from '../journal/span-log.js';
import { isAttributeValue, truncateValue, validAttributes } from './attribute-rules.js';
import { clock } from './clock.js';
import { wordToHex } from './ids.js';
import { encodeEnd, encodeMore, encoder, encodeStart } from './span-encoding.js';
import { isTimeInput, readTimeInput } from './time-input.js';
import type { LeanTracer } from './tracer.js';

const UNSET: SpanStatus = Object.freeze({ code: SpanStatusCode.UNSET });

export class LeanSpan implements Span {
  readonly tracer: LeanTracer;
  name: string;
  readonly kind: SpanKind;

  // Identity: trace id in four words, span id in two.
  trace0 = 0;
  trace1 = 0;
  trace2 = 0;
  trace3 = 0;
  span0 = 0;
  span1 = 0;
  traceFlags: number = TraceFlags.NONE;
  traceState: TraceState | undefined = undefined;
  // The parent's span id, when there is one.
  hasParent = false;
  parentIsRemote = false;
  parent0 = 0;
  parent1 = 0;

  startSeconds = 0;
  startNanoseconds = 0;
  endSeconds = 0;
  endNanoseconds = 0;
  startTimeGiven = false;

  /** Key, value, key, value … in the order they were first set. */
  readonly attributePairs: unknown[] = [];
  droppedAttributesCount = 0;
  eventList: TimedEvent[] | undefined = undefined;
  droppedEventsCount = 0;
  linkList: Link[] | undefined = undefined;
  droppedLinksCount = 0;
  status: SpanStatus = UNSET;
  ended = false;

  /** The entry in the in-flight table. */
  entry = NO_ENTRY;
  /** How much of {@link attributePairs} the entry has. */
  encodedPairs = 0;
  /** The name that the entry has. */
  encodedName = '';
  /** An attribute that the entry has was set anew: the entry's bytes cannot be completed. */
  rewritten = false;

  context: SpanContext | undefined = undefined;

  constructor(tracer: LeanTracer, name: string, kind: SpanKind) {
    this.tracer = tracer;
    this.name = name;
    this.kind = kind;
  }

  get traceId(): string {
    return wordToHex(this.trace0) + wordToHex(this.trace1) + wordToHex(this.trace2) + wordToHex(this.trace3);
  }

  spanContext(): SpanContext {
    this.context ??= {
      traceId: this.traceId,
      spanId: wordToHex(this.span0) + wordToHex(this.span1),
      traceFlags: this.traceFlags,
      traceState: this.traceState,
    };
    return this.context;
  }

  isRecording(): boolean {
    return !this.ended;
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (value == null || this.isEnded()) return this;
    if (key.length === 0) {
      diag.warn('Invalid attribute key: it is empty');
      return this;
    }
    const type = typeof value;
    if (type === 'number' || type === 'boolean') {
      this.storeAttribute(key, value);
    } else if (type === 'string' || isAttributeValue(value)) {
      const limit = this.tracer.limits.attributeValueLengthLimit;
      this.storeAttribute(key, limit > 0 ? truncateValue(value, limit) : value);
    } else {
      diag.warn(`Invalid attribute value set for key: ${key}`);
    }
    return this;
  }

  /** {@link setAttribute} for a value that is known to be valid and within limits. */
  storeAttribute(key: string, value: AttributeValue): void {
    const pairs = this.attributePairs;
    const { length } = pairs;
    // A linear search: a span has few attributes, and their keys are internalised strings, which compare as pointers.
    for (let i = 0; i < length; i += 2) {
      if (pairs[i] === key) {
        if (i < this.encodedPairs && pairs[i + 1] !== value) this.rewritten = true;
        pairs[i + 1] = value;
        return;
      }
    }
    if (length >> 1 >= this.tracer.limits.attributeCountLimit) this.droppedAttributesCount++;
    else pairs.push(key, value);
  }

  setAttributes(attributes: Attributes): this {
    for (const key in attributes) {
      if (Object.hasOwn(attributes, key)) this.setAttribute(key, attributes[key] as AttributeValue);
    }
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    if (this.isEnded()) return this;
    const { eventCountLimit, attributePerEventCountLimit } = this.tracer.limits;
    if (eventCountLimit === 0) {
      this.droppedEventsCount++;
      return this;
    }
    this.eventList ??= [];
    if (this.eventList.length >= eventCountLimit) {
      this.eventList.shift();
      this.droppedEventsCount++;
    }
    let attributes: Attributes | undefined;
    let at = time;
    if (isTimeInput(attributesOrTime)) {
      if (!isTimeInput(at)) at = attributesOrTime;
    } else {
      attributes = attributesOrTime;
    }
    this.readTime(at);
    const eventTime: HrTime = [clock.seconds, clock.nanoseconds];
    const [kept, droppedAttributesCount] = this.limited(attributes, attributePerEventCountLimit);
    this.eventList.push({ name, attributes: kept, time: eventTime, droppedAttributesCount });
    return this;
  }

  addLink(link: Link): this {
    if (this.isEnded()) return this;
    const { linkCountLimit, attributePerLinkCountLimit } = this.tracer.limits;
    if (linkCountLimit === 0) {
      this.droppedLinksCount++;
      return this;
    }
    this.linkList ??= [];
    if (this.linkList.length >= linkCountLimit) {
      this.linkList.shift();
      this.droppedLinksCount++;
    }
    const [attributes, droppedAttributesCount] = this.limited(link.attributes, attributePerLinkCountLimit);
    const kept: Link = { context: link.context };
    if (Object.keys(attributes).length > 0) kept.attributes = attributes;
    if (droppedAttributesCount > 0) kept.droppedAttributesCount = droppedAttributesCount;
    this.linkList.push(kept);
    return this;
  }

  addLinks(links: Link[]): this {
    for (const link of links) this.addLink(link);
    return this;
  }

  setStatus(status: SpanStatus): this {
    if (this.isEnded()) return this;
    // Ok is final, and Unset is no status to set (specification, trace/api "Set Status").
    if (status.code === SpanStatusCode.UNSET || this.status.code === SpanStatusCode.OK) return this;
    if (status.code === SpanStatusCode.ERROR && typeof status.message === 'string') {
      this.status = { code: status.code, message: status.message };
      return this;
    }
    if (status.code === SpanStatusCode.ERROR && status.message != null) {
      diag.warn(`Dropping invalid status.message of type '${typeof status.message}', expected 'string'`);
    }
    this.status = { code: status.code };
    return this;
  }

  updateName(name: string): this {
    if (!this.isEnded()) this.name = name;
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
    if (attributes['exception.type'] || attributes['exception.message']) this.addEvent('exception', attributes, time);
    else diag.warn(`Failed to record an exception ${exception}`);
  }

  /** Called by the tracer when identity, start time and start attributes are in place. */
  started(parentContext: Context): void {
    const { processor, spanLog } = this.tracer;
    processor?.onStart(this as never, parentContext);
    const isLocalRoot = !this.hasParent || this.parentIsRemote;
    if (!isLocalRoot || spanLog === undefined || (this.traceFlags & TraceFlags.SAMPLED) === 0) return;
    encodeStart(this);
    this.entry = spanLog.begin(this.tracer.scopeFields, encoder.bytes, 0, encoder.at);
    if (this.entry === NO_ENTRY) return;
    this.encodedPairs = this.attributePairs.length;
    this.encodedName = this.name;
  }

  /**
   * Writes what was set since the start into the in-flight table, so that it is known even if the process dies now.
   * `http/` calls it with the status code in place, before a response leaves.
   */
  checkpoint(): void {
    const { spanLog } = this.tracer;
    if (this.entry === NO_ENTRY || this.rewritten || this.ended || spanLog === undefined) return;
    encodeMore(this);
    if (encoder.at === 0 || !spanLog.amend(this.entry, encoder.bytes, 0, encoder.at)) return;
    this.encodedPairs = this.attributePairs.length;
    this.encodedName = this.name;
  }

  end(endTime?: TimeInput): void {
    if (this.ended) {
      diag.error(`${this.name}: You can only call end() on a span once.`);
      return;
    }
    this.readTime(endTime);
    this.endSeconds = clock.seconds;
    this.endNanoseconds = clock.nanoseconds;
    if (
      this.endSeconds < this.startSeconds ||
      (this.endSeconds === this.startSeconds && this.endNanoseconds < this.startNanoseconds)
    ) {
      // Without a time of the user's, the wall clock was set back between the two, which is nobody's mistake.
      if (endTime !== undefined) diag.warn('Inconsistent start and end time. Setting span duration to 0ms.');
      this.endSeconds = this.startSeconds;
      this.endNanoseconds = this.startNanoseconds;
    }
    const { processor } = this.tracer;
    processor?.onEnding?.(this as never);
    this.ended = true;
    if ((this.traceFlags & TraceFlags.SAMPLED) !== 0) this.keep();
    processor?.onEnd(this as never);
  }

  private keep(): void {
    const { spanLog, scopeFields } = this.tracer;
    if (spanLog === undefined) return;
    const whole = this.entry === NO_ENTRY || this.rewritten;
    if (whole) encodeStart(this);
    else encodeMore(this);
    encodeEnd(this);
    if (this.entry === NO_ENTRY) spanLog.append(scopeFields, encoder.bytes, 0, encoder.at);
    else spanLog.finish(this.entry, encoder.bytes, 0, encoder.at, whole);
  }

  private isEnded(): boolean {
    if (this.ended) diag.warn(`Cannot execute the operation on ended Span ${this.name}`);
    return this.ended;
  }

  /** A user's time, or now, into the clock's result fields. */
  private readTime(input: TimeInput | undefined): void {
    if (input !== undefined && readTimeInput(input)) return;
    // Against a start time that the user gave, the monotonic clock says nothing: the SDK takes the wall clock's milliseconds.
    if (this.startTimeGiven) clock.fromMillis(Date.now());
    else clock.read();
  }

  private limited(attributes: Attributes | undefined, countLimit: number): [Attributes, number] {
    const kept: Attributes = {};
    let count = 0;
    let dropped = 0;
    const valid = validAttributes(attributes);
    const valueLimit = this.tracer.limits.attributeValueLengthLimit;
    for (const key in valid) {
      if (count >= countLimit) {
        dropped++;
        continue;
      }
      const value = valid[key] as AttributeValue;
      kept[key] = valueLimit > 0 && value != null ? truncateValue(value, valueLimit) : value;
      count++;
    }
    return [kept, dropped];
  }

  // What else ReadableSpan has, for users' span processors and exporters.

  get attributes(): Attributes {
    const attributes: Attributes = {};
    const pairs = this.attributePairs;
    for (let i = 0; i < pairs.length; i += 2) attributes[pairs[i] as string] = pairs[i + 1] as AttributeValue;
    return attributes;
  }

  get startTime(): HrTime {
    return [this.startSeconds, this.startNanoseconds];
  }

  get endTime(): HrTime {
    return [this.endSeconds, this.endNanoseconds];
  }

  get duration(): HrTime {
    if (!this.ended) return [-1, -1];
    const seconds = this.endSeconds - this.startSeconds;
    const nanoseconds = this.endNanoseconds - this.startNanoseconds;
    return nanoseconds < 0 ? [seconds - 1, nanoseconds + 1e9] : [seconds, nanoseconds];
  }

  get events(): TimedEvent[] {
    return this.eventList ?? [];
  }

  get links(): Link[] {
    return this.linkList ?? [];
  }

  get parentSpanContext(): SpanContext | undefined {
    if (!this.hasParent) return undefined;
    return {
      traceId: this.traceId,
      spanId: wordToHex(this.parent0) + wordToHex(this.parent1),
      traceFlags: this.traceFlags,
      isRemote: this.parentIsRemote,
    };
  }

  get resource(): ReadableSpan['resource'] {
    return this.tracer.resource;
  }

  get instrumentationScope(): ReadableSpan['instrumentationScope'] {
    return this.tracer.instrumentationScope;
  }
}
