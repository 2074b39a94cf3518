/**
 * Spans as the encoder would hand them to a journal, with no more in them than a test looks at.
 *
 * @module
 */

import { type Memory, memoryOf } from '#src/wire/memory.js';

/** Scope fields with a name. */
export function scopeBytes(name: string): Memory {
  return memoryOf(field(1, field(1, Buffer.from(name))));
}

/** Span fields: a span id that carries `id`, a name, and an attribute-sized filling. */
export function spanBytes(id: number, name = 'span', fill = 0): Buffer {
  return Buffer.concat([startBytes(id, name), endBytes(fill)]);
}

/** The fields that are known at the start. */
export function startBytes(id: number, name = 'span'): Buffer {
  const spanId = Buffer.alloc(8);
  spanId.writeDoubleBE(id);
  return Buffer.concat([field(2, spanId), field(5, Buffer.from(name))]);
}

/** The fields that follow at the end. */
export function endBytes(fill = 0): Buffer {
  return Buffer.concat([Buffer.from([0x41, 1, 2, 3, 4, 5, 6, 7, 8]), field(3, Buffer.alloc(fill, 0x61))]);
}

/** The id of a span made by {@link spanBytes}. */
export function idOf(spanId: Uint8Array): number {
  return Buffer.from(spanId).readDoubleBE();
}

export function field(number: number, bytes: Uint8Array): Buffer {
  return Buffer.concat([varint((number << 3) | 2), varint(bytes.length), bytes]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  for (; value > 0x7f; value >>>= 7) bytes.push((value & 0x7f) | 0x80);
  bytes.push(value);
  return Buffer.from(bytes);
}
