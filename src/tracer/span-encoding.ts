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
import { AttributeBlock } from './attribute-block.js';
import { hexToWord } from './ids.js';
import type { LeanSpan } from './span.js';
import { wholeTime } from './time-input.js';

/** One for all spans: nothing else runs while one is encoded. */
const encoder = new Encoder();

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
  if (traceState) encoder.stringField(0x1a, traceState);
  encoder.cachedStringField(0x2a, span.name);
  if (span.block !== undefined) encoder.words(span.block.words, span.block.length);
  encodeAttributes(span, 0);
}

/** For spans to come. Not to be called while a span is being encoded. */
export function encodeBlock(pairs: readonly unknown[]): AttributeBlock {
  encoder.reset();
  for (let i = 0; i < pairs.length; i += 2) encoder.attribute(0x4a, pairs[i] as string, pairs[i + 1]);
  const bytes = encoder.copy();
  encoder.shrink();
  return new AttributeBlock(pairs, toWords(bytes), bytes.length);
}

function encodeMore(span: LeanSpan): void {
  if (span.name !== span.encodedName) encoder.cachedStringField(0x2a, span.name);
  encodeAttributes(span, span.encodedPairs);
}

function encodeEnd(span: LeanSpan): void {
  encoder.timeField(0x41, span.endSeconds, span.endNanos);
  if (span.details !== undefined) encodeDetails(span);
  if (span.status.code !== 0) encodeStatus(span.status);
}

function encodeStatus({ code, message }: SpanStatus): void {
  encoder.tag(0x7a);
  const status = encoder.begin();
  if (message) encoder.stringField(0x12, message);
  numberField(0x18, code);
  encoder.end(status);
}

function encodeAttributes(span: LeanSpan, from: number): void {
  const list = span.attributeList;
  if (list !== undefined) {
    for (let i = from; i < span.listLength; i += 2) encoder.attribute(0x4a, list[i] as string, list[i + 1]);
  } else if (span.attributeObject !== undefined) {
    encoder.attributes(0x4a, span.attributeObject);
  }
}

function encodeDetails(span: LeanSpan): void {
  const details = span.details!;
  if (details.droppedAttributes > 0) numberField(0x50, details.droppedAttributes);
  for (const event of details.events) encodeEvent(event);
  if (details.droppedEvents > 0) numberField(0x60, details.droppedEvents);
  for (const link of details.links) encodeLink(link);
  if (details.droppedLinks > 0) numberField(0x70, details.droppedLinks);
}

function encodeEvent(event: TimedEvent): void {
  encoder.tag(0x5a);
  const message = encoder.begin();
  const [seconds, nanos] = wholeTime(event.time);
  encoder.timeField(0x09, seconds, nanos);
  encoder.cachedStringField(0x12, event.name);
  if (event.attributes !== undefined) encoder.attributes(0x1a, event.attributes);
  if (event.droppedAttributesCount) numberField(0x20, event.droppedAttributesCount);
  encoder.end(message);
}

function encodeLink({ context, attributes, droppedAttributesCount }: Link): void {
  const traceState = context.traceState?.serialize();
  encoder.tag(0x6a);
  const message = encoder.begin();
  idField(0x0a, context.traceId, 16);
  idField(0x12, context.spanId, 8);
  if (traceState) encoder.stringField(0x1a, traceState);
  if (attributes !== undefined) encoder.attributes(0x22, attributes);
  if (droppedAttributesCount) numberField(0x28, droppedAttributesCount);
  encoder.tag(0x35);
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
