/**
 * The segment that a writer appends to. All positions count from the start of the file.
 *
 * @module
 */

import type { Memory } from '../wire/memory.js';
import { CHECKSUM_BYTES, putChecksum } from './checksum.js';
import type { JournalFileWriter } from './journal-file.js';

export class ActiveSegment {
  readonly file: JournalFileWriter;
  readonly memory: Memory;
  readonly sequence: number;
  readonly bodyAt: number;
  readonly bodyEnd: number;
  /** Where the next chunk goes: the end of the committed ones. */
  position: number;
  /** Where an append has to stop and think: half-way, where the next segment is prepared, and at the end. */
  limit: number;
  /** Spans in the body. */
  spans = 0;
  /** `write` mode: how many of them the file has. */
  spansWritten = 0;

  /** Bytes of the checksum behind each chunk, or 0. */
  readonly trailer: number;

  constructor(file: JournalFileWriter, hasChecksums: boolean) {
    this.trailer = hasChecksums ? CHECKSUM_BYTES : 0;
    this.file = file;
    this.memory = file.memory;
    this.sequence = file.sequence;
    this.bodyAt = file.headerLength;
    this.bodyEnd = file.length;
    this.position = this.bodyAt;
    this.limit = this.bodyAt + ((this.bodyEnd - this.bodyAt) >> 1);
  }

  /** Bytes of the body that are whole and final. */
  get committed(): number {
    return this.position - this.bodyAt;
  }

  /** The chunk that ends at `end` is whole: stored last, so that a reader has it or nothing of it. */
  commitTo(end: number): void {
    const position = this.trailer === 0 ? end : putChecksum(this.memory, this.position, end, this.sequence);
    this.position = position;
    this.spans++;
    this.file.commit(position - this.bodyAt);
  }

  /** `write` mode: forgets what the file did not take. @returns how many spans that were */
  takeBack(written: number): number {
    const lost = this.spans - this.spansWritten;
    this.position = written;
    this.spans = this.spansWritten;
    this.file.commit(this.committed);
    return lost;
  }

  /** Whether the file is gone with spans in it that were not shipped. */
  isLost(): boolean {
    return this.file.isGoneNow() && this.file.shipped() < this.committed;
  }
}
