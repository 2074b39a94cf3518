/**
 * Parts of OTLP's Span message (opentelemetry/proto/trace/v1/trace.proto) that are encoded in the same way
 * whoever kept them. All of them take what is known to be valid, and run no code of a program's.
 *
 * @module
 */
import type { SpanKind } from '@opentelemetry/api';
import { Encoder } from '../journal/encoder.js';
import { tags } from '../wire/message.js';
import { Event, Link, Span, Status } from '../wire/otlp.js';

export const SPAN = tags(Span);
export const STATUS = tags(Status);
export const EVENT = tags(Event);
export const LINK = tags(Link);

/** One for all spans: nothing else runs while one is encoded. */
export const encoder = new Encoder();

// Span.flags, Link.flags: whether a context is remote is known, and whether it is.
export const HAS_IS_REMOTE = 0x100;
export const IS_REMOTE = 0x200;

/** One of the API's five kinds, 0 to 4. */
export function isKind(kind: unknown): kind is SpanKind {
  return kind === 0 || kind === 1 || kind === 2 || kind === 3 || kind === 4;
}

/** `STATUS_CODE_OK` or `STATUS_CODE_ERROR`; anything else is no status, which is not written. */
export function encodeStatus(code: unknown, message: unknown): void {
  if (code !== 1 && code !== 2) return;
  encoder.tag(SPAN.status);
  const status = encoder.begin();
  if (typeof message === 'string' && message !== '') encoder.stringField(STATUS.message, message);
  numberField(STATUS.code, code);
  encoder.end(status);
}

/** A uint32 that is not 0. */
export function countField(tag: number, count: unknown): void {
  if (typeof count === 'number' && count > 0 && count <= 0xffffffff) numberField(tag, Math.floor(count));
}

function numberField(tag: number, value: number): void {
  encoder.tag(tag);
  encoder.varint(value);
}
