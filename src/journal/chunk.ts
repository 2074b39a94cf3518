/**
 * Chunks of a segment's body: a whole `scope_spans` field of a ResourceSpans message, with one span. That of
 * log records is a whole `scope_logs` field of a ResourceLogs message, with one record: the same bytes but
 * for the fields of the item itself.
 *
 * @module
 */
import { copyBytes, type Memory } from '../wire/memory.js';
import { tags } from '../wire/message.js';
import { ResourceSpans, ScopeSpans } from '../wire/otlp.js';
import { fieldLength, putVarint, varintEnd, varintIn } from '../wire/varint.js';

const SCOPE_SPANS = tags(ResourceSpans).scopeSpans;
const SPANS = tags(ScopeSpans).spans;

/**
 * Of one chunk, tag and length included. A Collector takes messages of 4 MiB, unless told otherwise; beyond
 * this is no chance.
 */
export const MAX_CHUNK_BYTES = 16 * 1024 * 1024;
/** An empty item in an empty message. */
export const MIN_CHUNK_BYTES = 4;
/** Bytes of such a chunk's length. */
const MAX_LENGTH_BYTES = 4;

/**
 * Bytes of the chunk that starts at `at`, by its tag and length alone: it may reach beyond `end`.
 *
 * @param trailer bytes of a checksum that follows each chunk, which count
 * @returns 0 when `end` cuts off the length itself, -1 when no chunk starts here
 */
export function chunkLengthAt(bytes: Uint8Array, at: number, end: number, trailer = 0): number {
  if (at >= end) return 0;
  if (bytes[at] !== SCOPE_SPANS) return -1;
  const lengthAt = at + 1;
  const contentAt = varintEnd(bytes, lengthAt, Math.min(end, lengthAt + MAX_LENGTH_BYTES));
  if (contentAt === -1) return end - lengthAt < MAX_LENGTH_BYTES ? 0 : -1;
  const length = varintIn(bytes, lengthAt, contentAt);
  return length > 0 && length < MAX_CHUNK_BYTES ? contentAt - at + length + trailer : -1;
}

/** Where the next byte stands that a chunk may start with; -1: nowhere. */
export function nextChunkTag(bytes: Buffer, from: number): number {
  return bytes.indexOf(SCOPE_SPANS, from);
}

/** How many whole chunks there are, back to back. */
export function countChunks(bytes: Uint8Array, trailer = 0): number {
  let count = 0;
  for (let at = 0; at < bytes.length; count++) {
    const length = chunkLengthAt(bytes, at, bytes.length, trailer);
    if (length <= 0) break;
    at += length;
  }
  return count;
}

/** Bytes of a chunk, by those of its scope's and its span's fields. */
export function chunkLength(scopeLength: number, spanLength: number): number {
  return fieldLength(scopeLength + fieldLength(spanLength));
}

/**
 * Writes what comes before the scope's fields.
 *
 * @returns where these go; behind them comes {@link beginSpanIn}
 */
export function beginChunk(bytes: Uint8Array, at: number, scopeLength: number, spanLength: number): number {
  bytes[at++] = SCOPE_SPANS;
  return putVarint(bytes, at, scopeLength + fieldLength(spanLength));
}

/**
 * Writes what comes between the scope's fields and the span's.
 *
 * @returns where the span's fields go
 */
export function beginSpanIn(bytes: Uint8Array, at: number, spanLength: number): number {
  bytes[at++] = SPANS;
  return putVarint(bytes, at, spanLength);
}

// A span that is encoded in place has its lengths, not known before, in varints of two bytes, the second of
// which may be 0.

/** Bytes of a tag and such a length. */
const LENGTH_DELIMITED = 3;
/** Bytes that a chunk begun by {@link openChunk} may have. */
export const MAX_OPEN_CHUNK = 0x3fff;

/**
 * As {@link beginChunk}, for a span whose length is not known yet: {@link closeChunk} fills in what is
 * missing.
 *
 * @returns where the span's fields go
 */
export function openChunk(memory: Memory, at: number, scope: Memory): number {
  const scopeLength = scope.bytes.length;
  const start = spanStartIn(at, scopeLength);
  memory.bytes[at] = SCOPE_SPANS;
  copyBytes(scope, 0, memory, at + LENGTH_DELIMITED, scopeLength);
  memory.bytes[start - LENGTH_DELIMITED] = SPANS;
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
