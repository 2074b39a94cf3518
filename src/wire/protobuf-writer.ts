/**
 * Writes protobuf. Lengths of nested messages are not known before their bytes are written, so one byte is
 * left for each, and the few messages of 128 bytes and more are moved.
 *
 * @module
 */
import { copyBytes, type Memory, memoryOf } from './memory.js';
import { MAX_VARINT_BYTES, putVarint, varintLength } from './varint.js';

const INITIAL_BYTES = 16 * 1024;
const MAX_KEPT_BYTES = 1 << 20;
/** Longer strings go through `Buffer.write`, whose call costs about as much as so many turns of a loop. */
const SHORT_STRING = 64;

/** Thrown by a {@link ProtobufWriter} that writes to memory of somebody else's and has come to its end. */
const NO_ROOM = new RangeError('What is encoded is larger than the room for it');

/** Tags are `number << 3 | wire type`: see `tags()` of message.ts. */
export class ProtobufWriter {
  #own: Memory;
  #memory: Memory;
  /** No Buffer: its `subarray` takes three times as long, and the journal's callers use it. */
  bytes: Uint8Array;
  /** Over the same bytes. */
  protected view: DataView;
  /** Where the next byte goes. */
  at = 0;
  #end: number;

  constructor(capacity = INITIAL_BYTES) {
    this.#own = memoryOf(new Uint8Array(capacity));
    this.#memory = this.#own;
    this.bytes = this.#own.bytes;
    this.view = this.#own.view;
    this.#end = capacity;
  }

  /** Starts anew in the writer's own memory, which grows as needed. */
  reset(): void {
    if (this.#memory !== this.#own) this.#use(this.#own);
    this.at = 0;
  }

  /**
   * Writes to `memory` from `at` on, until {@link reset}. What is written then throws a RangeError when it
   * reaches `end`; a few bytes before it may have been written.
   */
  writeTo(memory: Memory, at: number, end: number): void {
    if (this.#memory !== memory) this.#use(memory);
    this.at = at;
    this.#end = end;
  }

  /** Makes room for `count` more bytes. */
  ensure(count: number): void {
    if (this.at + count > this.#end) this.#grow(count);
  }

  /** What has been written from `start` on, in bytes of its own. */
  copy(start = 0): Uint8Array {
    return new Uint8Array(this.bytes.subarray(start, this.at));
  }

  /** Gives a buffer back that one huge message has grown. */
  shrink(): void {
    if (this.#own.bytes.length <= MAX_KEPT_BYTES) return;
    this.#own = memoryOf(new Uint8Array(INITIAL_BYTES));
    this.#use(this.#own);
  }

  #grow(count: number): void {
    if (this.#memory !== this.#own) throw NO_ROOM;
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, this.at + count));
    larger.set(this.bytes.subarray(0, this.at));
    this.#own = memoryOf(larger);
    this.#use(this.#own);
  }

  #use(memory: Memory): void {
    this.#memory = memory;
    this.bytes = memory.bytes;
    this.view = memory.view;
    this.#end = memory.bytes.length;
  }

  /** A field's tag, for field numbers below 16 in one byte and below 2048 in two. */
  tag(tag: number): void {
    this.ensure(2);
    if (tag < 0x80) {
      this.bytes[this.at++] = tag;
    } else {
      this.bytes[this.at++] = (tag & 0x7f) | 0x80;
      this.bytes[this.at++] = tag >>> 7;
    }
  }

  /** An unsigned number below 2^53. */
  varint(value: number): void {
    this.ensure(MAX_VARINT_BYTES);
    this.at = putVarint(this.bytes, this.at, value);
  }

  /** A whole number from -2^63 to 2^64 - 1 as protobuf's int64 or uint64: two's complement in 64 bits. */
  int64(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      this.varint(value);
      return;
    }
    this.ensure(MAX_VARINT_BYTES);
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 0x7fn) {
      this.bytes[this.at++] = Number(rest & 0x7fn) | 0x80;
      rest >>= 7n;
    }
    this.bytes[this.at++] = Number(rest);
  }

  /** Four bytes, little endian. */
  fixed32(value: number): void {
    this.ensure(4);
    this.view.setInt32(this.at, value, true);
    this.at += 4;
  }

  /** Eight bytes, little endian, signed or not. */
  fixed64(value: bigint): void {
    this.ensure(8);
    this.view.setBigUint64(this.at, BigInt.asUintN(64, value), true);
    this.at += 8;
  }

  /** A double, little endian. */
  double(value: number): void {
    this.ensure(8);
    this.view.setFloat64(this.at, value, true);
    this.at += 8;
  }

  /** Bytes as they are. */
  raw(source: Uint8Array): void {
    this.ensure(source.length);
    this.bytes.set(source, this.at);
    this.at += source.length;
  }

  /** `source[start..end)` as it is, with nothing allocated. */
  rawPart(source: Memory, start: number, end: number): void {
    this.ensure(end - start);
    copyBytes(source, start, this.#memory, this.at, end - start);
    this.at += end - start;
  }

  /** A length-delimited field of bytes. */
  bytesField(tag: number, value: Uint8Array): void {
    this.lengthField(tag, value.length);
    this.raw(value);
  }

  /** Tag and length of a length-delimited field, whose content the caller writes. */
  lengthField(tag: number, length: number): void {
    this.tag(tag);
    this.varint(length);
  }

  /** A length-delimited string field; lone surrogates become U+FFFD, as TextEncoder has it. */
  stringField(tag: number, value: string): void {
    this.tag(tag);
    this.string(value);
  }

  /** Length and bytes. */
  protected string(value: string): void {
    const { length } = value;
    if (length >= SHORT_STRING) {
      this.#longString(value);
      return;
    }
    this.ensure(length + 1);
    const { bytes } = this;
    let at = this.at + 1;
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 0x7f) {
        this.#longString(value);
        return;
      }
      bytes[at++] = unit;
    }
    bytes[this.at] = length;
    this.at = at;
  }

  #longString(value: string): void {
    const start = this.begin();
    // Three bytes are the most that a UTF-16 unit takes in UTF-8.
    this.ensure(value.length * 3);
    this.at += this.#memory.buffer.write(value, this.at);
    this.end(start);
  }

  /** Opens a nested message whose tag is written: returns what {@link end} needs. */
  begin(): number {
    this.ensure(1);
    return ++this.at;
  }

  /** Closes a nested message: writes its length, and moves it where the length takes more than one byte. */
  end(start: number): void {
    const length = this.at - start;
    if (length < 0x80) {
      this.bytes[start - 1] = length;
      return;
    }
    const extra = varintLength(length) - 1;
    this.ensure(extra);
    this.bytes.copyWithin(start + extra, start, this.at);
    putVarint(this.bytes, start - 1, length);
    this.at = start + extra + length;
  }
}
