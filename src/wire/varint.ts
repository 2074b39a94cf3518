/**
 * Protobuf's variable-length numbers: seven bits a byte, the lowest first, the top bit set in all bytes but
 * the last.
 *
 * @module
 */

/** Bytes of the longest one that is allowed: 64 bits. */
export const MAX_VARINT_BYTES = 10;

/**
 * Where the varint that starts at `at` ends; -1 when it does not end before `end`, or is longer than 64 bits.
 */
export function varintEnd(bytes: Uint8Array, at: number, end: number): number {
  const limit = Math.min(end, at + MAX_VARINT_BYTES);
  for (let i = at; i < limit; i++) if (bytes[i]! < 0x80) return i + 1;
  return -1;
}

/** The varint in [at..end); exact up to 2^53, the last bits of a larger one are lost. */
export function varintIn(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let i = at, scale = 1; i < end; i++, scale *= 128) value += (bytes[i]! & 0x7f) * scale;
  return value;
}

/** Writes an unsigned number below 2^53. @returns where the next byte goes */
export function putVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value;
  // Not a shift: that would cut the number to 32 bits.
  for (; rest >= 0x80000000; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
  for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
  bytes[at++] = rest;
  return at;
}

/** Bytes that {@link putVarint} writes for `value`. */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

/** Bytes of a length-delimited field with a field number below 16, by those of its content. */
export function fieldLength(contentLength: number): number {
  return 1 + varintLength(contentLength) + contentLength;
}
