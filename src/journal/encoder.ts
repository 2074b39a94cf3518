/**
 * OTLP protobuf, straight from values to bytes: the fields of opentelemetry/proto/trace/v1/trace.proto that a span needs.
 *
 * One encoder is reused for all spans of a process. Lengths of nested messages are not known before their bytes are written,
 * so one byte is left for each and the few messages of 128 bytes and more are moved.
 *
 * @module
 */

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

export class Encoder {
  bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  /** Where the next byte goes. */
  at = 0;
  #float = new Float64Array(1);
  #floatBytes = new Uint8Array(this.#float.buffer);
  #cache = new Map<string, Uint8Array>();

  /** Makes room for `count` more bytes. */
  ensure(count: number): void {
    if (this.at + count > this.bytes.length) this.#grow(count);
  }

  /** What has been written from `start` on, in bytes of its own. */
  copy(start = 0): Uint8Array {
    return new Uint8Array(this.bytes.subarray(start, this.at));
  }

  /** Gives a buffer back that one huge span has grown. */
  shrink(): void {
    if (this.bytes.length > MAX_KEPT_BYTES) this.bytes = Buffer.allocUnsafeSlow(INITIAL_BYTES);
  }

  #grow(count: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.at + count));
    this.bytes.copy(larger, 0, 0, this.at);
    this.bytes = larger;
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
    const { bytes } = this;
    let { at } = this;
    bytes[at++] = value;
    bytes[at++] = value >>> 8;
    bytes[at++] = value >>> 16;
    bytes[at++] = value >>> 24;
    this.at = at;
  }

  /** Whole seconds since the epoch and nanoseconds below 10⁹ as fixed64 nanoseconds. */
  fixed64Time(seconds: number, nanoseconds: number): void {
    this.ensure(8);
    // seconds × 10⁹ needs 61 bits. 10⁹ = 1953125 × 2⁹, and seconds × 1953125 is exact in a double until the year 2116.
    const high55 = seconds * 1953125 + (nanoseconds >>> 9);
    const low = ((high55 & 0x7fffff) << 9) | (nanoseconds & 0x1ff);
    const high = (high55 / 0x800000) | 0;
    const { bytes } = this;
    const { at } = this;
    bytes[at] = low;
    bytes[at + 1] = low >>> 8;
    bytes[at + 2] = low >>> 16;
    bytes[at + 3] = low >>> 24;
    bytes[at + 4] = high;
    bytes[at + 5] = high >>> 8;
    bytes[at + 6] = high >>> 16;
    bytes[at + 7] = high >>> 24;
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
    const { length } = value;
    // Three bytes are the most that a UTF-16 unit takes in UTF-8; tag and length take 8.
    this.ensure(length * 3 + 8);
    if (tag < 0x80) this.bytes[this.at++] = tag;
    else this.tag(tag);
    if (length < SHORT_STRING) {
      const { bytes } = this;
      const lengthAt = this.at;
      let at = lengthAt + 1;
      for (let i = 0; i < length; i++) {
        const unit = value.charCodeAt(i);
        if (unit > 0x7f) {
          this.#longString(value);
          return;
        }
        bytes[at++] = unit;
      }
      bytes[lengthAt] = length;
      this.at = at;
      return;
    }
    this.#longString(value);
  }

  #longString(value: string): void {
    const start = this.begin();
    this.ensure(value.length * 3);
    this.at += this.bytes.write(value, this.at);
    this.end(start);
  }

  /** A string field whose bytes are kept for the next time: for keys and names, of which a program has few. */
  cachedStringField(tag: number, value: string): void {
    const cached = this.#cache.get(value);
    if (cached === undefined) {
      const from = this.at;
      this.stringField(tag, value);
      if (this.#cache.size < CACHED_STRINGS && value.length < 256) {
        // Without the tag: the same string may be a key here and a name there.
        this.#cache.set(value, this.copy(from + (tag < 0x80 ? 1 : 2)));
      }
      return;
    }
    const { length } = cached;
    this.ensure(length + 2);
    this.tag(tag);
    const { bytes } = this;
    let { at } = this;
    for (let i = 0; i < length; i++) bytes[at++] = cached[i]!;
    this.at = at;
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
    // Strings and small integers are most of all attributes: their lengths are known before their bytes.
    const keyField = this.#cache.get(key);
    if (keyField !== undefined && keyField.length <= SHORT_STRING) {
      if (typeof value === 'string') {
        if (value.length < SHORT_STRING - 8 && this.#shortAttribute(tag, keyField, value)) return;
      } else if (typeof value === 'number' && value >= 0 && value < 0x4000 && Number.isInteger(value)) {
        this.#smallAttribute(tag, keyField, value);
        return;
      }
    }
    this.tag(tag);
    const message = this.begin();
    this.cachedStringField(0x0a, key);
    this.tag(0x12);
    const any = this.begin();
    this.anyValue(value);
    this.end(any);
    this.end(message);
  }

  /** Returns false, and has written nothing, where `value` is not ASCII. */
  #shortAttribute(tag: number, keyField: Uint8Array, value: string): boolean {
    const keyLength = keyField.length;
    const { length } = value;
    const size = keyLength + length + 5;
    this.ensure(size + 2);
    const { bytes } = this;
    let { at } = this;
    bytes[at++] = tag;
    bytes[at++] = size;
    bytes[at++] = 0x0a;
    for (let i = 0; i < keyLength; i++) bytes[at++] = keyField[i]!;
    bytes[at++] = 0x12;
    bytes[at++] = length + 2;
    bytes[at++] = 0x0a;
    bytes[at++] = length;
    for (let i = 0; i < length; i++) {
      const unit = value.charCodeAt(i);
      if (unit > 0x7f) return false;
      bytes[at++] = unit;
    }
    this.at = at;
    return true;
  }

  /** A whole number below 2^14. */
  #smallAttribute(tag: number, keyField: Uint8Array, value: number): void {
    const keyLength = keyField.length;
    const valueLength = value < 0x80 ? 2 : 3;
    const size = keyLength + valueLength + 3;
    this.ensure(size + 2);
    const { bytes } = this;
    let { at } = this;
    bytes[at++] = tag;
    bytes[at++] = size;
    bytes[at++] = 0x0a;
    for (let i = 0; i < keyLength; i++) bytes[at++] = keyField[i]!;
    bytes[at++] = 0x12;
    bytes[at++] = valueLength;
    bytes[at++] = 0x18;
    if (valueLength === 2) {
      bytes[at++] = value;
    } else {
      bytes[at++] = (value & 0x7f) | 0x80;
      bytes[at++] = value >>> 7;
    }
    this.at = at;
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
export function encodeScopeFields(scope: Scope): Uint8Array {
  const encoder = new Encoder();
  encoder.tag(0x0a);
  const message = encoder.begin();
  encoder.stringField(0x0a, scope.name);
  if (scope.version) encoder.stringField(0x12, scope.version);
  encoder.end(message);
  if (scope.schemaUrl) encoder.stringField(0x1a, scope.schemaUrl);
  return encoder.copy();
}
