/**
 * One writer's segments of one kind, spans' or log records': the active one, the one after it, and what
 * becomes of one that is full or has been deleted. What a chunk holds is the caller's business.
 *
 * @module
 */
import { ActiveSegment } from './active-segment.js';
import { CHECKSUM_BYTES, putChecksum } from './checksum.js';
import { chunkLengthAt, countChunks, MAX_CHUNK_BYTES } from './chunk.js';
import type { JournalFileWriter } from './journal-file.js';
import type { LossLedger } from './loss-ledger.js';
import { SegmentSupply, type SegmentSupplyOptions } from './segment-supply.js';
import type { WriteBack } from './write-back.js';

export interface SegmentWriterOptions extends SegmentSupplyOptions {
  losses: LossLedger;
  /** Each chunk is followed by its checksum. */
  hasChecksums: boolean;
  /** `write` mode only. */
  writeBack: WriteBack | undefined;
  /**
   * Called before a segment is sealed: takes another id where the writer has been taken for dead. @returns
   * whether it was
   */
  lookAtEnd(): boolean;
  /** The system has refused a file. @returns whether there is another directory for it now */
  goElsewhere(error: unknown): boolean;
}

export class SegmentWriter {
  /** Where the next chunk goes; undefined while the system refuses a file, and before the first. */
  segment: ActiveSegment | undefined;
  readonly #supply: SegmentSupply;
  readonly #losses: LossLedger;
  readonly #hasChecksums: boolean;
  readonly #writeBack: WriteBack | undefined;
  readonly #lookAtEnd: () => boolean;
  readonly #goElsewhere: (error: unknown) => boolean;
  #isClosed = false;

  /** Of the segments before the active one. */
  #closedItems = 0;
  #closedBytes = 0;
  #segments = 0;

  constructor({ losses, hasChecksums, writeBack, lookAtEnd, goElsewhere, ...supply }: SegmentWriterOptions) {
    this.#hasChecksums = hasChecksums;
    this.#supply = new SegmentSupply(supply);
    this.#losses = losses;
    this.#writeBack = writeBack;
    this.#lookAtEnd = lookAtEnd;
    this.#goElsewhere = goElsewhere;
  }

  /** Since the journal was opened. */
  counts(): { items: number; bytes: number; segments: number } {
    return {
      items: this.#closedItems + (this.segment?.spans ?? 0),
      bytes: this.#closedBytes + (this.segment?.committed ?? 0),
      segments: this.#segments,
    };
  }

  /**
   * The active segment, with room for a chunk of `length` bytes; undefined when what was to be appended is
   * lost, and counted.
   */
  segmentFor(length: number): ActiveSegment | undefined {
    return this.#withRoom(this.#hasChecksums ? length + CHECKSUM_BYTES : length);
  }

  #withRoom(total: number): ActiveSegment | undefined {
    const { segment } = this;
    return segment !== undefined && segment.position + total <= segment.limit ? segment : this.#nextSegment(total);
  }

  #nextSegment(total: number): ActiveSegment | undefined {
    if (this.#isClosed) {
      this.#losses.lose('closed', 1, 'they ended after the journal was closed');
      return undefined;
    }
    if (total > MAX_CHUNK_BYTES) {
      this.#losses.lose('tooLarge', 1, `one has ${total} bytes, and ${MAX_CHUNK_BYTES} is the limit`);
      return undefined;
    }
    const { segment } = this;
    if (segment !== undefined && segment.limit < segment.bodyEnd) {
      segment.limit = segment.bodyEnd;
      this.#supply.prepare();
      if (segment.position + total <= segment.limit) return segment;
    }
    if (this.#lookAtEnd()) return this.#withRoom(total);
    if (segment?.isLost()) {
      this.replace(segment.file);
      return this.#withRoom(total);
    }
    this.#sealSegment();
    const next = this.open(total);
    if (next === undefined) this.#losses.lose('noSpace', 1, this.#losses.refusal);
    return next;
  }

  /**
   * Makes the next segment the active one. @returns undefined when the system refuses, or has just done so
   */
  open(chunkBytes: number): ActiveSegment | undefined {
    const bodyLength = this.#supply.bodyLengthFor(chunkBytes);
    let file = bodyLength === this.#supply.bodyLength ? this.#supply.takeReady() : undefined;
    if (file === undefined) {
      if (this.#losses.isRefusing) return undefined;
      try {
        file = this.#supply.make(bodyLength);
      } catch (error) {
        if (this.#goElsewhere(error)) return this.open(chunkBytes);
        this.#losses.refused(error);
        return undefined;
      }
    }
    this.#segments++;
    const segment = new ActiveSegment(file, this.#hasChecksums);
    this.segment = segment;
    if (segment.position + chunkBytes > segment.limit) {
      segment.limit = segment.bodyEnd;
      this.#supply.prepare();
    }
    this.#writeBack?.use(segment);
    return segment;
  }

  /** Gives back what a burst has needed. */
  trim(): void {
    this.#supply.trim();
  }

  /** @param keepEmpty the header of the active segment says something that no other does */
  close(keepEmpty = false): void {
    // The directory is made again for what it held.
    if (this.segment?.isLost()) this.replace(this.segment.file);
    this.#isClosed = true;
    this.#supply.close();
    this.#sealSegment(keepEmpty);
  }

  #sealSegment(keepEmpty = false): void {
    this.#writeBack?.flush();
    const { segment } = this;
    if (segment === undefined) return;
    const { file } = segment;
    const fault = file.fault();
    if (fault !== undefined) {
      this.#abandon(segment, fault);
      return;
    }
    let isRetired = false;
    if (segment.committed === 0 && !keepEmpty) {
      file.remove();
    } else {
      isRetired = this.#supply.retire(file);
      file.seal(segment.spans);
      try {
        if (this.#writeBack !== undefined) file.writeState();
      } catch {
        // The shipper finishes it when this writer is dead.
      }
    }
    if (this.#hasChecksums) file.sync(this.#isClosed);
    this.#leaveSegment(segment.committed, segment.spans);
    if (!isRetired) file.release();
  }

  /** @param committed bytes that it leaves behind, of so many items */
  #leaveSegment(committed: number, items: number): void {
    this.#closedBytes += committed;
    this.#closedItems += items;
    this.segment = undefined;
    this.#writeBack?.use(undefined);
  }

  /** `write` mode: what the file did not take is lost; what comes next takes its place. */
  takeBack(error: Error): void {
    if (this.segment === undefined || this.#writeBack === undefined) return;
    const lost = this.segment.takeBack(this.#writeBack.written);
    this.#losses.refused(error);
    if (lost > 0) this.#losses.lose('noSpace', lost, this.#losses.refusal);
    const fault = this.segment.file.fault();
    if (fault !== undefined) this.#abandon(this.segment, fault);
  }

  /** Nobody can read the file any more: what has not been shipped of it is lost. */
  #abandon({ file, committed, memory, bodyAt, position, trailer, spans }: ActiveSegment, fault: Error): void {
    this.#losses.refused(fault);
    const shipped = Math.min(file.shipped(), committed);
    const lost = countChunks(memory.bytes.subarray(bodyAt + shipped, position), trailer);
    this.#leaveSegment(shipped, spans - lost);
    file.release();
    if (lost > 0) this.#losses.lose('noSpace', lost, this.#losses.refusal);
  }

  /**
   * Somebody has deleted the file: if it is the active one, what it held and was not shipped goes into a new
   * one.
   */
  replace(file: JournalFileWriter): void {
    const old = this.segment;
    if (file !== old?.file) return;
    this.#writeBack?.flush();
    if (this.segment !== old) return;
    const shipped = Math.min(old.file.shipped(), old.committed);
    const unshipped = old.memory.bytes.slice(old.bodyAt + shipped, old.position);
    const items = countChunks(unshipped, old.trailer);
    this.#leaveSegment(shipped, old.spans - items);
    this.#carryOver(unshipped, items);
    // Not before: a shipper has it open, and delivers it where this process dies here.
    old.file.giveUp();
    old.file.release();
  }

  /**
   * The writer has another id from now on: what no reader looks at in the active segment goes into a new one.
   */
  renew(): void {
    const old = this.segment;
    const ended = old?.file.ended() ?? 0;
    if (old === undefined || ended === 0) {
      this.#sealSegment();
      this.#supply.renew();
      this.open(0);
      return;
    }
    const end = Math.min(ended - 1, old.committed);
    const rest = old.memory.bytes.slice(old.bodyAt + end, old.position);
    const items = countChunks(rest, old.trailer);
    this.#leaveSegment(end, old.spans - items);
    old.file.release();
    this.#supply.renew();
    this.#carryOver(rest, items);
  }

  #carryOver(chunks: Uint8Array, items: number): void {
    const segment = this.open(chunks.length);
    if (segment === undefined) {
      this.#closedItems += items;
      this.#losses.lose('noSpace', items, this.#losses.refusal);
      return;
    }
    const { memory, position, trailer, sequence } = segment;
    memory.bytes.set(chunks, position);
    segment.position += chunks.length;
    // Those of another segment hold no more.
    for (let at = position; trailer > 0 && at < segment.position; )
      at = putChecksum(memory, at, at + chunkLengthAt(memory.bytes, at, segment.position), sequence);
    segment.spans = items;
    segment.file.commit(segment.committed);
    this.#writeBack?.flush();
  }
}
