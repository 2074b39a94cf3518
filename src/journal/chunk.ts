/**
 * Chunks of a segment's body: a whole `scope_spans` field of a ResourceSpans message, with one span.
 *
 * @module
 */
import { copyBytes, type Memory } from './memory.js';

const SCOPE_SPANS_TAG = 0x12; // ResourceSpans.scope_spans = 2
const SPAN_TAG = 0x12; // ScopeSpans.spans = 2

/** Bytes of a chunk, by those of its scope's and its span's fields. */
export function chunkLength(scopeLength: number, spanLength: number): number {
  return fieldLength(scopeLength + fieldLength(spanLength));
}

/**
 * Writes what comes before the span's fields: the scope's are in `source` from `scopeStart` on.
 *
 * @returns where the span's fields go
 */
export function beginChunk(
  memory: Memory,
  at: number,
  source: Memory,
  scopeStart: number,
  scopeLength: number,
  spanLength: number,
): number {
  const { bytes } = memory;
  bytes[at++] = SCOPE_SPANS_TAG;
  at = putVarint(bytes, at, scopeLength + fieldLength(spanLength));
  copyBytes(source, scopeStart, memory, at, scopeLength);
  at += scopeLength;
  bytes[at++] = SPAN_TAG;
  return putVarint(bytes, at, spanLength);
}

// A span that is encoded in place has its lengths, not known before, in varints of two bytes, the second of which may be 0.

/** Bytes of a tag and such a length. */
const LENGTH_DELIMITED = 3;
/** Bytes that a chunk begun by {@link openChunk} may have. */
export const MAX_OPEN_CHUNK = 0x3fff;

/**
 * As {@link beginChunk}, for a span whose length is not known yet: {@link closeChunk} fills in what is missing.
 *
 * @returns where the span's fields go
 */
export function openChunk(memory: Memory, at: number, scope: Memory): number {
  const scopeLength = scope.bytes.length;
  const start = spanStartIn(at, scopeLength);
  memory.bytes[at] = SCOPE_SPANS_TAG;
  copyBytes(scope, 0, memory, at + LENGTH_DELIMITED, scopeLength);
  memory.bytes[start - LENGTH_DELIMITED] = SPAN_TAG;
  return start;
}

/** Where the span's fields go in a chunk that is opened at `at`. */
export function spanStartIn(at: number, scopeLength: number): number {
  return at + LENGTH_DELIMITED + scopeLength + LENGTH_DELIMITED;
}

/** The span's fields are from `start` to `end`, in the chunk that was opened at `at`. */
export function closeChunk({ view }: Memory, at: number, start: number, end: number): void {
  view.setInt16(start - 2, twoByteVarint(end - start), true);
  view.setInt16(at + 1, twoByteVarint(end - at - LENGTH_DELIMITED), true);
}

/** For a little-endian word. */
function twoByteVarint(value: number): number {
  return (value & 0x7f) | 0x80 | ((value >>> 7) << 8);
}

function fieldLength(length: number): number {
  return 1 + (length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x200000 ? 3 : 4) + length;
}

/** @returns where the next byte goes */
function putVarint(bytes: Uint8Array, at: number, value: number): number {
  while (value > 0x7f) {
    bytes[at++] = (value & 0x7f) | 0x80;
    value >>>= 7;
  }
  bytes[at++] = value;
  return at;
}
