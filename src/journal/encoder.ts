/**
 * Spans and attributes as OTLP, straight from values to bytes: the one place where OTLP is written by hand,
 * for its speed. One encoder is reused for all spans of a process.
 *
 * @module
 */
import { type Memory, memoryOf } from '../wire/memory.js';
import { tags } from '../wire/message.js';
import {
  AnyValue,
  ArrayValue,
  KeyValue,
  KeyValueList,
  Resource,
  Scope as ScopeMessage,
  ScopeSpans,
  Span,
} from '../wire/otlp.js';
import { ProtobufWriter } from '../wire/protobuf-writer.js';
import { CachedString } from './cached-string.js';

/** Keys and names recur: their bytes are kept, up to this many strings. */
const CACHED_STRINGS = 1024;
/** Longer strings have lengths of more than one byte, and are rare. */
const SHORT_STRING = 64;

const RESOURCE_ATTRIBUTES = tags(Resource).attributes;
const SCOPE = tags(ScopeMessage);
const SCOPE_SPANS = tags(ScopeSpans);
const { key: KEY, value: VALUE } = tags(KeyValue);
const {
  stringValue: STRING_VALUE,
  boolValue: BOOL_VALUE,
  intValue: INT_VALUE,
  doubleValue: DOUBLE_VALUE,
  arrayValue: ARRAY_VALUE,
  kvlistValue: KVLIST_VALUE,
  bytesValue: BYTES_VALUE,
} = tags(AnyValue);
const ARRAY_VALUES = tags(ArrayValue).values;
const KVLIST_VALUES = tags(KeyValueList).values;
const SPAN = tags(Span);
// Tag and length, big endian.
const TRACE_ID = (SPAN.traceId << 8) | 16;
const SPAN_ID = (SPAN.spanId << 8) | 8;
const PARENT_SPAN_ID = (SPAN.parentSpanId << 8) | 8;
/** The tag of `kind`, room for its byte, the two bytes of the tag of `flags`; big endian. */
const KIND_THEN_FLAGS = (SPAN.kind << 24) | (((SPAN.flags & 0x7f) | 0x80) << 8) | (SPAN.flags >> 7);
const START_TIME = SPAN.startTimeUnixNano;

const MIN_INT64 = -(2 ** 63);
const MAX_INT64 = 2 ** 63;

/** An attribute value as the OpenTelemetry API knows it, and what OTLP's AnyValue can hold beyond. */
export type EncodableValue = unknown;

/** A trace id and a span id in words of 32 bits, in the order of their hex digits. */
export interface SpanWords {
  readonly trace0: number;
  readonly trace1: number;
  readonly trace2: number;
  readonly trace3: number;
  readonly span0: number;
  readonly span1: number;
}

/**
 * What every span begins with: `Span.trace_id`, `span_id` and `parent_span_id` (unless it is 0) in words of
 * 32 bits, `kind` as the API has it, and `start_time_unix_nano`.
 */
export interface SpanStart extends SpanWords {
  readonly parent0: number;
  readonly parent1: number;
  readonly kind: number;
  readonly startSeconds: number;
  readonly startNanos: number;
}

export class Encoder extends ProtobufWriter {
  #cache = new Map<string, CachedString>();

  /** 32 bits, big endian: two make a span id, four a trace id, in the order of its hex digits. */
  idWord(word: number): void {
    this.ensure(4);
    this.view.setInt32(this.at, word);
    this.at += 4;
  }

  /** The fields of {@link SpanStart}, with one check for room. */
  spanStart(span: SpanStart, flags: number): void {
    this.ensure(64);
    const view = this.view;
    let { at } = this;
    const { parent0, parent1 } = span;
    view.setInt16(at, TRACE_ID);
    view.setInt32(at + 2, span.trace0);
    view.setInt32(at + 6, span.trace1);
    view.setInt32(at + 10, span.trace2);
    view.setInt32(at + 14, span.trace3);
    view.setInt16(at + 18, SPAN_ID);
    view.setInt32(at + 20, span.span0);
    view.setInt32(at + 24, span.span1);
    at += 28;
    if ((parent0 | parent1) !== 0) {
      view.setInt16(at, PARENT_SPAN_ID);
      view.setInt32(at + 2, parent0);
      view.setInt32(at + 6, parent1);
      at += 10;
    }
    // The numbers of kinds begin at 0 in the API and at 1 in OTLP.
    view.setInt32(at, KIND_THEN_FLAGS | ((span.kind + 1) << 16));
    view.setInt32(at + 4, flags, true);
    view.setInt8(at + 8, START_TIME);
    this.at = at + 9;
    this.#time(span.startSeconds, span.startNanos);
  }

  /**
   * Whole seconds since the epoch and nanoseconds below 10⁹ as a fixed64 field of nanoseconds; the tag is
   * below 128.
   */
  timeField(tag: number, seconds: number, nanoseconds: number): void {
    this.ensure(9);
    this.bytes[this.at++] = tag;
    this.#time(seconds, nanoseconds);
  }

  #time(seconds: number, nanoseconds: number): void {
    const { at } = this;
    const view = this.view;
    // seconds × 10⁹ needs 61 bits. 10⁹ = 1953125 × 2⁹, and seconds × 1953125 is exact in a double until the
    // year 2116.
    const high55 = seconds * 1953125 + (nanoseconds >>> 9);
    const low = ((high55 & 0x7fffff) << 9) | (nanoseconds & 0x1ff);
    view.setInt32(at, low, true);
    view.setInt32(at + 4, high55 / 0x800000, true);
    this.at = at + 8;
  }

  /**
   * A string field whose bytes are kept for the next time: for keys and names, of which a program has few.
   */
  cachedStringField(tag: number, value: string): void {
    const cached = this.#cache.get(value);
    if (cached === undefined) this.#newString(tag, value);
    else this.#wordsField(tag, cached.words, cached.length);
  }

  #newString(tag: number, value: string): void {
    this.tag(tag);
    const from = this.at;
    this.string(value);
    // Without the tag: the same string may be a key here and a name there.
    if (this.#cache.size < CACHED_STRINGS && value.length < 256)
      this.#cache.set(value, new CachedString(this.copy(from)));
  }

  /**
   * `length` bytes, given as whole words: up to three bytes more are written, and written over by what comes
   * next.
   */
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
    const view = this.view;
    // Measured: a third of the time of a loop over bytes, and of TypedArray.set for the lengths that strings
    // have here.
    for (let i = 0; i < words.length; i++) view.setInt32(at + 4 * i, words[i]!, true);
    this.at = at + length;
  }

  /** `KeyValue { key = 1, value = 2 }` as a repeated field of `tag` (below 128). */
  attribute(tag: number, key: string, value: EncodableValue): void {
    const cached = this.#cache.get(key);
    // Strings, booleans and small integers are most of all attributes: their lengths are known before their
    // bytes.
    if (cached !== undefined && cached.length <= SHORT_STRING) {
      switch (typeof value) {
        case 'string':
          if (value === cached.lastValue) this.#wordsField(tag, cached.lastWords, cached.lastLength);
          else this.#stringAttribute(tag, key, cached, value);
          return;
        case 'boolean':
          this.#smallAttribute(tag, cached, BOOL_VALUE, value ? 1 : 0);
          return;
        case 'number':
          if (value >= 0 && value < 0x4000 && Number.isInteger(value)) {
            this.#smallAttribute(tag, cached, INT_VALUE, value);
            return;
          }
      }
    }
    this.#anyAttribute(tag, key, value);
  }

  #anyAttribute(tag: number, key: string, value: EncodableValue): void {
    this.tag(tag);
    const message = this.begin();
    this.cachedStringField(KEY, key);
    this.tag(VALUE);
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
    this.view.setInt32(at, VALUE | ((length + 2) << 8) | (STRING_VALUE << 16) | (length << 24), true);
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
    this.view.setInt32(at, VALUE | (valueLength << 8) | (valueTag << 16) | (varint << 24), true);
    this.bytes[at + 4] = value >>> 7;
    this.at = at + valueLength + 2;
  }

  /**
   * Tag, length and key of a KeyValue of `size` bytes; room is made. Returns where its value goes, and leaves
   * {@link at}.
   */
  #attributeKey(tag: number, size: number, key: CachedString): number {
    const view = this.view;
    const { words } = key;
    let at = this.at;
    view.setInt32(at, tag | (size << 8) | (KEY << 16), true);
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
   * The content of an AnyValue. Which field a number takes is what OpenTelemetry's own transformer decides: a
   * whole number that fits an int64 is `int_value`, any other is `double_value`.
   */
  anyValue(value: EncodableValue): void {
    switch (typeof value) {
      case 'string':
        this.stringField(STRING_VALUE, value);
        return;
      case 'number':
        if (Number.isInteger(value) && value >= MIN_INT64 && value < MAX_INT64) {
          this.tag(INT_VALUE);
          this.int64(value);
        } else {
          this.tag(DOUBLE_VALUE);
          this.double(value);
        }
        return;
      case 'boolean':
        this.tag(BOOL_VALUE);
        this.varint(value ? 1 : 0);
        return;
      case 'object':
        break;
      default:
        return; // an AnyValue without a field is OTLP's null
    }
    if (value === null) return;
    if (value instanceof Uint8Array) {
      this.bytesField(BYTES_VALUE, value);
      return;
    }
    if (Array.isArray(value)) {
      this.tag(ARRAY_VALUE);
      const array = this.begin();
      for (const item of value) {
        this.tag(ARRAY_VALUES);
        const any = this.begin();
        this.anyValue(item);
        this.end(any);
      }
      this.end(array);
      return;
    }
    this.tag(KVLIST_VALUE);
    const list = this.begin();
    this.attributes(KVLIST_VALUES, value);
    this.end(list);
  }
}

/** A Resource message. */
export function encodeResource(attributes: Record<string, unknown>): Uint8Array {
  const encoder = new Encoder();
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== undefined) encoder.attribute(RESOURCE_ATTRIBUTES, key, value);
  }
  return encoder.copy();
}

/** An instrumentation scope, as `InstrumentationScope` of the SDK's core has it. */
export interface Scope {
  readonly name: string;
  readonly version?: string;
  readonly schemaUrl?: string;
}

/**
 * The fields of a ScopeSpans message that come before its spans: `scope`, and `schema_url` where there is
 * one.
 */
export function encodeScopeFields(scope: Scope): Memory {
  const encoder = new Encoder();
  encoder.tag(SCOPE_SPANS.scope);
  const message = encoder.begin();
  encoder.stringField(SCOPE.name, scope.name);
  if (scope.version) encoder.stringField(SCOPE.version, scope.version);
  encoder.end(message);
  if (scope.schemaUrl) encoder.stringField(SCOPE_SPANS.schemaUrl, scope.schemaUrl);
  return memoryOf(encoder.copy());
}
