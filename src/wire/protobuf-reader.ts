import { varintEnd, varintIn } from './varint.js';

/** Protobuf's wire types: https://protobuf.dev/programming-guides/encoding/ */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
const START_GROUP = 3;
const END_GROUP = 4;
export const FIXED32 = 5;

/**
 * Messages in messages; AnyValue may hold itself. Protobuf's own decoders stop at 100: deeper is an attack,
 * not a span.
 */
export const MAX_DEPTH = 64;

/** Bytes that are not what they claim to be; the message says where. */
export class MalformedProtobuf extends Error {
  override readonly name = 'MalformedProtobuf';
}

/**
 * A cursor over `bytes[position..end)`. Every read throws {@link MalformedProtobuf} rather than pass `end`.
 */
export class ProtobufReader {
  readonly bytes: Buffer;
  position: number;
  end: number;

  constructor(bytes: Uint8Array, position = 0, end = bytes.length) {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.position = position;
    this.end = end;
  }

  /** The next field's tag: number << 3 | wire type. */
  tag(): number {
    const tag = this.varint();
    if (tag < 8 || tag > 0xffffffff) this.fail(`field number ${Math.floor(tag / 8)}`);
    return tag;
  }

  /** A varint as a number; exact up to 2^53, the last bits of a larger one are lost. */
  varint(): number {
    const { bytes, position } = this;
    if (position < this.end && bytes[position]! < 0x80) {
      this.position++;
      return bytes[position]!;
    }
    return varintIn(bytes, position, this.#endVarint());
  }

  /** The lowest 32 bits of a varint, which is what protobuf takes of one that is too large. */
  uint32(): number {
    const { bytes, position } = this;
    const end = this.#endVarint();
    let value = 0;
    for (let i = position, shift = 0; i < end && shift < 32; i++, shift += 7) value |= (bytes[i]! & 0x7f) << shift;
    return value >>> 0;
  }

  /** A varint as the 64 bits that it is. */
  uint64(): bigint {
    const { bytes, position } = this;
    const end = this.#endVarint();
    let value = 0n;
    for (let i = position, shift = 0n; i < end; i++, shift += 7n) value |= BigInt(bytes[i]! & 0x7f) << shift;
    return BigInt.asUintN(64, value);
  }

  /**
   * Reads a length and checks that so many bytes are there; they begin at `position`, and end where this
   * says.
   */
  lengthEnd(): number {
    const length = this.varint();
    const end = this.position + length;
    if (end > this.end) this.fail(`a length of ${length} where ${this.end - this.position} bytes are left`);
    return end;
  }

  /** Moves past `length` bytes. @returns where they begin */
  advance(length: number): number {
    const from = this.position;
    if (from + length > this.end) this.fail('a value that is cut off');
    this.position = from + length;
    return from;
  }

  /** Moves past the value of a field whose tag has been read. */
  skip(tag: number): void {
    switch (tag & 7) {
      case VARINT:
        this.#endVarint();
        break;
      case FIXED64:
        this.advance(8);
        break;
      case BYTES:
        this.position = this.lengthEnd();
        break;
      case FIXED32:
        this.advance(4);
        break;
      case START_GROUP:
        this.#skipGroup(tag, 0);
        break;
      default:
        this.fail(`wire type ${tag & 7}`);
    }
  }

  fail(found: string): never {
    throw new MalformedProtobuf(`${found} at byte ${this.position}`);
  }

  /**
   * Fields up to the end tag of the same number. OTLP has no groups: this is for fields of others that are
   * skipped.
   */
  #skipGroup(start: number, depth: number): void {
    if (depth > MAX_DEPTH) this.fail(`more than ${MAX_DEPTH} nested groups`);
    for (;;) {
      const tag = this.tag();
      if (tag >>> 3 === start >>> 3 && (tag & 7) === END_GROUP) return;
      if ((tag & 7) === START_GROUP) this.#skipGroup(tag, depth + 1);
      else this.skip(tag);
    }
  }

  #endVarint(): number {
    const end = varintEnd(this.bytes, this.position, this.end);
    if (end === -1) this.fail('a number that is cut off, or has more than 10 bytes');
    this.position = end;
    return end;
  }
}
