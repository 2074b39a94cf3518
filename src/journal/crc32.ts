/**
 * CRC-32 as zlib's: the journal takes it of a header now and then, and `node:zlib` costs a start 2.5 ms of
 * CPU (Node 24).
 *
 * @module
 */

/** Reversed, as in RFC 1952, section 8. */
const POLYNOMIAL = 0xedb88320;

const table = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = (value & 1) === 0 ? value >>> 1 : (value >>> 1) ^ POLYNOMIAL;
  return value;
});

/** Of `bytes`; `before` is that of what stands before them. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let value = ~before;
  for (let i = 0; i < bytes.length; i++) value = table[(value ^ bytes[i]!) & 0xff]! ^ (value >>> 8);
  return ~value >>> 0;
}
