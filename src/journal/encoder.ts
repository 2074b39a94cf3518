/**
 * OTLP protobuf, straight from values to bytes: the fields of opentelemetry/proto/trace/v1/trace.proto that a span needs.
 *
 * One encoder is reused for all spans of a process. Lengths of nested messages are not known before their bytes are written,
 * so one byte is left for each and the few messages of 128 bytes and more are moved.
 *
 * @module
 */
import { type Memory, memoryOf } from './memory.js';

/** Keys and names recur: their bytes are kept, up to this many strings. */
const CACHED_STRINGS = 1024;
const INITIAL_BYTES = 16 * 1024;
const MAX_KEPT_BYTES = 1 << 20;
/** Longer strings go through `Buffer.write`, whose call costs about as much as so many turns of a loop. */
const SHORT_STRING = 64;

const MIN_INT64 = -(2 ** 63);
const MAX_INT64 = 2 ** 63;

/** An attribute value as the OpenTelemetry API knows it, and what OTLP's AnyValue can hold beyond. */
export type EncodableValue = unknown;

/** Longer values are not worth their memory. */
const MAX_KEPT_VALUE = 256;
/** So often a key's kept value may change before it stays: keeping costs more than encoding. */
const MAX_KEPT_VALUES = 64;

const NO_WORDS = new Int32Array(0);

/** Thrown by an {@link Encoder} that writes to memory of somebody else's and has come to its end. */
const NO_ROOM = new RangeError('What is encoded is larger than the room for it');

/**
 * The length and bytes of a string that recurs. If it is an attribute's key, also its last value that came twice in a row
 * (a method, a host, a query's text), as the whole KeyValue without its tag.
 */
class CachedString {
  readonly words: Int32Array;
  readonly length: number;
  lastValue: string | undefined = undefined;
  lastWords: Int32Array = NO_WORDS;
  lastLength = 0;
  #candidate: string | undefined = undefined;
  #kept = 0;

  constructor(bytes: Uint8Array) {
    this.words = toWords(bytes);
    this.length = bytes.length;
  }

  isRepeated(value: string): boolean {
    if (value.length > MAX_KEPT_VALUE || this.#kept === MAX_KEPT_VALUES) return false;
    if (value === this.#candidate) return true;
    this.#candidate = value;
    return false;
  }

  keep(value: string, bytes: Uint8Array): void {
    this.#kept++;
    this.lastValue = value;
    this.lastWords = toWords(bytes);
    this.lastLength = bytes.length;
  }
}

/** Little endian, and filled up with zeroes. */
export function toWords(bytes: Uint8Array): Int32Array {
  const words = new Int32Array((bytes.length + 3) >> 2);
  for (let i = 0; i < bytes.length; i++) words[i >> 2]! |= bytes[i]! << ((i & 3) * 8);
  return words;
}

/**
 * What every span begins with: `Span.trace_id`, `span_id` and `parent_span_id` (unless it is 0) in words of 32 bits, `kind` as
 * the API has it, and `start_time_unix_nano`.
 */
export interface SpanStart {
  readonly trace0: number;
  readonly trace1: number;
  readonly trace2: number;
  readonly trace3: number;
  readonly span0: number;
  readonly span1: number;
  readonly parent0: number;
  readonly parent1: number;
  readonly kind: number;
  readonly startSeconds: number;
  readonly startNanos: number;
}

export class Encoder {
  #own = memoryOf(new Uint8Array(INITIAL_BYTES));
  #memory: Memory = this.#own;
  /** No Buffer: its `subarray` takes three times as long, and the journal's callers use it. */
  bytes: Uint8Array = this.#own.bytes;
  #view = this.#own.view;
  /** Where the next byte goes. */
  at = 0;
  #end = INITIAL_BYTES;
  #float = new Float64Array(1);
  #floatBytes = new Uint8Array(this.#float.buffer);
  #cache = new Map<string, CachedString>();

  /** Starts anew in the encoder's own memory, which grows as needed. */
  reset(): void {
    if (this.#memory !== this.#own) this.#use(this.#own);
    this.at = 0;
  }

  /**
   * Writes to `memory` from `at` on, until {@link reset}. What is encoded then throws a RangeError when it reaches `end`; a few
   * bytes before it may have been written.
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

  /** Gives a buffer back that one huge span has grown. */
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
    this.#view = memory.view;
    this.#end = memory.bytes.length;
  }

  /** A field's tag, for field numbers below 16 in one byte and above in two. */
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
    this.ensure(10);
    const { bytes } = this;
    let { at } = this;
    let rest = value;
    // Not a shift: that would cut the number to 32 bits.
    for (; rest >= 0x80000000; rest = Math.floor(rest / 0x80)) bytes[at++] = (rest % 0x80) | 0x80;
    for (; rest > 0x7f; rest >>>= 7) bytes[at++] = (rest & 0x7f) | 0x80;
    bytes[at++] = rest;
    this.at = at;
  }

  /** A whole number from -2^63 to 2^63 - 1 as protobuf's int64: two's complement in 64 bits. */
  int64(value: number): void {
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) {
      this.varint(value);
      return;
    }
    this.ensure(10);
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
    this.#view.setInt32(this.at, value, true);
    this.at += 4;
  }

  /** 32 bits, big endian: two make a span id, four a trace id, in the order of its hex digits. */
  idWord(word: number): void {
    this.ensure(4);
    this.#view.setInt32(this.at, word);
    this.at += 4;
  }

  /** The fields of {@link SpanStart}, with one check for room. */
  spanStart(span: SpanStart, flags: number): void {
    this.ensure(64);
    const view = this.#view;
    let { at } = this;
    const { parent0, parent1 } = span;
    view.setInt16(at, 0x0a_10);
    view.setInt32(at + 2, span.trace0);
    view.setInt32(at + 6, span.trace1);
    view.setInt32(at + 10, span.trace2);
    view.setInt32(at + 14, span.trace3);
    view.setInt16(at + 18, 0x12_08);
    view.setInt32(at + 20, span.span0);
    view.setInt32(at + 24, span.span1);
    at += 28;
    if ((parent0 | parent1) !== 0) {
      view.setInt16(at, 0x22_08);
      view.setInt32(at + 2, parent0);
      view.setInt32(at + 6, parent1);
      at += 10;
    }
    // kind, whose numbers begin at 0 in the API and at 1 in OTLP, then the tag of flags (16, fixed32)
    view.setInt32(at, 0x30_00_85_01 | ((span.kind + 1) << 16));
    view.setInt32(at + 4, flags, true);
    view.setInt8(at + 8, 0x39);
    this.at = at + 9;
    this.#time(span.startSeconds, span.startNanos);
  }

  /** Whole seconds since the epoch and nanoseconds below 10⁹ as a fixed64 field of nanoseconds; the tag is below 128. */
  timeField(tag: number, seconds: number, nanoseconds: number): void {
    this.ensure(9);
    this.bytes[this.at++] = tag;
    this.#time(seconds, nanoseconds);
  }

  #time(seconds: number, nanoseconds: number): void {
    const { at } = this;
    const view = this.#view;
    // seconds × 10⁹ needs 61 bits. 10⁹ = 1953125 × 2⁹, and seconds × 1953125 is exact in a double until the year 2116.
    const high55 = seconds * 1953125 + (nanoseconds >>> 9);
    const low = ((high55 & 0x7fffff) << 9) | (nanoseconds & 0x1ff);
    view.setInt32(at, low, true);
    view.setInt32(at + 4, high55 / 0x800000, true);
    this.at = at + 8;
  }

  /** A double, little endian. */
  double(value: number): void {
    this.ensure(8);
    this.#float[0] = value;
    for (let i = 0; i < 8; i++) this.bytes[this.at++] = this.#floatBytes[i]!;
  }

  /** Bytes as they are. */
  raw(source: Uint8Array): void {
    this.ensure(source.length);
    this.bytes.set(source, this.at);
    this.at += source.length;
  }

  /** A length-delimited field of bytes. */
  bytesField(tag: number, value: Uint8Array): void {
    this.tag(tag);
    this.varint(value.length);
    this.raw(value);
  }

  /** A length-delimited string field; lone surrogates become U+FFFD, as TextEncoder has it. */
  stringField(tag: number, value: string): void {
    this.tag(tag);
    this.#string(value);
  }

  /** Length and bytes. */
  #string(value: string): void {
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

  /** A string field whose bytes are kept for the next time: for keys and names, of which a program has few. */
  cachedStringField(tag: number, value: string): void {
    const cached = this.#cache.get(value);
    if (cached === undefined) this.#newString(tag, value);
    else this.#wordsField(tag, cached.words, cached.length);
  }

  #newString(tag: number, value: string): void {
    this.tag(tag);
    const from = this.at;
    this.#string(value);
    // Without the tag: the same string may be a key here and a name there.
    if (this.#cache.size < CACHED_STRINGS && value.length < 256)
      this.#cache.set(value, new CachedString(this.copy(from)));
  }

  /** `length` bytes, given as whole words: up to three bytes more are written, and written over by what comes next. */
  words(words: Int32Array, length: number): void {
    this.ensure(length + 3);
    this.#words(words, length, this.at);
  }

  /** As {@link words}, after a tag below 128. */
  #wordsField(tag: number, words: Int32Array, length: number): void {
    this.ensure(length + 4);
    this.bytes[this.at] = tag;
    this.#words(words, length, this.at + 1);
  }

  #words(words: Int32Array, length: number, at: number): void {
    const view = this.#view;
    // Measured: a third of the time of a loop over bytes, and of TypedArray.set for the lengths that strings have here.
    for (let i = 0; i < words.length; i++) view.setInt32(at + 4 * i, words[i]!, true);
    this.at = at + length;
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
    this.at = start - 1;
    this.varint(length);
    this.at = start + extra + length;
  }

  /** `KeyValue { key = 1, value = 2 }` as a repeated field of `tag` (below 128). */
  attribute(tag: number, key: string, value: EncodableValue): void {
    const cached = this.#cache.get(key);
    // Strings, booleans and small integers are most of all attributes: their lengths are known before their bytes.
    if (cached !== undefined && cached.length <= SHORT_STRING) {
      switch (typeof value) {
        case 'string':
          if (value === cached.lastValue) this.#wordsField(tag, cached.lastWords, cached.lastLength);
          else this.#stringAttribute(tag, key, cached, value);
          return;
        case 'boolean':
          this.#smallAttribute(tag, cached, 0x10, value ? 1 : 0);
          return;
        case 'number':
          if (value >= 0 && value < 0x4000 && Number.isInteger(value)) {
            this.#smallAttribute(tag, cached, 0x18, value);
            return;
          }
      }
    }
    this.#anyAttribute(tag, key, value);
  }

  #anyAttribute(tag: number, key: string, value: EncodableValue): void {
    this.tag(tag);
    const message = this.begin();
    this.cachedStringField(0x0a, key);
    this.tag(0x12);
    const any = this.begin();
    this.anyValue(value);
    this.end(any);
    this.end(message);
  }

  #stringAttribute(tag: number, key: string, cached: CachedString, value: string): void {
    const from = this.at + 1;
    if (value.length >= SHORT_STRING - 8 || !this.#shortAttribute(tag, cached, value))
      this.#anyAttribute(tag, key, value);
    if (cached.isRepeated(value)) cached.keep(value, this.copy(from));
  }

  /** Returns false, and has written nothing, where `value` is not ASCII. */
  #shortAttribute(tag: number, key: CachedString, value: string): boolean {
    const { length } = value;
    const size = key.length + length + 5;
    this.ensure(size + 8);
    const { bytes } = this;
    let at = this.#attributeKey(tag, size, key);
    this.#view.setInt32(at, 0x12 | ((length + 2) << 8) | (0x0a << 16) | (length << 24), true);
    at += 4;
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 0x7f) return false;
      bytes[at++] = unit;
    }
    this.at = at;
    return true;
  }

  /** A boolean or a whole number below 2^14. */
  #smallAttribute(tag: number, key: CachedString, valueTag: number, value: number): void {
    const valueLength = value < 0x80 ? 2 : 3;
    const size = key.length + valueLength + 3;
    this.ensure(size + 8);
    const at = this.#attributeKey(tag, size, key);
    const varint = value < 0x80 ? value : (value & 0x7f) | 0x80;
    this.#view.setInt32(at, 0x12 | (valueLength << 8) | (valueTag << 16) | (varint << 24), true);
    this.bytes[at + 4] = value >>> 7;
    this.at = at + valueLength + 2;
  }

  /** Tag, length and key of a KeyValue of `size` bytes; room is made. Returns where its value goes, and leaves {@link at}. */
  #attributeKey(tag: number, size: number, key: CachedString): number {
    const view = this.#view;
    const { words } = key;
    let at = this.at;
    view.setInt32(at, tag | (size << 8) | (0x0a << 16), true);
    at += 3;
    for (let i = 0; i < words.length; i++) view.setInt32(at + 4 * i, words[i]!, true);
    return at + key.length;
  }

  /** A `KeyValue` field of `tag` for each own property. */
  attributes(tag: number, values: object): void {
    for (const key in values) {
      if (Object.hasOwn(values, key)) this.attribute(tag, key, (values as Record<string, unknown>)[key]);
    }
  }

  /**
   * The content of an AnyValue. Which field a number takes is what OpenTelemetry's own transformer decides: a whole number
   * that fits an int64 is `int_value`, any other is `double_value`.
   */
  anyValue(value: EncodableValue): void {
    switch (typeof value) {
      case 'string':
        this.stringField(0x0a, value);
        return;
      case 'number':
        if (Number.isInteger(value) && value >= MIN_INT64 && value < MAX_INT64) {
          this.tag(0x18);
          this.int64(value);
        } else {
          this.tag(0x21);
          this.double(value);
        }
        return;
      case 'boolean':
        this.tag(0x10);
        this.varint(value ? 1 : 0);
        return;
      case 'object':
        break;
      default:
        return; // an AnyValue without a field is OTLP's null
    }
    if (value === null) return;
    if (value instanceof Uint8Array) {
      this.bytesField(0x3a, value);
      return;
    }
    this.ensure(1);
    if (Array.isArray(value)) {
      this.bytes[this.at++] = 0x2a;
      const array = this.begin();
      for (const item of value) {
        this.tag(0x0a);
        const any = this.begin();
        this.anyValue(item);
        this.end(any);
      }
      this.end(array);
      return;
    }
    this.bytes[this.at++] = 0x32;
    const list = this.begin();
    this.attributes(0x0a, value);
    this.end(list);
  }
}

function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 0x80)) length++;
  return length;
}

/** `Resource { attributes = 1 }`, the message alone. */
export function encodeResource(attributes: Record<string, unknown>): Uint8Array {
  const encoder = new Encoder();
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) encoder.attribute(0x0a, key, value);
  }
  return encoder.copy();
}

/** An instrumentation scope, as `InstrumentationScope` of the SDK's core has it. */
export interface Scope {
  readonly name: string;
  readonly version?: string;
  readonly schemaUrl?: string;
}

/** The fields of a ScopeSpans message that come before its spans: `scope = 1`, and `schema_url = 3` where there is one. */
export function encodeScopeFields(scope: Scope): Memory {
  const encoder = new Encoder();
  encoder.tag(0x0a);
  const message = encoder.begin();
  encoder.stringField(0x0a, scope.name);
  if (scope.version) encoder.stringField(0x12, scope.version);
  encoder.end(message);
  if (scope.schemaUrl) encoder.stringField(0x1a, scope.schemaUrl);
  return memoryOf(encoder.copy());
}
