/**
 * A span's fields in OTLP: opentelemetry/proto/trace/v1/trace.proto, message Span.
 *
 * @module
 */
import type { Link } from '@opentelemetry/api';
import type { TimedEvent } from '@opentelemetry/sdk-trace-base';
import { Encoder } from '../journal/encoder.js';
import { hexToWord } from './ids.js';
import type { LeanSpan } from './span.js';

/** One for all spans: nothing else runs while one is encoded. */
export const encoder = new Encoder();

const HAS_IS_REMOTE = 0x100;
const IS_REMOTE = 0x200;
/** Fields of fixed size at the start: trace id 18, span id 10, parent 10, kind 2, flags 6, start time 9. */
const FIXED_START_BYTES = 64;

/** Everything that is known at the start; begins at the encoder's first byte. */
export function encodeStart(span: LeanSpan): void {
  encoder.at = 0;
  encoder.ensure(FIXED_START_BYTES);
  const { bytes } = encoder;
  bytes[0] = 0x0a;
  bytes[1] = 16;
  putWord(bytes, 2, span.trace0);
  putWord(bytes, 6, span.trace1);
  putWord(bytes, 10, span.trace2);
  putWord(bytes, 14, span.trace3);
  bytes[18] = 0x12;
  bytes[19] = 8;
  putWord(bytes, 20, span.span0);
  putWord(bytes, 24, span.span1);
  let at = 28;
  if (span.hasParent) {
    bytes[28] = 0x22;
    bytes[29] = 8;
    putWord(bytes, 30, span.parent0);
    putWord(bytes, 34, span.parent1);
    at = 38;
  }
  bytes[at++] = 0x30;
  bytes[at++] = span.kind + 1; // the API's kinds begin at 0, OTLP's at 1
  // flags = 16, fixed32
  bytes[at++] = 0x85;
  bytes[at++] = 0x01;
  encoder.at = at;
  encoder.fixed32(span.traceFlags | HAS_IS_REMOTE | (span.parentIsRemote ? IS_REMOTE : 0));
  encoder.bytes[encoder.at++] = 0x39;
  encoder.fixed64Time(span.startSeconds, span.startNanoseconds);
  if (span.traceState !== undefined) {
    const traceState = span.traceState.serialize();
    if (traceState !== '') encoder.stringField(0x1a, traceState);
  }
  encoder.cachedStringField(0x2a, span.name);
  encodeAttributes(span, 0);
}

/** What was set since the in-flight entry was last written; begins at the encoder's first byte. */
export function encodeMore(span: LeanSpan): void {
  encoder.at = 0;
  if (span.name !== span.encodedName) encoder.cachedStringField(0x2a, span.name);
  encodeAttributes(span, span.encodedPairs);
}

/** What is known at the end. */
export function encodeEnd(span: LeanSpan): void {
  encoder.tag(0x41);
  encoder.fixed64Time(span.endSeconds, span.endNanoseconds);
  if (span.droppedAttributesCount > 0) numberField(0x50, span.droppedAttributesCount);
  if (span.eventList !== undefined) for (const event of span.eventList) encodeEvent(event);
  if (span.droppedEventsCount > 0) numberField(0x60, span.droppedEventsCount);
  if (span.linkList !== undefined) for (const link of span.linkList) encodeLink(link);
  if (span.droppedLinksCount > 0) numberField(0x70, span.droppedLinksCount);
  const { code, message } = span.status;
  if (code !== 0) {
    encoder.tag(0x7a);
    const status = encoder.begin();
    if (message !== undefined && message !== '') encoder.stringField(0x12, message);
    numberField(0x18, code);
    encoder.end(status);
  }
}

function encodeAttributes(span: LeanSpan, from: number): void {
  const pairs = span.attributePairs;
  for (let i = from; i < pairs.length; i += 2) encoder.attribute(0x4a, pairs[i] as string, pairs[i + 1]);
}

function encodeEvent(event: TimedEvent): void {
  encoder.tag(0x5a);
  const message = encoder.begin();
  encoder.tag(0x09);
  encoder.fixed64Time(event.time[0], event.time[1]);
  encoder.cachedStringField(0x12, event.name);
  for (const key in event.attributes) encoder.attribute(0x1a, key, event.attributes[key]);
  if (event.droppedAttributesCount) numberField(0x20, event.droppedAttributesCount);
  encoder.end(message);
}

function encodeLink({ context, attributes, droppedAttributesCount }: Link): void {
  encoder.tag(0x6a);
  const message = encoder.begin();
  idField(0x0a, context.traceId, 16);
  idField(0x12, context.spanId, 8);
  const traceState = context.traceState?.serialize();
  if (traceState) encoder.stringField(0x1a, traceState);
  for (const key in attributes) encoder.attribute(0x22, key, attributes[key]);
  if (droppedAttributesCount) numberField(0x28, droppedAttributesCount);
  encoder.tag(0x35);
  encoder.fixed32((context.traceFlags & 0xff) | HAS_IS_REMOTE | (context.isRemote ? IS_REMOTE : 0));
  encoder.end(message);
}

function idField(tag: number, hex: string, length: number): void {
  encoder.tag(tag);
  encoder.varint(length);
  encoder.ensure(length);
  for (let digit = 0; digit < length * 2; digit += 8) {
    putWord(encoder.bytes, encoder.at, hexToWord(hex, digit));
    encoder.at += 4;
  }
}

function numberField(tag: number, value: number): void {
  encoder.tag(tag);
  encoder.varint(value);
}

/** Ids are big endian: the order of their hex digits. */
function putWord(bytes: Uint8Array, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}
