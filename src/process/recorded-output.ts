/**
 * A worker encloses in two marks what it writes to standard error and has already kept as a log record. Its
 * coordinator, which keeps the rest as log records, does not keep that part twice. The coordinator takes the
 * marks out.
 *
 * The marks are application program commands (ECMA-48, 8.3.2), which a terminal ignores, so that they are
 * invisible if they ever reach one.
 *
 * @module
 */

const BEGIN = Buffer.from('\x1b_forktrace+\x1b\\');
const END = Buffer.from('\x1b_forktrace-\x1b\\');
const BEGIN_TEXT = BEGIN.toString('latin1');
const END_TEXT = END.toString('latin1');

/**
 * Puts `chunk` between marks. The end of its last line stays outside, so that the next line does not begin
 * with a mark.
 */
export function markRecorded(chunk: string | Uint8Array): string | Uint8Array {
  if (typeof chunk === 'string') {
    const end = chunk.endsWith('\n') ? chunk.length - 1 : chunk.length;
    return `${BEGIN_TEXT}${chunk.slice(0, end)}${END_TEXT}${chunk.slice(end)}`;
  }
  const end = chunk.at(-1) === 10 ? chunk.length - 1 : chunk.length;
  return Buffer.concat([BEGIN, chunk.subarray(0, end), END, chunk.subarray(end)]);
}

/** Whether a part of it is marked already: the output of a worker thread goes through the main thread. */
export function hasMark(chunk: string | Uint8Array): boolean {
  if (typeof chunk === 'string') return chunk.includes(BEGIN_TEXT);
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).includes(BEGIN);
}

/** Takes the marks out of one stream. A mark may be split between chunks. */
export class RecordedOutput {
  #rest: Buffer = Buffer.alloc(0);
  #isRecorded = false;

  /** @returns what was written, and the part of it that is no log record yet */
  take(chunk: Buffer): { text: Buffer; unrecorded: Buffer } {
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const text: Buffer[] = [];
    const unrecorded: Buffer[] = [];
    const add = (part: Buffer) => {
      text.push(part);
      if (!this.#isRecorded) unrecorded.push(part);
    };
    for (;;) {
      const mark = this.#isRecorded ? END : BEGIN;
      const at = bytes.indexOf(mark);
      const held = at < 0 ? beginningOf(mark, bytes) : bytes.length - at;
      add(bytes.subarray(0, bytes.length - held));
      bytes = bytes.subarray(bytes.length - held);
      if (at < 0) break;
      bytes = bytes.subarray(mark.length);
      this.#isRecorded = !this.#isRecorded;
    }
    this.#rest = Buffer.from(bytes);
    return { text: joined(text), unrecorded: joined(unrecorded) };
  }

  /** At the end of the stream: the last bytes, which might have become a mark. */
  end(): { text: Buffer; unrecorded: Buffer } {
    const text = this.#rest;
    this.#rest = Buffer.alloc(0);
    return { text, unrecorded: this.#isRecorded ? Buffer.alloc(0) : text };
  }
}

const joined = (parts: Buffer[]): Buffer => (parts.length === 1 ? parts[0]! : Buffer.concat(parts));

/** How many of the last bytes may be the beginning of `mark`. */
function beginningOf(mark: Buffer, bytes: Buffer): number {
  for (let length = Math.min(mark.length - 1, bytes.length); length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(mark.subarray(0, length))) return length;
  }
  return 0;
}
