/**
 * Merges chunks of many writers into OTLP requests: per writer one ResourceSpans, in it one ScopeSpans per
 * scope. What has been added is an index of spans, any range of which can be encoded as a request of its own.
 * Span bytes are copied once per request and not looked into, unless that is asked for; nothing is allocated
 * per span. Log records likewise: the messages around them have the same fields with the same numbers.
 *
 * @module
 */
import { isSound } from '../wire/check.js';
import { type Memory, memoryOf } from '../wire/memory.js';
import { tags } from '../wire/message.js';
import { ResourceSpans, ScopeLogs, ScopeSpans, TracesRequest } from '../wire/otlp.js';
import { MalformedProtobuf, ProtobufReader } from '../wire/protobuf-reader.js';
import { ProtobufWriter } from '../wire/protobuf-writer.js';
import { fieldLength, varintEnd, varintIn } from '../wire/varint.js';
import type { Signal } from './transport.js';

const RESOURCE_SPANS = tags(TracesRequest).resourceSpans;
const RESOURCE = tags(ResourceSpans).resource;
const SCOPE_SPANS = tags(ResourceSpans).scopeSpans;
const SCHEMA_URL = tags(ResourceSpans).schemaUrl;
const SPANS = tags(ScopeSpans).spans;
const EMPTY = memoryOf(new Uint8Array(0));

/** Numbers per chunk. */
const PLACE = 3;
const SPAN_END = 1;
const CHUNK_END = 2;

interface Scope {
  /** All fields of ScopeSpans but its spans. */
  fields: Memory;
  writer: Writer;
  /** Its spans in the range at hand. */
  parts: Part[];
  /** Of those spans. */
  bytes: number;
}

/** Spans from `from` up to `to`, by index, that follow each other in one source and are of one scope. */
interface Part {
  scope: Scope;
  source: Memory;
  from: number;
  to: number;
}

interface Writer {
  resource: Uint8Array;
  schemaUrl: Buffer;
  scopes: Scope[];
}

/** What was found in the chunks that were added. */
export interface Added {
  spans: number;
  /** Chunks that are no ScopeSpans: left out. */
  malformed: number;
}

export class RequestBuilder {
  /** Reused by every request. */
  readonly #output: ProtobufWriter;
  readonly #scopeMessage: typeof ScopeSpans | typeof ScopeLogs;
  #writer: Writer | undefined;
  #added = 0;
  #parts: Part[] = [];
  #count = 0;
  /** Three numbers per chunk, which holds one span: where that starts and ends, and where the chunk ends. */
  #places = new Int32Array(PLACE * 1024);
  // The chunk that is being added: its span's place, and where its scope's fields are.
  #spanStart = 0;
  #spanEnd = 0;
  #fields = EMPTY;
  #fieldsStart = 0;
  #fieldsEnd = 0;

  constructor(capacity: number, signal: Signal = 'traces') {
    this.#scopeMessage = signal === 'logs' ? ScopeLogs : ScopeSpans;
    this.#output = new ProtobufWriter(capacity);
  }

  /** How many chunks have been added since {@link clear}. */
  get count(): number {
    return this.#count;
  }

  /** What one request of all would have at most. */
  get length(): number {
    return this.#added;
  }

  clear(): void {
    this.#parts = [];
    this.#writer = undefined;
    this.#added = this.#count = 0;
  }

  /** What is added from now on belongs to the writer with this resource. */
  beginWriter({ resource, schemaUrl = '' }: { resource: Uint8Array; schemaUrl?: string }): void {
    const writer = { resource, schemaUrl: Buffer.from(schemaUrl), scopes: [] };
    this.#writer = writer;
    this.#added += lengthOf(writer) + MAX_HEADER_BYTES;
  }

  /**
   * Adds whole chunks (`scope_spans` fields, back to back) of the writer at hand. They must not change until
   * {@link clear}.
   *
   * @param verify looks into each span: for bytes that are not to be trusted
   * @param trailer bytes behind each chunk that are nobody's
   */
  add(chunks: Uint8Array, verify = false, trailer = 0): Added {
    const source = memoryOf(chunks);
    const { length } = chunks;
    const found: Added = { spans: 0, malformed: 0 };
    this.#added += length;
    const reader = new ProtobufReader(source.buffer);
    let part: Part | undefined;
    for (let at = 0; at < length; ) {
      let end = part === undefined ? -1 : this.#readAlike(source, at, part.scope);
      let isOneSpan = end !== -1;
      const isAlike = isOneSpan;
      let start = at;
      if (!isAlike || verify) {
        // Tag and length are sound: whoever cut the chunks has read them.
        reader.position = at;
        reader.end = length;
        reader.tag();
        end = reader.lengthEnd();
        start = reader.position;
        if (!isAlike) isOneSpan = this.#read(reader, source, end);
      }
      at = end + trailer;
      if (!isOneSpan || (verify && !isSound(chunks, this.#scopeMessage, start, end))) {
        found.malformed++;
        continue;
      }
      found.spans++;
      if (part === undefined || !(isAlike || this.#isOf(part.scope))) {
        part = { scope: this.#scope(), source, from: this.#count, to: this.#count };
        this.#parts.push(part);
      }
      this.#push(at);
      part.to = this.#count;
    }
    return found;
  }

  #push(chunkEnd: number): void {
    const at = PLACE * this.#count++;
    if (at === this.#places.length) {
      const larger = new Int32Array(2 * at);
      larger.set(this.#places);
      this.#places = larger;
    }
    this.#places[at] = this.#spanStart;
    this.#places[at + SPAN_END] = this.#spanEnd;
    this.#places[at + CHUNK_END] = chunkEnd;
  }

  /** Where the chunk with this index ends, in the bytes that were given to {@link add}. */
  endOf(index: number): number {
    return this.#places[PLACE * index + CHUNK_END]!;
  }

  /** One chunk as it was added, without what trailed it; valid until the next one or the next request. */
  chunk(index: number): Uint8Array {
    const { scope, source } = this.#parts.find(({ to }) => index < to)!;
    const { fields } = scope;
    const [start, end] = [this.#places[PLACE * index]!, this.#places[PLACE * index + SPAN_END]!];
    const output = this.#output;
    output.reset();
    output.lengthField(SCOPE_SPANS, fields.bytes.length + end - start);
    output.raw(fields.bytes);
    output.rawPart(source, start, end);
    return output.bytes.subarray(0, output.at);
  }

  /** The chunks from `from` up to `to` as one request; valid until the next one. */
  encode(from = 0, to = this.count): Uint8Array {
    this.#output.reset();
    const parts = this.#parts.filter((part) => part.from < to && part.to > from);
    for (let at = 0; at < parts.length; ) {
      const { writer } = parts[at]!.scope;
      const used: Scope[] = [];
      for (; parts[at]?.scope.writer === writer; at++) {
        const part = { ...parts[at]!, from: Math.max(parts[at]!.from, from), to: Math.min(parts[at]!.to, to) };
        const { scope } = part;
        if (scope.parts.length === 0) used.push(scope);
        scope.parts.push(part);
        scope.bytes += this.#bytesOf(part);
      }
      this.#encodeWriter(writer, used);
    }
    return this.#output.bytes.subarray(0, this.#output.at);
  }

  /** Of its spans. */
  #bytesOf({ from, to }: Part): number {
    const places = this.#places;
    let bytes = 0;
    for (let at = PLACE * from; at < PLACE * to; at += PLACE) bytes += places[at + SPAN_END]! - places[at]!;
    return bytes;
  }

  #encodeWriter(writer: Writer, used: readonly Scope[]): void {
    let length = lengthOf(writer);
    for (const { fields, bytes } of used) length += fieldLength(fields.bytes.length + bytes);
    const output = this.#output;
    output.lengthField(RESOURCE_SPANS, length);
    output.bytesField(RESOURCE, writer.resource);
    if (writer.schemaUrl.length > 0) output.bytesField(SCHEMA_URL, writer.schemaUrl);
    for (const scope of used) {
      output.lengthField(SCOPE_SPANS, scope.fields.bytes.length + scope.bytes);
      output.raw(scope.fields.bytes);
      output.ensure(scope.bytes);
      for (const part of scope.parts) this.#copySpans(part);
      scope.parts.length = scope.bytes = 0;
    }
  }

  #copySpans({ source, from, to }: Part): void {
    const places = this.#places;
    for (let at = PLACE * from; at < PLACE * to; at += PLACE)
      this.#output.rawPart(source, places[at]!, places[at + SPAN_END]!);
  }

  /**
   * Finds the span of the chunk at `at`, where the chunk is as most are: of the scope of the one before it,
   * the span last.
   *
   * @returns where the chunk ends; -1: it may be any other
   */
  #readAlike({ bytes, view }: Memory, at: number, { fields }: Scope): number {
    const contentAt = varintEnd(bytes, at + 1, bytes.length);
    if (contentAt === -1) return -1;
    const end = contentAt + varintIn(bytes, at + 1, contentAt);
    const spanAt = contentAt + fields.bytes.length;
    if (end > bytes.length || spanAt >= end || bytes[spanAt] !== SPANS) return -1;
    const fieldsAt = varintEnd(bytes, spanAt + 1, end);
    if (fieldsAt === -1 || fieldsAt + varintIn(bytes, spanAt + 1, fieldsAt) !== end) return -1;
    if (!areSame(fields, view, contentAt, spanAt)) return -1;
    this.#spanStart = spanAt;
    this.#spanEnd = end;
    return end;
  }

  /** Finds the parts of the ScopeSpans that ends at `end`. @returns false where it is none with one span */
  #read(reader: ProtobufReader, source: Memory, end: number): boolean {
    const { bytes, position: start } = reader;
    reader.end = end;
    this.#spanEnd = 0;
    try {
      while (reader.position < end) {
        const at = reader.position;
        const tag = reader.tag();
        reader.skip(tag);
        if (tag === SPANS) {
          if (this.#spanEnd !== 0) return false;
          this.#spanStart = at;
          this.#spanEnd = reader.position;
        } else {
          const field = ScopeSpans.byNumber[tag >>> 3];
          if (field !== undefined && field.tag !== tag) return false;
        }
      }
    } catch (error) {
      if (error instanceof MalformedProtobuf) return false;
      throw error;
    }
    if (this.#spanEnd === 0) return false;
    this.#fields = source;
    this.#fieldsStart = start;
    this.#fieldsEnd = this.#spanStart;
    if (this.#spanEnd < end) {
      // Ours have the span last; protobuf allows any order.
      this.#fields = memoryOf(
        Buffer.concat([bytes.subarray(start, this.#spanStart), bytes.subarray(this.#spanEnd, end)]),
      );
      this.#fieldsStart = 0;
      this.#fieldsEnd = this.#fields.bytes.length;
    }
    return true;
  }

  /** That of the chunk at hand. */
  #scope(): Scope {
    const writer = this.#writer!;
    const { scopes } = writer;
    for (let n = scopes.length - 1, last = Math.max(0, scopes.length - SCOPES_SEARCHED); n >= last; n--) {
      if (this.#isOf(scopes[n]!)) return scopes[n]!;
    }
    const fields = memoryOf(this.#fields.bytes.subarray(this.#fieldsStart, this.#fieldsEnd));
    const scope: Scope = { fields, writer, parts: [], bytes: 0 };
    scopes.push(scope);
    return scope;
  }

  /** Whether the chunk at hand is of this scope. */
  #isOf({ fields }: Scope): boolean {
    return areSame(fields, this.#fields.view, this.#fieldsStart, this.#fieldsEnd);
  }
}

const WORD = 4;

/** Whether `view[start..end)` is the same as `one`; in words, the last one over the one before it. */
function areSame(one: Memory, view: DataView, start: number, end: number): boolean {
  const length = end - start;
  if (one.bytes.length !== length) return false;
  if (length < WORD) {
    for (let i = 0; i < length; i++) if (one.bytes[i] !== view.getUint8(start + i)) return false;
    return true;
  }
  const last = length - WORD;
  for (let i = 0; i < last; i += WORD) if (one.view.getInt32(i, true) !== view.getInt32(start + i, true)) return false;
  return one.view.getInt32(last, true) === view.getInt32(start + last, true);
}

/**
 * An app has a scope per instrumentation, some tens. Of one that has another for each span no more than this
 * is searched; a scope may be in a request twice.
 */
const SCOPES_SEARCHED = 128;

/** A tag and the longest length. */
const MAX_HEADER_BYTES = 6;

/** All fields of its ResourceSpans but the scopes. */
function lengthOf({ resource, schemaUrl }: Writer): number {
  return fieldLength(resource.length) + (schemaUrl.length > 0 ? fieldLength(schemaUrl.length) : 0);
}
