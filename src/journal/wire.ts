/**
 * Protobuf's wire format, read with every bound checked: https://protobuf.dev/programming-guides/encoding/.
 *
 * @module
 */

/** Wire types. */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/**
 * Where the field that starts at `at` ends, or -1 when no whole field is there. Field number 0, groups and varints of more
 * than 10 bytes are no fields.
 */
export function fieldEnd(bytes: Uint8Array, at: number, end: number): number {
  const valueAt = varintEnd(bytes, at, end);
  if (valueAt === -1 || valueAt - at > 5 || (bytes[at]! < 8 && valueAt === at + 1)) return -1;
  let next: number;
  switch (bytes[at]! & 7) {
    case VARINT:
      return varintEnd(bytes, valueAt, end);
    case FIXED64:
      next = valueAt + 8;
      break;
    case FIXED32:
      next = valueAt + 4;
      break;
    case BYTES: {
      const dataAt = varintEnd(bytes, valueAt, end);
      if (dataAt === -1) return -1;
      next = dataAt + varint(bytes, valueAt, dataAt);
      break;
    }
    default:
      return -1;
  }
  return next <= end ? next : -1;
}

/** Where the varint that starts at `at` ends, or -1. */
export function varintEnd(bytes: Uint8Array, at: number, end: number): number {
  const limit = Math.min(end, at + 10);
  for (let i = at; i < limit; i++) if (bytes[i]! < 0x80) return i + 1;
  return -1;
}

/** The varint in [at..end); above 2^53 it is only near. */
export function varint(bytes: Uint8Array, at: number, end: number): number {
  let value = 0;
  for (let i = at, factor = 1; i < end; i++, factor *= 128) value += (bytes[i]! & 0x7f) * factor;
  return value;
}
