/**
 * A writer's segments of log records. They are made with the first record, as many programs log nothing.
 *
 * @module
 */
import type { Memory } from '../wire/memory.js';
import { appendChunk } from './append-chunk.js';
import { InFlightTable } from './in-flight-table.js';
import type { SegmentWriter } from './segment-writer.js';
import { WriteBack } from './write-back.js';

export class LogSegments {
  /** Undefined before the first record. */
  segments: SegmentWriter | undefined;
  readonly #make: (writeBack: WriteBack | undefined) => SegmentWriter;
  readonly #isMapped: boolean;
  #writeBack: WriteBack | undefined;
  #isClosed = false;

  /** @param isMapped false in `write` mode */
  constructor(make: (writeBack: WriteBack | undefined) => SegmentWriter, isMapped: boolean) {
    this.#make = make;
    this.#isMapped = isMapped;
  }

  append(scope: Memory, bytes: Uint8Array, start: number, end: number): void {
    this.segments ??= this.#open();
    if (appendChunk(this.segments, scope, bytes, start, end)) this.#writeBack?.schedule();
  }

  flush(): void {
    this.#writeBack?.flush();
  }

  close(): void {
    this.#isClosed = true;
    this.segments?.close();
    this.#writeBack?.close();
  }

  #open(): SegmentWriter {
    if (!this.#isMapped && !this.#isClosed) {
      // Log records have no entries.
      this.#writeBack = new WriteBack(new InFlightTable(1), (error) => this.segments?.takeBack(error));
    }
    const segments = this.#make(this.#writeBack);
    if (this.#isClosed) segments.close();
    return segments;
  }
}
