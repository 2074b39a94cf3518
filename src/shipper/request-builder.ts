/**
 * Merges chunks of many writers into OTLP requests: per writer one ResourceSpans, in it one ScopeSpans per
 * scope. What has been added is an index of spans, any range of which can be encoded as a request of its own.
 * Span bytes are copied once per request and not looked into, unless that is asked for; nothing is allocated
 * per span. Log records likewise: the messages around them have the same fields with the same numbers.
 *
 * @module
 */
import { isSound } from '../wire/check.js';
import { tags } from '../wire/message.js';
import { ResourceSpans, ScopeLogs, ScopeSpans, TracesRequest } from '../wire/otlp.js';
import { MalformedProtobuf, ProtobufReader } from '../wire/protobuf-reader.js';
import { ProtobufWriter } from '../wire/protobuf-writer.js';
import { fieldLength } from '../wire/varint.js';
import type { Signal } from './transport.js';

const RESOURCE_SPANS = tags(TracesRequest).resourceSpans;
const RESOURCE = tags(ResourceSpans).resource;
const SCOPE_SPANS = tags(ResourceSpans).scopeSpans;
const SCHEMA_URL = tags(ResourceSpans).schemaUrl;
const SPANS = tags(ScopeSpans).spans;

interface Scope {
  /** All fields of ScopeSpans but its spans. */
  fields: Buffer;
  writer: Writer;
  /** Spans of the range at hand, by index. */
  spans: number[];
  /** Of those spans. */
  bytes: number;
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
  #sources: Buffer[] = [];
  #writer: Writer | undefined;
  #added = 0;
  // One entry per chunk, which holds one span: its scope, and its place in a source.
  readonly #scopes: Scope[] = [];
  readonly #source: number[] = [];
  readonly #start: number[] = [];
  readonly #end: number[] = [];
  readonly #chunkEnd: number[] = [];
  // The chunk that is being added: its span's place, and where its scope's fields are.
  #spanStart = 0;
  #spanEnd = 0;
  #fields: Buffer = Buffer.alloc(0);
  #fieldsStart = 0;
  #fieldsEnd = 0;

  constructor(capacity: number, signal: Signal = 'traces') {
    this.#scopeMessage = signal === 'logs' ? ScopeLogs : ScopeSpans;
    this.#output = new ProtobufWriter(capacity);
  }

  /** How many chunks have been added since {@link clear}. */
  get count(): number {
    return this.#scopes.length;
  }

  /** What one request of all would have at most. */
  get length(): number {
    return this.#added;
  }

  clear(): void {
    this.#sources = [];
    this.#writer = undefined;
    this.#added = 0;
    this.#scopes.length = this.#source.length = this.#start.length = this.#end.length = this.#chunkEnd.length = 0;
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
    const source = Buffer.from(chunks.buffer, chunks.byteOffset, chunks.length);
    const index = this.#sources.push(source) - 1;
    const found: Added = { spans: 0, malformed: 0 };
    this.#added += source.length;
    const reader = new ProtobufReader(source);
    let scope: Scope | undefined;
    while (reader.position < source.length) {
      // Tag and length are sound: whoever cut the chunks has read them.
      reader.tag();
      const end = reader.lengthEnd();
      const start = reader.position;
      const isOneSpan = this.#read(reader, end);
      reader.end = source.length;
      reader.position = end + trailer;
      if (!isOneSpan || (verify && !isSound(source, this.#scopeMessage, start, end))) {
        found.malformed++;
        continue;
      }
      found.spans++;
      if (scope === undefined || !this.#isOf(scope)) scope = this.#scope();
      this.#scopes.push(scope);
      this.#source.push(index);
      this.#start.push(this.#spanStart);
      this.#end.push(this.#spanEnd);
      this.#chunkEnd.push(end + trailer);
    }
    return found;
  }

  /** Where the chunk with this index ends, in the bytes that were given to {@link add}. */
  endOf(index: number): number {
    return this.#chunkEnd[index]!;
  }

  /** One chunk as it was added, without what trailed it; valid until the next one or the next request. */
  chunk(index: number): Uint8Array {
    const { fields } = this.#scopes[index]!;
    const [start, end] = [this.#start[index]!, this.#end[index]!];
    const output = this.#output;
    output.reset();
    output.lengthField(SCOPE_SPANS, fields.length + end - start);
    output.raw(fields);
    output.rawPart(this.#sources[this.#source[index]!]!, start, end);
    return output.bytes.subarray(0, output.at);
  }

  /** The chunks from `from` up to `to` as one request; valid until the next one. */
  encode(from = 0, to = this.count): Uint8Array {
    this.#output.reset();
    for (let at = from; at < to; ) at = this.#encodeWriter(at, to);
    return this.#output.bytes.subarray(0, this.#output.at);
  }

  /** @returns index of the first chunk of another writer */
  #encodeWriter(from: number, to: number): number {
    const { writer } = this.#scopes[from]!;
    const used: Scope[] = [];
    let at = from;
    for (let scope = this.#scopes[at]!; at < to && scope.writer === writer; scope = this.#scopes[++at]!) {
      if (scope.spans.length === 0) used.push(scope);
      scope.spans.push(at);
      scope.bytes += this.#end[at]! - this.#start[at]!;
    }
    let length = lengthOf(writer);
    for (const { fields, bytes } of used) length += fieldLength(fields.length + bytes);
    const output = this.#output;
    output.lengthField(RESOURCE_SPANS, length);
    output.bytesField(RESOURCE, writer.resource);
    if (writer.schemaUrl.length > 0) output.bytesField(SCHEMA_URL, writer.schemaUrl);
    for (const scope of used) {
      output.lengthField(SCOPE_SPANS, scope.fields.length + scope.bytes);
      output.raw(scope.fields);
      for (const index of scope.spans) {
        output.rawPart(this.#sources[this.#source[index]!]!, this.#start[index]!, this.#end[index]!);
      }
      scope.spans.length = scope.bytes = 0;
    }
    return at;
  }

  /** Finds the parts of the ScopeSpans that ends at `end`. @returns false where it is none with one span */
  #read(reader: ProtobufReader, end: number): boolean {
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
    this.#fields = bytes;
    this.#fieldsStart = start;
    this.#fieldsEnd = this.#spanStart;
    if (this.#spanEnd < end) {
      // Ours have the span last; protobuf allows any order.
      this.#fields = Buffer.concat([bytes.subarray(start, this.#spanStart), bytes.subarray(this.#spanEnd, end)]);
      this.#fieldsStart = 0;
      this.#fieldsEnd = this.#fields.length;
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
    const fields = this.#fields.subarray(this.#fieldsStart, this.#fieldsEnd);
    const scope: Scope = { fields, writer, spans: [], bytes: 0 };
    scopes.push(scope);
    return scope;
  }

  /** Whether the chunk at hand is of this scope. */
  #isOf({ fields }: Scope): boolean {
    const source = this.#fields;
    const start = this.#fieldsStart;
    if (fields.length !== this.#fieldsEnd - start) return false;
    // With 30 bytes, 5 million times on Node 20, a loop took 50 to 80 % of the time of Buffer.compare.
    for (let i = 0; i < fields.length; i++) if (fields[i] !== source[start + i]) return false;
    return true;
  }
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
