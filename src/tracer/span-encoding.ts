/**
 * A span of the journal's own as OTLP's Span message, on its way into the in-flight table and the journal.
 * None of these functions throws: an operation's own work must not fail for what its span holds.
 *
 * @module
 */
import { type SpanContext, SpanKind, type SpanStatus, type TraceState } from '@opentelemetry/api';
import { toWords } from '../journal/cached-string.js';
import type { SpanStart } from '../journal/encoder.js';
import { NO_ENTRY, type SpanLog } from '../journal/span-log.js';
import { reportFailure } from '../report-failure.js';
import type { ReadableSpan, TimedEvent } from '../sdk/types.js';
import { AttributeBlock } from './attribute-block.js';
import { type Anchor, readingAt } from './clock.js';
import { keepReadable } from './readable-encoding.js';
import type { SpanDetails } from './span-details.js';
import { countField, EVENT, encoder, encodeStatus, HAS_IS_REMOTE, IS_REMOTE, isKind, SPAN } from './span-encoder.js';
import { wholeTime } from './time-input.js';
import { ANCHOR, SCOPE, type TracerScope } from './tracer-scope.js';

// Constants of this module: what every span has, without a look into an object of another one.
const { attributes: ATTRIBUTES, name: NAME, endTimeUnixNano: END_TIME } = SPAN;

/** What the encoder reads of a span, field by field and without calls. */
export interface EncodedSpan extends Omit<ReadableSpan, 'name' | 'kind'>, SpanStart {
  kind: SpanKind;
  readonly [SCOPE]: TracerScope;
  readonly [ANCHOR]: Anchor | undefined;
  name: string;
  readonly traceFlags: number;
  readonly traceState: TraceState | undefined;
  readonly parentContext: SpanContext | undefined;
  readonly endSeconds: number;
  readonly endNanos: number;
  readonly currentStatus: SpanStatus;
  /** Key, value, key, value …, {@link listLength} items of it; undefined when there are none. */
  readonly attributeList: unknown[] | undefined;
  readonly listLength: number;
  /** Somebody reads and writes the attributes there: the list is not in use. */
  readonly attributeObject: object | undefined;
  readonly block: AttributeBlock | undefined;
  readonly details: SpanDetails | undefined;
  /** Somebody has seen parts of the span that can be written to. */
  readonly exposed: boolean;
  /** In the in-flight table. */
  entry: number;
  /** How much of {@link attributeList} the entry has, and which name. */
  encodedPairs: number;
  encodedName: string;
  /** An attribute that the entry has was set anew: the entry's bytes cannot be completed. */
  readonly rewritten: boolean;
}

/** A sampled local root has started: into the in-flight table with what is known. */
export function beginSpan(span: EncodedSpan): void {
  const { pipeline, scopeFields } = span[SCOPE];
  if (pipeline.spanLog === undefined) return;
  try {
    const { spanLog } = pipeline;
    const traceState = span.traceState?.serialize();
    const reading = readingAt(span[ANCHOR], span.startSeconds, span.startNanos);
    if (!beginInPlace(span, spanLog, traceState, reading)) {
      encoder.reset();
      encodeStart(span, traceState);
      span.entry = spanLog.begin(scopeFields, encoder.bytes, 0, encoder.at, reading);
    }
    markEncoded(span);
  } catch (error) {
    reportFailure('A span could not be encoded', error);
  }
}

/** @returns false when there is no room for it: nothing has begun then */
function beginInPlace(span: EncodedSpan, spanLog: SpanLog, traceState: string | undefined, reading: number): boolean {
  const room = spanLog.reserveEntry(span[SCOPE].scopeFields);
  if (room === undefined) return false;
  try {
    encoder.writeTo(room.memory, room.start, room.end);
    encodeStart(span, traceState);
  } catch {
    return false;
  }
  span.entry = spanLog.beginReserved(encoder.at, reading);
  return true;
}

/** What was set since the in-flight entry was last written, into the entry. */
export function amendSpan(span: EncodedSpan): void {
  if (span.encodedPairs === span.listLength && span.encodedName === span.name) return;
  const spanLog = span[SCOPE].pipeline.spanLog!;
  try {
    if (amendInPlace(span, spanLog) || amendByCopying(span, spanLog)) markEncoded(span);
  } catch (error) {
    reportFailure('A span could not be encoded', error);
  }
}

/** @returns false when there is no room for it: the entry is as it was */
function amendInPlace(span: EncodedSpan, spanLog: SpanLog): boolean {
  const room = spanLog.reserveMore(span.entry);
  if (room === undefined) return false;
  const { memory, start } = room;
  try {
    encoder.writeTo(memory, start, room.end);
    encodeMore(span);
  } catch {
    return false;
  }
  return spanLog.amend(span.entry, memory.bytes, start, encoder.at);
}

function amendByCopying(span: EncodedSpan, spanLog: SpanLog): boolean {
  encoder.reset();
  encodeMore(span);
  return spanLog.amend(span.entry, encoder.bytes, 0, encoder.at);
}

function markEncoded(span: EncodedSpan): void {
  span.encodedPairs = span.listLength;
  span.encodedName = span.name;
}

/** A sampled span has ended: into the journal. */
export function keepSpan(span: EncodedSpan): void {
  const { pipeline, scopeFields } = span[SCOPE];
  const { spanLog } = pipeline;
  if (spanLog === undefined) return;
  if (isShared(span)) keepReadable(span, spanLog, scopeFields, span.entry);
  else if (!(span.entry === NO_ENTRY ? keepInPlace(span, spanLog) : finishInPlace(span, spanLog)))
    keepByCopying(span, spanLog);
}

/** Parts of the span are also in the program's hands, where reading them may run any code. */
function isShared(span: EncodedSpan): boolean {
  if (span.attributeObject !== undefined || span.exposed || typeof span.name !== 'string') return true;
  return span.details !== undefined && span.details.links.length > 0;
}

function keepByCopying(span: EncodedSpan, spanLog: SpanLog): void {
  const { entry } = span;
  const whole = entry === NO_ENTRY || span.rewritten;
  try {
    const traceState = whole ? span.traceState?.serialize() : undefined;
    encoder.reset();
    if (whole) encodeStart(span, traceState);
    else encodeMore(span);
    encodeEnd(span);
    if (entry === NO_ENTRY) spanLog.append(span[SCOPE].scopeFields, encoder.bytes, 0, encoder.at);
    else spanLog.finish(entry, encoder.bytes, 0, encoder.at, whole);
  } catch {
    // A trace state that throws, a string that is too long: the snapshot leaves it out.
    keepReadable(span, spanLog, span[SCOPE].scopeFields, entry);
  }
  encoder.shrink();
}

/** @returns false when there is no room for it, or when it cannot be encoded: nothing is kept then */
function keepInPlace(span: EncodedSpan, spanLog: SpanLog): boolean {
  try {
    // Code of the user's, which may end a span of its own: not after the reservation.
    const traceState = span.traceState?.serialize();
    const room = spanLog.reserve(span[SCOPE].scopeFields);
    if (room === undefined) return false;
    encoder.writeTo(room.memory, room.start, room.end);
    encodeStart(span, traceState);
    encodeEnd(span);
    spanLog.commit(encoder.at);
    return true;
  } catch {
    return false;
  }
}

/** As {@link keepInPlace}, for a span that has an entry. */
function finishInPlace(span: EncodedSpan, spanLog: SpanLog): boolean {
  if (span.rewritten) return false;
  const room = spanLog.reserveMore(span.entry);
  if (room === undefined) return false;
  const { memory, start } = room;
  try {
    encoder.writeTo(memory, start, room.end);
    encodeMore(span);
    encodeEnd(span);
  } catch {
    return false;
  }
  spanLog.finish(span.entry, memory.bytes, start, encoder.at, false);
  return true;
}

function encodeStart(span: EncodedSpan, traceState: string | undefined): void {
  // The encoder has one byte for it.
  if (!isKind(span.kind)) span.kind = SpanKind.INTERNAL;
  encoder.spanStart(span, span.traceFlags | HAS_IS_REMOTE | (span.parentContext?.isRemote ? IS_REMOTE : 0));
  if (traceState) encoder.stringField(SPAN.traceState, traceState);
  encoder.cachedStringField(NAME, span.name);
  if (span.block !== undefined) encoder.words(span.block.words, span.block.length);
  encodeAttributes(span, 0);
}

/** For spans to come. Not to be called while a span is being encoded. */
export function encodeBlock(pairs: readonly unknown[]): AttributeBlock {
  encoder.reset();
  for (let i = 0; i < pairs.length; i += 2) encoder.attribute(ATTRIBUTES, pairs[i] as string, pairs[i + 1]);
  const bytes = encoder.copy();
  encoder.shrink();
  return new AttributeBlock(pairs, toWords(bytes), bytes.length);
}

function encodeMore(span: EncodedSpan): void {
  if (span.name !== span.encodedName) encoder.cachedStringField(NAME, span.name);
  encodeAttributes(span, span.encodedPairs);
}

function encodeEnd(span: EncodedSpan): void {
  encoder.timeField(END_TIME, span.endSeconds, span.endNanos);
  if (span.details !== undefined) encodeDetails(span.details);
  const { currentStatus } = span;
  if (currentStatus.code !== 0) encodeStatus(currentStatus.code, currentStatus.message);
}

function encodeAttributes(span: EncodedSpan, from: number): void {
  const list = span.attributeList;
  if (list === undefined) return;
  for (let i = from; i < span.listLength; i += 2) encoder.attribute(ATTRIBUTES, list[i] as string, list[i + 1]);
}

/** Without links: see {@link isShared}. */
function encodeDetails({ events, droppedAttributesCount, droppedEventsCount, droppedLinksCount }: SpanDetails): void {
  countField(SPAN.droppedAttributesCount, droppedAttributesCount);
  for (const event of events) encodeEvent(event);
  countField(SPAN.droppedEventsCount, droppedEventsCount);
  countField(SPAN.droppedLinksCount, droppedLinksCount);
}

function encodeEvent(event: TimedEvent): void {
  encoder.tag(SPAN.events);
  const message = encoder.begin();
  const [seconds, nanos] = wholeTime(event.time);
  encoder.timeField(EVENT.timeUnixNano, seconds, nanos);
  encoder.cachedStringField(EVENT.name, event.name);
  if (event.attributes !== undefined) encoder.attributes(EVENT.attributes, event.attributes);
  countField(EVENT.droppedAttributesCount, event.droppedAttributesCount);
  encoder.end(message);
}
