import { NO_ENTRY, type Room, type SpanLog } from '#src/journal/span-log.js';
import { type Memory, memoryOf } from '#src/wire/memory.js';

/** A span log in memory, with an in-flight table of `size` entries. */
export class MemorySpanLog implements SpanLog {
  /** Whole `ResourceSpans.scope_spans` fields. */
  readonly chunks: Buffer[] = [];
  readonly entries: ({ scope: Memory; span: Buffer } | undefined)[];
  finished = 0;
  dropped = 0;
  /** Of each begin: the `performance.now()` of the start. */
  readonly readings: (number | undefined)[] = [];
  committed = 0;
  readonly #memory: Memory;
  #reserved: Memory | undefined;

  /** @param room bytes that a span may have to be encoded in place */
  constructor(size = 16, room = 4096) {
    this.entries = new Array(size).fill(undefined);
    this.#memory = memoryOf(new Uint8Array(room));
  }

  reserve(scope: Memory): Room | undefined {
    const { length } = this.#memory.bytes;
    if (length === 0) return undefined;
    // What an earlier span has left there is nobody's.
    this.#memory.bytes.fill(0xff);
    this.#reserved = copy(scope);
    return { memory: this.#memory, start: length >> 3, end: length };
  }

  commit(end: number): void {
    if (this.#reserved === undefined) throw new Error('nothing is reserved');
    const { bytes } = this.#memory;
    if (end > bytes.length) throw new Error(`committed to ${end} of ${bytes.length}`);
    this.append(this.#reserved, bytes, bytes.length >> 3, end);
    this.#reserved = undefined;
    this.committed++;
  }

  append(scope: Memory, bytes: Uint8Array, start: number, end: number): void {
    this.chunks.push(message(0x12, Buffer.concat([scope.bytes, message(0x12, bytes.subarray(start, end))])));
  }

  reserveEntry(scope: Memory): Room | undefined {
    return this.entries.includes(undefined) ? this.reserve(scope) : undefined;
  }

  beginReserved(end: number, reading: number): number {
    if (this.#reserved === undefined) throw new Error('nothing is reserved');
    const { bytes } = this.#memory;
    if (end > bytes.length) throw new Error(`begun to ${end} of ${bytes.length}`);
    const entry = this.begin(this.#reserved, bytes, bytes.length >> 3, end, reading);
    this.#reserved = undefined;
    return entry;
  }

  begin(scope: Memory, bytes: Uint8Array, start: number, end: number, reading?: number): number {
    this.readings.push(reading);
    const free = this.entries.indexOf(undefined);
    if (free < 0) return NO_ENTRY;
    this.entries[free] = { scope: copy(scope), span: Buffer.from(bytes.subarray(start, end)) };
    return free;
  }

  reserveMore(entry: number): Room | undefined {
    const { scope } = this.entries[entry]!;
    return this.reserve(scope);
  }

  amend(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { scope, span } = this.entries[entry]!;
    this.entries[entry] = { scope, span: Buffer.concat([span, bytes.subarray(start, end)]) };
    return true;
  }

  settle(): void {}

  finish(entry: number, bytes: Uint8Array, start: number, end: number, whole: boolean): void {
    const known = this.entries[entry];
    if (known === undefined) throw new Error(`entry ${entry} is free`);
    const span = Buffer.concat([whole ? Buffer.alloc(0) : known.span, bytes.subarray(start, end)]);
    this.append(known.scope, span, 0, span.length);
    this.entries[entry] = undefined;
    this.finished++;
  }

  drop(entry: number): void {
    if (this.entries[entry] === undefined) throw new Error(`entry ${entry} is free`);
    this.entries[entry] = undefined;
    this.dropped++;
  }
}

function copy({ bytes }: Memory): Memory {
  return memoryOf(Uint8Array.from(bytes));
}

function message(tag: number, body: Uint8Array): Buffer {
  const header = [tag];
  let rest = body.length;
  for (; rest > 0x7f; rest >>>= 7) header.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...header, rest]), body]);
}
