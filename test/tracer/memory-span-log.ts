import { NO_ENTRY, type SpanLog } from '#src/journal/span-log.js';

/** A span log in memory, with an in-flight table of `size` entries. */
export class MemorySpanLog implements SpanLog {
  /** Whole `ResourceSpans.scope_spans` fields. */
  readonly chunks: Buffer[] = [];
  readonly entries: ({ scope: Buffer; span: Buffer } | undefined)[];
  finished = 0;

  constructor(size = 16) {
    this.entries = new Array(size).fill(undefined);
  }

  append(scope: Uint8Array, bytes: Uint8Array, start: number, end: number): void {
    this.chunks.push(message(0x12, Buffer.concat([scope, message(0x12, bytes.subarray(start, end))])));
  }

  begin(scope: Uint8Array, bytes: Uint8Array, start: number, end: number): number {
    const free = this.entries.indexOf(undefined);
    if (free < 0) return NO_ENTRY;
    this.entries[free] = { scope: Buffer.from(scope), span: Buffer.from(bytes.subarray(start, end)) };
    return free;
  }

  amend(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { scope, span } = this.entries[entry]!;
    this.entries[entry] = { scope, span: Buffer.concat([span, bytes.subarray(start, end)]) };
    return true;
  }

  finish(entry: number, bytes: Uint8Array, start: number, end: number, whole: boolean): void {
    const known = this.entries[entry];
    if (known === undefined) throw new Error(`entry ${entry} is free`);
    const span = Buffer.concat([whole ? Buffer.alloc(0) : known.span, bytes.subarray(start, end)]);
    this.append(known.scope, span, 0, span.length);
    this.entries[entry] = undefined;
    this.finished++;
  }
}

function message(tag: number, body: Uint8Array): Buffer {
  const header = [tag];
  let rest = body.length;
  for (; rest > 0x7f; rest >>>= 7) header.push((rest & 0x7f) | 0x80);
  return Buffer.concat([Buffer.from([...header, rest]), body]);
}
