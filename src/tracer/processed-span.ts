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
} from '@opentelemetry/api';
import { isPromise, reportFailure } from '../report-failure.js';
import type { ReadableSpan, TimedEvent } from '../sdk/types.js';
import { clock } from './clock.js';
import { RecordingSpan } from './recording-span.js';
import type { SpanDetails } from './span-details.js';
import { millisToHrTime, performanceToHrTime, timeInputToHrTime } from './time-input.js';
import { isSampled } from './trace-flags.js';
import { ANCHOR, SCOPE, type TracerScope } from './tracer-scope.js';

/**
 * A span that span processors see. All its data are own, enumerable, plain properties, as in the SDK's span:
 * processors assign to them, spread them, copy them with `Object.assign`, and put proxies and derived objects
 * before them.
 */
export class ProcessedSpan extends RecordingSpan implements SpanDetails {
  name: string;
  kind: SpanKind;
  parentSpanContext: SpanContext | undefined;
  startTime: HrTime = [0, 0];
  endTime: HrTime = [0, 0];
  duration: HrTime = [-1, -1];
  ended = false;
  status: SpanStatus = { code: SpanStatusCode.UNSET };
  attributes: Attributes = {};
  events: TimedEvent[] = [];
  links: Link[] = [];
  droppedAttributesCount = 0;
  droppedEventsCount = 0;
  droppedLinksCount = 0;
  resource: ReadableSpan['resource'];
  instrumentationScope: ReadableSpan['instrumentationScope'];
  /**
   * The SDK's name for it: a copy by spread has no `spanContext()`, and code that needs one reads it here.
   */
  readonly _spanContext: SpanContext;
  attributesCount = 0;
  ending = false;

  constructor(
    scope: TracerScope,
    name: string,
    kind: SpanKind,
    context: SpanContext,
    parentSpanContext: SpanContext | undefined,
  ) {
    super(scope);
    this.name = name;
    this.kind = kind;
    this._spanContext = context;
    this.parentSpanContext = parentSpanContext;
    this.resource = scope.pipeline.resource;
    this.instrumentationScope = scope.instrumentationScope;
  }

  spanContext(): SpanContext {
    return this._spanContext;
  }

  /** Starts at the time given, else now. */
  start(startTime: TimeInput | undefined): void {
    const now = performance.now();
    clock.check(now);
    const { anchor } = clock;
    if (startTime === undefined || startTime === null) {
      this[ANCHOR] = anchor;
      this.startTime = performanceToHrTime(now, anchor);
    } else this.startTime = timeInputToHrTime(startTime, anchor) ?? millisToHrTime(Date.now());
  }

  protected put(key: string, value: AttributeValue): void {
    const isNew = !Object.hasOwn(this.attributes, key);
    if (isNew && this.attributesCount >= this[SCOPE].pipeline.limits.attributeCountLimit) {
      this.droppedAttributesCount++;
      return;
    }
    this.attributes[key] = value;
    if (isNew) this.attributesCount++;
  }

  protected putStatus(status: SpanStatus): void {
    this.status = status;
  }

  protected makeDetails(): SpanDetails {
    return this;
  }

  protected finish(endTime: TimeInput | undefined): void {
    // A processor that ends the span in its onEnding.
    if (this.ending) return;
    this.ending = true;
    this.endTime = this.timeOf(endTime);
    this.duration = between(this.startTime, this.endTime);
    const isInverted = this.duration[0] < 0;
    if (isInverted) {
      this.endTime = [...this.startTime];
      this.duration = [0, 0];
    }
    const { counts, processors, journalProcessor } = this[SCOPE].pipeline;
    counts.ended[isSampled(this._spanContext.traceFlags) ? 2 : 1]!++;
    for (const processor of processors!) {
      try {
        isPromise(processor.onEnding?.(this), 'A span processor rejected in onEnding');
      } catch (error) {
        reportFailure('A span processor threw in onEnding', error);
      }
    }
    // Not an assignment: that throws when a processor has frozen the span.
    Reflect.set(this, 'ended', true);
    for (const processor of processors!) {
      try {
        isPromise(processor.onEnd(this), 'A span processor rejected in onEnd');
      } catch (error) {
        reportFailure('A span processor threw in onEnd', error);
      }
    }
    journalProcessor?.settled(this._spanContext);
    if (isInverted) this.reportInverted();
    this.reportDropped(this);
  }

  /** See `JournalSpan.checkpoint`. */
  checkpoint(): void {
    if (!this.ended) this[SCOPE].pipeline.journalProcessor?.checkpoint(this);
  }
}

function between([seconds, nanos]: HrTime, [endSeconds, endNanos]: HrTime): HrTime {
  return endNanos < nanos
    ? [endSeconds - seconds - 1, endNanos - nanos + 1e9]
    : [endSeconds - seconds, endNanos - nanos];
}
