/** Protobuf's wire format, read within exact bounds: https://protobuf.dev/programming-guides/encoding/ */
export const VARINT = 0;
export const FIXED64 = 1;
export const BYTES = 2;
export const FIXED32 = 5;

/** Bytes that are not what they claim to be; the message says where. */
export class MalformedProtobuf extends Error {
  override readonly name = 'MalformedProtobuf';
}

/** A cursor over `bytes[position..end)`. Every read throws {@link MalformedProtobuf} rather than pass `end`. */
export class ProtobufReader {
  constructor(
    readonly bytes: Buffer,
    public position: number,
    public end: number,
  ) {}

  /** The next field's tag: number << 3 | wire type. */
  tag(): number {
    const tag = this.varint();
    if (tag < 8 || tag > 0xffffffff) this.fail(`field number ${Math.floor(tag / 8)}`);
    return tag;
  }

  /** A varint as a number; exact up to 2^53, the last bits of a larger one are lost. */
  varint(): number {
    const { bytes, end } = this;
    if (this.position < end) {
      const first = bytes[this.position]!;
      if (first < 0x80) {
        this.position++;
        return first;
      }
    }
    let value = 0;
    let scale = 1;
    for (let length = 1; length <= 10; length++) {
      if (this.position >= end) this.fail('a number that is cut off');
      const byte = bytes[this.position++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    return this.fail('a number of more than 10 bytes');
  }

  /** A varint as the 64 bits that it is. */
  varint64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      if (this.position >= this.end) this.fail('a number that is cut off');
      const byte = this.bytes[this.position++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    return this.fail('a number of more than 10 bytes');
  }

  /** Reads a length and checks that so many bytes are there; they begin at `position`, and end where this says. */
  lengthEnd(): number {
    const length = this.varint();
    const end = this.position + length;
    if (end > this.end) this.fail(`a length of ${length} where ${this.end - this.position} bytes are left`);
    return end;
  }

  /** Checks that `length` bytes are left, and moves past them. */
  advance(length: number): void {
    if (this.position + length > this.end) this.fail('a value that is cut off');
    this.position += length;
  }

  skip(wireType: number): void {
    if (wireType === VARINT) this.varint();
    else if (wireType === FIXED64) this.advance(8);
    else if (wireType === BYTES) this.position = this.lengthEnd();
    else if (wireType === FIXED32) this.advance(4);
    else this.fail(`wire type ${wireType}`);
  }

  fail(found: string): never {
    throw new MalformedProtobuf(`${found} at byte ${this.position}`);
  }
}
