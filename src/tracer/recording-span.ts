import { performance } from 'node:perf_hooks';
import { inspect } from 'node:util';
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
} from '@opentelemetry/api';
import { reportFailure } from '../report-failure.js';
import type { ReadableSpan, TimedEvent } from '../sdk/types.js';
import { EXCEPTION_EVENT, EXCEPTION_MESSAGE, EXCEPTION_STACKTRACE, EXCEPTION_TYPE } from '../wire/conventions.js';
import { isAttribute, truncated, validAttributes } from './attribute-rules.js';
import { type Anchor, clock } from './clock.js';
import { type InspectArguments, inspected, settledAttributes } from './inspected.js';
import type { SpanDetails } from './span-details.js';
import { isTimeInput, millisToHrTime, performanceToHrTime, timeInputToHrTime } from './time-input.js';
import { ANCHOR, SCOPE, type TracerScope } from './tracer-scope.js';

/**
 * The API's Span by the rules of the SDK's own: what is taken, cut, counted and ignored. Where values are
 * kept is up to the class that extends this.
 *
 * No method throws, whatever it is given: what cannot be recorded is logged by the API's `diag` and left out.
 * There are no `#private` fields here or in the classes that extend this one: a span is used through proxies
 * and copies, which have none.
 */
export abstract class RecordingSpan implements Span, ReadableSpan {
  readonly [SCOPE]: TracerScope;
  /** Undefined when the start time was given: then durations cannot be measured. */
  [ANCHOR]: Anchor | undefined = undefined;
  abstract name: string;
  abstract readonly kind: SpanKind;
  abstract ended: boolean;
  abstract status: SpanStatus;
  abstract readonly parentSpanContext?: SpanContext | undefined;
  abstract readonly startTime: HrTime;
  abstract readonly endTime: HrTime;
  abstract readonly duration: HrTime;
  abstract readonly attributes: Attributes;
  abstract readonly events: TimedEvent[];
  abstract readonly links: Link[];
  abstract readonly droppedAttributesCount: number;
  abstract readonly droppedEventsCount: number;
  abstract readonly droppedLinksCount: number;
  abstract readonly resource: ReadableSpan['resource'];
  abstract readonly instrumentationScope: ReadableSpan['instrumentationScope'];

  constructor(scope: TracerScope) {
    this[SCOPE] = scope;
  }

  abstract spanContext(): SpanContext;

  /** `key` and `value` are valid, and `value` is the span's own. */
  protected abstract put(key: string, value: AttributeValue): void;

  protected abstract putStatus(status: SpanStatus): void;

  /** Where events, links and counts of what was dropped are kept. */
  protected abstract makeDetails(): SpanDetails;

  /** Sets the end time, hands the span on. Called once. */
  protected abstract finish(endTime: TimeInput | undefined): void;

  isRecording(): boolean {
    return !this.ended;
  }

  setAttribute(key: string, value: AttributeValue): this {
    if (value === undefined || value === null) return this;
    try {
      // As it would be as the key of an object, which is what the SDK keeps attributes in.
      const name = typeof key === 'number' ? String(key) : key;
      if (!this.hasEnded() && isAttribute(name, value)) {
        this.put(name, truncated(value, this[SCOPE].pipeline.limits.attributeValueLengthLimit));
      }
    } catch (error) {
      reportFailure('An attribute could not be set', error);
    }
    return this;
  }

  setAttributes(attributes: Attributes): this {
    try {
      for (const key in attributes) {
        if (Object.hasOwn(attributes, key)) this.setAttribute(key, attributes[key]!);
      }
    } catch (error) {
      reportFailure('Attributes could not be set', error);
    }
    return this;
  }

  addEvent(name: string, attributesOrTime?: Attributes | TimeInput, time?: TimeInput): this {
    try {
      if (!this.hasEnded()) this.takeEvent(name, attributesOrTime, time);
    } catch (error) {
      reportFailure('An event could not be added', error);
    }
    return this;
  }

  addLink(link: Link): this {
    try {
      if (!this.hasEnded()) this.takeLink(link);
    } catch (error) {
      reportFailure('A link could not be added', error);
    }
    return this;
  }

  addLinks(links: Link[]): this {
    try {
      for (const link of links ?? []) this.addLink(link);
    } catch (error) {
      reportFailure('Links could not be added', error);
    }
    return this;
  }

  setStatus(status: SpanStatus): this {
    try {
      if (!this.hasEnded()) this.takeStatus(status);
    } catch (error) {
      reportFailure('A status could not be set', error);
    }
    return this;
  }

  updateName(name: string): this {
    try {
      // Not a template: that throws for a symbol.
      if (!this.hasEnded()) this.name = String(name);
    } catch (error) {
      reportFailure('A name could not be set', error);
    }
    return this;
  }

  recordException(exception: Exception, time?: TimeInput): void {
    try {
      const attributes = exceptionAttributes(exception);
      // The specification asks for one of them.
      if (attributes[EXCEPTION_TYPE] || attributes[EXCEPTION_MESSAGE]) this.keepException(attributes, time);
      else diag.warn('Failed to record an exception', exception);
    } catch (error) {
      reportFailure('An exception could not be recorded', error);
    }
  }

  end(endTime?: TimeInput): void {
    try {
      if (this.ended) {
        const { traceId, spanId } = this.spanContext();
        diag.error(`${this.name} ${traceId}-${spanId} - You can only call end() on a span once.`);
        return;
      }
      this.finish(endTime);
    } catch (error) {
      reportFailure('A span could not be ended', error);
    }
  }

  protected keepException(attributes: Attributes, time: TimeInput | undefined): void {
    const { pipeline, scopeFields } = this[SCOPE];
    const { exceptions } = pipeline;
    if (exceptions !== undefined && !this.ended) exceptions.write(this, scopeFields, attributes, this.timeOf(time));
    if (exceptions?.besideEvents !== false) this.addEvent(EXCEPTION_EVENT, attributes, time);
  }

  protected takeEvent(
    name: string,
    attributesOrTime: Attributes | TimeInput | undefined,
    time: TimeInput | undefined,
  ): void {
    const { limits } = this[SCOPE].pipeline;
    const details = this.makeDetails();
    if (limits.eventCountLimit === 0) {
      diag.warn('No events allowed.');
      details.droppedEventsCount++;
      return;
    }
    let attributes: Attributes | undefined;
    let at = time;
    if (isTimeInput(attributesOrTime)) {
      if (!isTimeInput(at)) at = attributesOrTime;
    } else attributes = attributesOrTime;
    const event: TimedEvent = { name: String(name), attributes: {}, time: this.timeOf(at), droppedAttributesCount: 0 };
    event.droppedAttributesCount = this.copyAttributes(
      attributes,
      event.attributes!,
      limits.attributePerEventCountLimit,
    );
    if (details.events.length >= limits.eventCountLimit) {
      if (details.droppedEventsCount === 0) diag.debug('Dropping extra events.');
      details.events.shift();
      details.droppedEventsCount++;
    }
    details.events.push(event);
  }

  protected takeLink(link: Link): void {
    const { limits } = this[SCOPE].pipeline;
    const details = this.makeDetails();
    if (typeof link?.context !== 'object' || link.context === null) {
      diag.warn('Ignoring a link that has no span context');
      return;
    }
    if (limits.linkCountLimit === 0) {
      details.droppedLinksCount++;
      return;
    }
    const kept: Link = { context: link.context };
    if (link.attributes !== undefined) {
      const attributes: Attributes = {};
      const dropped = this.copyAttributes(link.attributes, attributes, limits.attributePerLinkCountLimit);
      for (const _ in attributes) {
        kept.attributes = attributes;
        break;
      }
      if (dropped > 0) kept.droppedAttributesCount = dropped;
    }
    if (details.links.length >= limits.linkCountLimit) {
      if (details.droppedLinksCount === 0) diag.debug('Dropping extra links.');
      details.links.shift();
      details.droppedLinksCount++;
    }
    details.links.push(kept);
  }

  /** What is valid of `from` into `to`, up to `limit`. Returns how many were too many. */
  protected copyAttributes(from: Attributes | undefined, to: Attributes, limit: number): number {
    if (from === undefined || from === null) return 0;
    const { attributeValueLengthLimit } = this[SCOPE].pipeline.limits;
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

  protected takeStatus(status: SpanStatus): void {
    const { code } = status;
    // Ok is final, and unset changes nothing: "Set Status" of the trace API specification.
    if (code === SpanStatusCode.UNSET || this.status.code === SpanStatusCode.OK) return;
    if (code !== SpanStatusCode.OK && code !== SpanStatusCode.ERROR) {
      diag.warn(`Ignoring a status whose code is ${String(code)}, expected 0, 1 or 2`);
      return;
    }
    const kept: SpanStatus = { code };
    if (code === SpanStatusCode.ERROR) {
      const { message } = status;
      if (typeof message === 'string') kept.message = message;
      else if (message !== undefined && message !== null) {
        diag.warn(`Dropping invalid status.message of type '${typeof message}', expected 'string'`);
      }
    }
    this.putStatus(kept);
  }

  /** The time given, else now. */
  protected timeOf(input: TimeInput | undefined): HrTime {
    const anchor = this[ANCHOR];
    const given = timeInputToHrTime(input, anchor ?? clock.anchor);
    if (given !== undefined) return given;
    return anchor === undefined ? millisToHrTime(Date.now()) : performanceToHrTime(performance.now(), anchor);
  }

  protected reportInverted(): void {
    diag.warn(
      'Inconsistent start and end time, startTime > endTime. Setting span duration to 0ms.',
      this.startTime,
      this.endTime,
    );
  }

  protected reportDropped({ droppedEventsCount, droppedLinksCount }: SpanDetails): void {
    if (droppedEventsCount > 0) diag.warn(`Dropped ${droppedEventsCount} events because eventCountLimit reached`);
    if (droppedLinksCount > 0) diag.warn(`Dropped ${droppedLinksCount} links because linkCountLimit reached`);
  }

  protected hasEnded(): boolean {
    if (this.ended) {
      const { traceId, spanId } = this.spanContext();
      const operation = `on ended Span {traceId: ${traceId}, spanId: ${spanId}}`;
      diag.warn(`Cannot execute the operation ${operation}`, new Error(`Operation attempted ${operation}`));
    }
    return this.ended;
  }

  /** As the SDK shows its spans; without it a span would show its tracer, and that the whole pipeline. */
  [inspect.custom](...args: InspectArguments): string {
    const { name, kind, parentSpanContext, status, startTime, endTime, duration, ended } = this;
    const { attributes, events, links, droppedAttributesCount, droppedEventsCount, droppedLinksCount } = this;
    const fields = {
      name,
      kind,
      spanContext: this.spanContext(),
      parentSpanContext,
      status,
      startTime,
      endTime,
      duration,
      ended,
      attributes,
      events,
      links,
      droppedAttributesCount,
      droppedEventsCount,
      droppedLinksCount,
      instrumentationScope: this.instrumentationScope,
      resource: settledAttributes(this.resource),
    };
    return inspected(this, fields, args);
  }
}

/** What `exception` says of itself, in the semantic conventions' attributes. */
function exceptionAttributes(exception: Exception): Attributes {
  const attributes: Attributes = {};
  if (typeof exception === 'string') {
    attributes[EXCEPTION_MESSAGE] = exception;
  } else if (exception) {
    if (exception.code) attributes[EXCEPTION_TYPE] = exception.code.toString();
    else if (exception.name) attributes[EXCEPTION_TYPE] = exception.name;
    if (exception.message) attributes[EXCEPTION_MESSAGE] = exception.message;
    if (exception.stack) attributes[EXCEPTION_STACKTRACE] = exception.stack;
  }
  return attributes;
}
