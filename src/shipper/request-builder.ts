/**
 * Merges chunks of many writers into one ExportTraceServiceRequest: per writer one ResourceSpans, in it one ScopeSpans per
 * scope. Span bytes are copied once and never looked into; nothing is allocated per span.
 *
 * @module
 */

/** Spans of one scope, as places in the sources of the writer that is being added. */
interface ScopeSpans {
  /** The fields of ScopeSpans before its spans. */
  scope: Buffer;
  /** Triples: index of the source, start, end. */
  places: number[];
  bytes: number;
}

/** What was found in the chunks that were added. */
export interface Added {
  spans: number;
  /** Chunks that are no ScopeSpans: left out. */
  malformed: number;
}

export class RequestBuilder {
  /** The encoded request is `bytes.subarray(0, length)`; reused by the next one. */
  #bytes: Buffer;
  #length = 0;
  #sources: Buffer[] = [];
  #scopes: ScopeSpans[] = [];
  #pending = 0;

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  /** Bytes so far; those of the writer that is being added are an estimate that is not too low by much. */
  get length(): number {
    return this.#length + this.#pending;
  }

  /** A view that is valid until {@link clear}. */
  get request(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  /**
   * Adds whole chunks (`scope_spans` fields, back to back) to the writer at hand. They must not change until {@link endWriter}.
   *
   * @param isSound asked about each content of a chunk, for bytes that are not to be trusted
   */
  add(chunks: Uint8Array, isSound?: (chunk: Uint8Array) => boolean): Added {
    const source = Buffer.from(chunks.buffer, chunks.byteOffset, chunks.length);
    const index = this.#sources.push(source) - 1;
    const found: Added = { spans: 0, malformed: 0 };
    this.#pending += source.length;
    let scope: ScopeSpans | undefined;
    let at = 0;
    while (at < source.length) {
      // The length is sound: whoever cut the chunks has read it.
      let length = 0;
      let factor = 1;
      let byte: number;
      do {
        byte = source[++at]!;
        length += (byte & 0x7f) * factor;
        factor *= 128;
      } while (byte > 0x7f);
      const start = at + 1;
      at = start + length;
      const scopeEnd = endOfScope(source, start, at);
      const spans = scopeEnd < 0 ? 0 : countSpans(source, scopeEnd, at);
      if (spans === 0 || (isSound && !isSound(source.subarray(start, at)))) {
        found.malformed++;
        continue;
      }
      found.spans += spans;
      if (!scope || !isSame(scope.scope, source, start, scopeEnd)) scope = this.#scopeOf(source, start, scopeEnd);
      scope.places.push(index, scopeEnd, at);
      scope.bytes += at - scopeEnd;
    }
    return found;
  }

  /** Completes the ResourceSpans of one writer. */
  endWriter(resource: Uint8Array): void {
    let length = fieldLength(resource.length);
    for (const { scope, bytes } of this.#scopes) length += fieldLength(scope.length + bytes);
    if (this.#scopes.length > 0) {
      this.#reserve(fieldLength(length));
      this.#header(0x0a, length);
      this.#header(0x0a, resource.length);
      this.#bytes.set(resource, this.#length);
      this.#length += resource.length;
      for (const { scope, places, bytes } of this.#scopes) {
        this.#header(0x12, scope.length + bytes);
        this.#length += scope.copy(this.#bytes, this.#length);
        for (let i = 0; i < places.length; i += 3) {
          const source = this.#sources[places[i]!]!;
          this.#length += source.copy(this.#bytes, this.#length, places[i + 1]!, places[i + 2]!);
        }
      }
    }
    this.#sources = [];
    this.#scopes = [];
    this.#pending = 0;
  }

  #scopeOf(source: Buffer, start: number, end: number): ScopeSpans {
    const known = this.#scopes.find(({ scope }) => isSame(scope, source, start, end));
    if (known) return known;
    const scope = { scope: source.subarray(start, end), places: [], bytes: 0 };
    this.#scopes.push(scope);
    return scope;
  }

  #header(tag: number, length: number): void {
    this.#bytes[this.#length++] = tag;
    let rest = length;
    for (; rest > 0x7f; rest >>>= 7) this.#bytes[this.#length++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#length++] = rest;
  }

  #reserve(count: number): void {
    if (this.#length + count <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.#length + count));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}

/** Where the fields before the spans end; -1 where they are something else than `scope` and `schema_url`. */
function endOfScope(source: Buffer, start: number, end: number): number {
  let at = start;
  while (at < end && source[at] !== 0x12) {
    if (source[at] !== 0x0a && source[at] !== 0x1a) return -1;
    at = endOfField(source, at, end);
    if (at < 0) return -1;
  }
  return at;
}

/** Fields `spans` between `start` and `end`; 0 where there is anything else. */
function countSpans(source: Buffer, start: number, end: number): number {
  let spans = 0;
  for (let at = start; at < end; spans++) {
    if (source[at] !== 0x12) return 0;
    at = endOfField(source, at, end);
    if (at < 0) return 0;
  }
  return spans;
}

/** Where the length-delimited field at `at` ends; -1 where that is beyond `end`. */
function endOfField(source: Buffer, at: number, end: number): number {
  let length = 0;
  for (let i = at + 1, factor = 1; i < end && factor <= 2 ** 28; i++, factor *= 128) {
    const byte = source[i]!;
    length += (byte & 0x7f) * factor;
    if (byte < 0x80) return i + 1 + length <= end ? i + 1 + length : -1;
  }
  return -1;
}

function isSame(scope: Buffer, source: Buffer, start: number, end: number): boolean {
  if (scope.length !== end - start) return false;
  // With 30 bytes, 5 million times on Node 20, a loop took 50 to 80 % of the time of Buffer.compare.
  for (let i = 0; i < scope.length; i++) if (scope[i] !== source[start + i]) return false;
  return true;
}

function fieldLength(length: number): number {
  return 1 + (length < 0x80 ? 1 : length < 0x4000 ? 2 : length < 0x200000 ? 3 : length < 0x10000000 ? 4 : 5) + length;
}
