/**
 * Whether bytes are a ScopeSpans message that every backend can decode, down to the last attribute: fields of
 * opentelemetry/proto/trace/v1/trace.proto, with their wire types, whole, with text in UTF-8 and ids of the right length.
 *
 * @module
 */
import { isUtf8 } from 'node:buffer';

type Kind = 'varint' | 'fixed64' | 'fixed32' | 'string' | 'bytes' | 'trace-id' | 'span-id' | Message;
/** Kinds by field number. */
interface Message {
  [field: number]: Kind;
}

const anyValue: Message = { 1: 'string', 2: 'varint', 3: 'varint', 4: 'fixed64', 7: 'bytes' };
const keyValue: Message = { 1: 'string', 2: anyValue };
anyValue[5] = { 1: anyValue };
anyValue[6] = { 1: keyValue };
const event: Message = { 1: 'fixed64', 2: 'string', 3: keyValue, 4: 'varint' };
const link: Message = { 1: 'trace-id', 2: 'span-id', 3: 'string', 4: keyValue, 5: 'varint', 6: 'fixed32' };
const span: Message = {
  1: 'trace-id',
  2: 'span-id',
  3: 'string',
  4: 'span-id',
  5: 'string',
  6: 'varint',
  7: 'fixed64',
  8: 'fixed64',
  9: keyValue,
  10: 'varint',
  11: event,
  12: 'varint',
  13: link,
  14: 'varint',
  15: { 2: 'string', 3: 'varint' },
  16: 'fixed32',
};
const scopeSpans: Message = { 1: { 1: 'string', 2: 'string', 3: keyValue, 4: 'varint' }, 2: span, 3: 'string' };

/** Decoders stop at about 100. */
const MAX_DEPTH = 64;

export function isSoundScopeSpans(bytes: Uint8Array): boolean {
  return new Walk(bytes).message(scopeSpans, bytes.length, 0);
}

/** The same of a `scope_spans` field that is alone in `chunk`. */
export function isSoundChunk(chunk: Uint8Array): boolean {
  return new Walk(chunk).message({ 2: scopeSpans }, chunk.length, 0);
}

class Walk {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  message(fields: Message, end: number, depth: number): boolean {
    if (depth > MAX_DEPTH) return false;
    while (this.#at < end) {
      const tag = this.#varint(end);
      const kind = fields[Math.floor(tag / 8)];
      if (kind === undefined || !this.#field(kind, tag % 8, end, depth)) return false;
    }
    return true;
  }

  #field(kind: Kind, wireType: number, end: number, depth: number): boolean {
    switch (kind) {
      case 'varint':
        return wireType === 0 && this.#varint(end) >= 0;
      case 'fixed64':
        this.#at += 8;
        return wireType === 1 && this.#at <= end;
      case 'fixed32':
        this.#at += 4;
        return wireType === 5 && this.#at <= end;
      default: {
        const length = wireType === 2 ? this.#varint(end) : -1;
        const start = this.#at;
        const stop = start + length;
        if (length < 0 || stop > end) return false;
        if (typeof kind === 'object') return this.message(kind, stop, depth + 1);
        this.#at = stop;
        if (kind === 'string') return isUtf8(this.#bytes.subarray(start, stop));
        return kind === 'bytes' || length === 0 || length === (kind === 'trace-id' ? 16 : 8);
      }
    }
  }

  /** -1 where none ends before `end`, or within the ten bytes of 64 bits. */
  #varint(end: number): number {
    let value = 0;
    for (let i = 0, factor = 1; i < 10 && this.#at < end; i++, factor *= 128) {
      const byte = this.#bytes[this.#at++]!;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
    return -1;
  }
}
