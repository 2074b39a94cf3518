/**
 * A ReadableSpan of whatever make as OTLP's Span message: spans that processors or the program have had in
 * their hands.
 *
 * @module
 */

import { NO_ENTRY, type SpanLog } from '../journal/span-log.js';
import { reportFailure } from '../report-failure.js';
import type { ReadableSpan } from '../sdk/types.js';
import type { Memory } from '../wire/memory.js';
import { type Anchor, readingAt } from './clock.js';
import { hexToWord } from './ids.js';
import { countField, EVENT, encoder, encodeStatus, LINK, SPAN } from './span-encoder.js';
import { type EventSnapshot, type LinkSnapshot, type Pairs, type SpanSnapshot, snapshotOf } from './span-snapshot.js';
import { ANCHOR } from './tracer-scope.js';

/**
 * A sampled span has ended: into the journal, as it is now. Does not throw.
 *
 * @param entry what the in-flight table has of it, or `NO_ENTRY`
 */
export function keepReadable(span: ReadableSpan, spanLog: SpanLog, scope: Memory, entry: number): void {
  try {
    const snapshot = snapshotOf(span);
    if (snapshot === undefined) throw new TypeError('the span has no valid trace id and span id');
    encoder.reset();
    encodeStart(snapshot);
    encodeAttributes(SPAN.attributes, snapshot.attributes);
    encodeEnd(snapshot);
    if (entry === NO_ENTRY) spanLog.append(scope, encoder.bytes, 0, encoder.at);
    else spanLog.finish(entry, encoder.bytes, 0, encoder.at, true);
  } catch (error) {
    reportFailure('A span could not be encoded', error);
    // What the entry has is sound: it is kept as far as it goes.
    if (entry !== NO_ENTRY) spanLog.finish(entry, encoder.bytes, 0, 0, false);
  }
  encoder.shrink();
}

/**
 * A sampled local root has started: into the in-flight table. Does not throw.
 *
 * @param isKept which attributes the table may have
 * @returns the entry, or `NO_ENTRY`
 */
export function beginReadable(
  span: ReadableSpan & { [ANCHOR]?: Anchor | undefined },
  spanLog: SpanLog,
  scope: Memory,
  isKept: (key: string) => boolean,
): number {
  try {
    const snapshot = snapshotOf(span);
    if (snapshot === undefined) return NO_ENTRY;
    encoder.reset();
    encodeStart(snapshot);
    encodeAttributes(SPAN.attributes, snapshot.attributes, isKept);
    const [seconds, nanos] = span.startTime;
    return spanLog.begin(scope, encoder.bytes, 0, encoder.at, readingAt(span[ANCHOR], seconds, nanos));
  } catch (error) {
    reportFailure('A span could not be encoded', error);
    return NO_ENTRY;
  }
}

/** Adds a name and attributes to an entry of the in-flight table. @returns false where they do not fit */
export function amendReadable(spanLog: SpanLog, entry: number, name: string | undefined, attributes: Pairs): boolean {
  try {
    encoder.reset();
    if (name !== undefined) encoder.cachedStringField(SPAN.name, name);
    encodeAttributes(SPAN.attributes, attributes);
    return encoder.at > 0 && spanLog.amend(entry, encoder.bytes, 0, encoder.at);
  } catch (error) {
    reportFailure('A span could not be encoded', error);
    return false;
  }
}

function encodeStart(span: SpanSnapshot): void {
  encoder.spanStart(span, span.flags);
  if (span.traceState) encoder.stringField(SPAN.traceState, span.traceState);
  encoder.cachedStringField(SPAN.name, span.name);
}

function encodeEnd(span: SpanSnapshot): void {
  encoder.timeField(SPAN.endTimeUnixNano, span.end[0], span.end[1]);
  countField(SPAN.droppedAttributesCount, span.droppedAttributes);
  for (const event of span.events) encodeEvent(event);
  countField(SPAN.droppedEventsCount, span.droppedEvents);
  for (const link of span.links) encodeLink(link);
  countField(SPAN.droppedLinksCount, span.droppedLinks);
  encodeStatus(span.statusCode, span.statusMessage);
}

function encodeAttributes(tag: number, pairs: Pairs, isKept?: (key: string) => boolean): void {
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i] as string;
    if (isKept === undefined || isKept(key)) encoder.attribute(tag, key, pairs[i + 1]);
  }
}

function encodeEvent({ name, time, attributes, dropped }: EventSnapshot): void {
  encoder.tag(SPAN.events);
  const message = encoder.begin();
  encoder.timeField(EVENT.timeUnixNano, time[0], time[1]);
  encoder.cachedStringField(EVENT.name, name);
  encodeAttributes(EVENT.attributes, attributes);
  countField(EVENT.droppedAttributesCount, dropped);
  encoder.end(message);
}

function encodeLink({ traceId, spanId, traceState, flags, attributes, dropped }: LinkSnapshot): void {
  encoder.tag(SPAN.links);
  const message = encoder.begin();
  idField(LINK.traceId, traceId, 16);
  idField(LINK.spanId, spanId, 8);
  if (traceState) encoder.stringField(LINK.traceState, traceState);
  encodeAttributes(LINK.attributes, attributes);
  countField(LINK.droppedAttributesCount, dropped);
  encoder.tag(LINK.flags);
  encoder.fixed32(flags);
  encoder.end(message);
}

/**
 * Always the length that the specification asks for: a Collector refuses the whole request for an id of
 * another one.
 */
function idField(tag: number, hex: string, length: number): void {
  encoder.tag(tag);
  encoder.varint(length);
  for (let digit = 0; digit < length * 2; digit += 8) encoder.idWord(hexToWord(hex, digit));
}
