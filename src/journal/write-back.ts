/**
 * `mode: 'write'`: brings what has been stored in memory to the files. A span that begins is written at once,
 * so that the request that kills the process is there afterwards; what belongs to an answer before that
 * leaves; all else once per turn of the event loop and when the process exits.
 *
 * The order keeps the promise of `SpanLog.finish` across a death between two system calls: spans, then
 * entries (those that have just ended still in flight, with the mark of where their span is), then the
 * committed length that makes the marks true. Entries that have ended are written as free with the next
 * write-back.
 *
 * @module
 */
import { performance } from 'node:perf_hooks';
import { hear } from '../process/process-events.js';
import { untraced } from '../untraced.js';
import type { ActiveSegment } from './active-segment.js';
import { ENTRY_BYTES } from './format.js';
import type { InFlightTable } from './in-flight-table.js';

/** Entries this close are written in one call: copying a page costs less than a system call. */
const JOINED_ENTRIES = 4;
/**
 * So many entries that have ended are not kept waiting for the end of the turn: a long loop would fill the
 * table with them.
 */
const MOST_ENDED = 256;
/**
 * How often a file is read for whether somebody has taken this writer for dead, at most: 1 µs each time. In
 * milliseconds.
 */
const LOOK_MS = 100;

export class WriteBack {
  readonly #table: InFlightTable;
  readonly #failed: (error: Error) => void;
  #segment: ActiveSegment | undefined;
  /** End of what the segment's file has, from the start of the file. */
  #written = 0;
  #changed = new Set<number>();
  /** Entries that are in flight as far as the file knows. */
  readonly #inFile = new Set<number>();
  /** Ended entries to free once the spans are committed. */
  #ended: number[] = [];
  #scheduled = false;
  /** Spans without an entry wait: nothing in the files tells of them. */
  #hasAppended = false;
  #lookedAt = performance.now();
  readonly #stopHearing: () => void;
  /** No later turn comes. */
  #exits = false;

  /** @param failed told when what has been stored since the last time could not be written; it is gone */
  constructor(table: InFlightTable, failed: (error: Error) => void) {
    this.#table = table;
    this.#failed = failed;
    this.#stopHearing = hear('exit', () => {
      this.#exits = true;
      this.flush();
    });
  }

  /** Where the committed spans of the segment's file end. */
  get written(): number {
    return this.#written;
  }

  use(segment: ActiveSegment | undefined): void {
    this.#segment = segment;
    this.#written = segment?.bodyAt ?? 0;
  }

  schedule(): void {
    if (this.#exits) this.flush();
    if (this.#exits || this.#scheduled) return;
    this.#scheduled = true;
    // After this turn's callbacks, so that a busy turn is written in one go. Holding the loop open for one
    // more turn: after a timer's callback, an immediate that does not hold it runs only when something else
    // happens.
    setImmediate(this.flush);
  }

  /**
   * One system call, 2 µs. The whole entry, as a part costs the same and the file must end with a whole one.
   */
  begin(entry: number): void {
    const at = this.#table.offsetOf(entry);
    try {
      untraced(() => this.#table.files[this.#table.fileOf(entry)]!.writeRange(at, at + ENTRY_BYTES));
      this.#inFile.add(entry);
      this.#changed.delete(entry);
    } catch {
      // Tried again with the rest of the turn, which says why it cannot be.
      this.changed(entry);
    }
  }

  /** A span without an entry has been stored. */
  appended(): void {
    this.#hasAppended = true;
    this.schedule();
  }

  /**
   * An answer is about to leave. One system call, unless spans without an entry wait: those may be this
   * request's. Spans that had an entry need not be written for it: they are in the file as they were when
   * their own answers left.
   */
  settle(entry: number): void {
    if (this.#hasAppended) this.flush();
    else if (this.#changed.has(entry)) this.begin(entry);
  }

  /** Whether it is time to look again for a sign that somebody has taken this writer for dead. */
  isTimeToLook(): boolean {
    const now = performance.now();
    if (now - this.#lookedAt < LOOK_MS) return false;
    this.#lookedAt = now;
    return true;
  }

  changed(entry: number): void {
    this.#changed.add(entry);
    this.schedule();
  }

  /** Entries from this one on are no more. */
  forget(first: number): void {
    for (const entry of this.#changed) if (entry >= first) this.#changed.delete(entry);
  }

  /** The entry has ended, and is marked; or it is discarded, and is not. */
  release(entry: number, marked: boolean): void {
    if (!this.#inFile.has(entry)) {
      this.#changed.delete(entry);
      this.#table.release(entry);
      return;
    }
    if (!marked) this.#table.clear(entry);
    this.#ended.push(entry);
    if (this.#ended.length < MOST_ENDED) this.changed(entry);
    else {
      this.#changed.add(entry);
      this.flush();
    }
  }

  readonly flush = (): void => {
    this.#scheduled = false;
    this.#hasAppended = false;
    const segment = this.#segment;
    const end = segment?.position ?? 0;
    try {
      untraced(() => this.#write(segment, end));
      this.#written = end;
      if (segment !== undefined) segment.spansWritten = segment.spans;
    } catch (error) {
      this.#failed(error as Error);
    }
    for (const entry of this.#ended) {
      this.#inFile.delete(entry);
      this.#table.release(entry);
      this.#changed.add(entry);
    }
    this.#ended.length = 0;
  };

  #write(segment: ActiveSegment | undefined, end: number): void {
    if (end > this.#written) segment!.file.writeRange(this.#written, end);
    this.writeEntries();
    if (end > this.#written) segment!.file.writeState();
  }

  /** Writes the entries that have changed since they were last written. @throws with the system's error */
  writeEntries(): void {
    if (this.#changed.size === 0) return;
    const entries = [...this.#changed].sort((a, b) => a - b);
    for (let i = 0; i < entries.length; ) {
      const first = entries[i]!;
      let last = first;
      for (i++; i < entries.length; i++) {
        const next = entries[i]!;
        if (next - last > JOINED_ENTRIES || this.#table.fileOf(next) !== this.#table.fileOf(first)) break;
        last = next;
      }
      this.#writeRun(first, last);
    }
    this.#changed.clear();
  }

  #writeRun(first: number, last: number): void {
    const file = this.#table.files[this.#table.fileOf(first)]!;
    try {
      file.writeRange(this.#table.offsetOf(first), this.#table.offsetOf(last) + ENTRY_BYTES);
    } catch (error) {
      if (first !== last) {
        for (let entry = first; entry <= last; entry++) this.#writeRun(entry, entry);
        return;
      }
      // No space for an entry that the file does not have yet: the span is not seen there, and what has ended
      // is still kept.
      if (!this.#inFile.has(first)) return;
      throw error;
    }
    for (let entry = first; entry <= last; entry++) {
      if (this.#table.isInFlight(entry)) this.#inFile.add(entry);
    }
  }

  /** No exit of the process calls this any more. */
  close(): void {
    this.#stopHearing();
  }
}
