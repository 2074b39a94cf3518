/**
 * A span's fields in OTLP: opentelemetry/proto/trace/v1/trace.proto, message Span. None of these functions throws: an
 * operation's own work must not fail for what its span holds.
 *
 * @module
 */
import { diag, type Link, type SpanStatus } from '@opentelemetry/api';
import { Encoder, toWords } from '../journal/encoder.js';
import { NO_ENTRY, type SpanLog } from '../journal/span-log.js';
import type { TimedEvent } from '../sdk/types.js';
import { tags } from '../wire/message.js';
import { Event, Link as LinkMessage, Span, Status } from '../wire/otlp.js';
import { AttributeBlock } from './attribute-block.js';
import { hexToWord } from './ids.js';
import type { LeanSpan } from './span.js';
import { wholeTime } from './time-input.js';

/** One for all spans: nothing else runs while one is encoded. */
const encoder = new Encoder();

const SPAN = tags(Span);
const STATUS = tags(Status);
const EVENT = tags(Event);
const LINK = tags(LinkMessage);
const { attributes: ATTRIBUTES, name: NAME, endTimeUnixNano: END_TIME } = SPAN;

const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
/** A sampled local root has started: into the in-flight table with what is known. */
export function beginSpan(span: LeanSpan): void {
  const { pipeline, scopeFields } = span.tracer;
  if (pipeline.spanLog === undefined) return;
  try {
    const traceState = span.traceState?.serialize();
    encoder.reset();
    encodeStart(span, traceState);
    span.entry = pipeline.spanLog.begin(scopeFields, encoder.bytes, 0, encoder.at);
    markEncoded(span);
  } catch (error) {
    diag.error('A span could not be encoded', error);
  }
}

/** What was set since the in-flight entry was last written, into the entry. */
export function amendSpan(span: LeanSpan): void {
  try {
    encoder.reset();
    encodeMore(span);
    if (encoder.at > 0 && span.tracer.pipeline.spanLog!.amend(span.entry, encoder.bytes, 0, encoder.at))
      markEncoded(span);
  } catch (error) {
    diag.error('A span could not be encoded', error);
  }
}

function markEncoded(span: LeanSpan): void {
  span.encodedPairs = span.listLength;
  span.encodedName = span.name;
}

/** A sampled span has ended: into the journal. */
export function keepSpan(span: LeanSpan): void {
  const { spanLog } = span.tracer.pipeline;
  if (spanLog === undefined) return;
  if (span.entry !== NO_ENTRY || !keepInPlace(span, spanLog)) keepByCopying(span, spanLog);
}

function keepByCopying(span: LeanSpan, spanLog: SpanLog): void {
  const { entry } = span;
  const whole = entry === NO_ENTRY || span.rewritten || span.attributeObject !== undefined;
  try {
    const traceState = whole ? span.traceState?.serialize() : undefined;
    encoder.reset();
    if (whole) encodeStart(span, traceState);
    else encodeMore(span);
    encodeEnd(span);
    if (entry === NO_ENTRY) spanLog.append(span.tracer.scopeFields, encoder.bytes, 0, encoder.at);
    else spanLog.finish(entry, encoder.bytes, 0, encoder.at, whole);
  } catch (error) {
    diag.error('A span could not be encoded', error);
    // What the entry has is sound: it is kept as far as it goes.
    if (entry !== NO_ENTRY) spanLog.finish(entry, encoder.bytes, 0, 0, false);
  }
  encoder.shrink();
}

/** @returns false when there is no room for it, or when it cannot be encoded: nothing is kept then */
function keepInPlace(span: LeanSpan, spanLog: SpanLog): boolean {
  try {
    // Code of the user's, which may end a span of its own: not after the reservation.
    const traceState = span.traceState?.serialize();
    const room = spanLog.reserve(span.tracer.scopeFields);
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

function encodeStart(span: LeanSpan, traceState: string | undefined): void {
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

function encodeMore(span: LeanSpan): void {
  if (span.name !== span.encodedName) encoder.cachedStringField(NAME, span.name);
  encodeAttributes(span, span.encodedPairs);
}

function encodeEnd(span: LeanSpan): void {
  encoder.timeField(END_TIME, span.endSeconds, span.endNanos);
  if (span.details !== undefined) encodeDetails(span);
  if (span.status.code !== 0) encodeStatus(span.status);
}

function encodeStatus({ code, message }: SpanStatus): void {
  encoder.tag(SPAN.status);
  const status = encoder.begin();
  if (message) encoder.stringField(STATUS.message, message);
  numberField(STATUS.code, code);
  encoder.end(status);
}

function encodeAttributes(span: LeanSpan, from: number): void {
  const list = span.attributeList;
  if (list !== undefined) {
    for (let i = from; i < span.listLength; i += 2) encoder.attribute(ATTRIBUTES, list[i] as string, list[i + 1]);
  } else if (span.attributeObject !== undefined) {
    encoder.attributes(ATTRIBUTES, span.attributeObject);
  }
}

function encodeDetails(span: LeanSpan): void {
  const details = span.details!;
  if (details.droppedAttributes > 0) numberField(SPAN.droppedAttributesCount, details.droppedAttributes);
  for (const event of details.events) encodeEvent(event);
  if (details.droppedEvents > 0) numberField(SPAN.droppedEventsCount, details.droppedEvents);
  for (const link of details.links) encodeLink(link);
  if (details.droppedLinks > 0) numberField(SPAN.droppedLinksCount, details.droppedLinks);
}

function encodeEvent(event: TimedEvent): void {
  encoder.tag(SPAN.events);
  const message = encoder.begin();
  const [seconds, nanos] = wholeTime(event.time);
  encoder.timeField(EVENT.timeUnixNano, seconds, nanos);
  encoder.cachedStringField(EVENT.name, event.name);
  if (event.attributes !== undefined) encoder.attributes(EVENT.attributes, event.attributes);
  if (event.droppedAttributesCount) numberField(EVENT.droppedAttributesCount, event.droppedAttributesCount);
  encoder.end(message);
}

function encodeLink({ context, attributes, droppedAttributesCount }: Link): void {
  const traceState = context.traceState?.serialize();
  encoder.tag(SPAN.links);
  const message = encoder.begin();
  idField(LINK.traceId, context.traceId, 16);
  idField(LINK.spanId, context.spanId, 8);
  if (traceState) encoder.stringField(LINK.traceState, traceState);
  if (attributes !== undefined) encoder.attributes(LINK.attributes, attributes);
  if (droppedAttributesCount) numberField(LINK.droppedAttributesCount, droppedAttributesCount);
  encoder.tag(LINK.flags);
  encoder.fixed32((context.traceFlags & 0xff) | HAS_IS_REMOTE | (context.isRemote ? IS_REMOTE : 0));
  encoder.end(message);
}

function idField(tag: number, hex: string, length: number): void {
  encoder.tag(tag);
  encoder.varint(length);
  for (let digit = 0; digit < length * 2; digit += 8) encoder.idWord(hexToWord(hex, digit));
}

function numberField(tag: number, value: number): void {
  encoder.tag(tag);
  encoder.varint(value);
}
