/**
 * The files of a writer's in-flight table: one more when all entries are in use, one fewer when a burst is
 * over, and new ones in the place of those that have been deleted or belong to a former writer id.
 *
 * @module
 */
import type { FilePlans } from './file-plans.js';
import { ENTRY_BYTES } from './format.js';
import type { InFlightTable } from './in-flight-table.js';
import { type FilePlan, JournalFileWriter } from './journal-file.js';
import type { LossLedger } from './loss-ledger.js';
import { discardFile } from './segment-supply.js';
import type { WriteBack } from './write-back.js';

/** Files of one table: 65,536 spans in flight with the default size of one. */
const MAX_FILES = 64;

export class InFlightFiles {
  readonly #table: InFlightTable;
  readonly #plans: FilePlans;
  readonly #losses: LossLedger;
  readonly #writeBack: WriteBack | undefined;
  #lastSequence = 0;
  #isClosed = false;

  /** @param writeBack in `write` mode only */
  constructor(table: InFlightTable, plans: FilePlans, losses: LossLedger, writeBack: WriteBack | undefined) {
    this.#table = table;
    this.#plans = plans;
    this.#losses = losses;
    this.#writeBack = writeBack;
  }

  /** @returns whether there are free entries now */
  grow(): boolean {
    if (this.#isClosed || this.#table.files.length >= MAX_FILES || this.#losses.isRefusing) return false;
    try {
      this.#table.add(JournalFileWriter.create(this.#nextPlan()));
      return true;
    } catch (error) {
      if (this.#plans.goElsewhere(error)) return this.grow();
      this.#losses.refused(error);
      return false;
    }
  }

  /** Gives back what a burst has needed, one file at a time. */
  shrink(): void {
    const file = this.#table.shrink();
    if (file === undefined) return;
    this.#writeBack?.forget(this.#table.size);
    discardFile(file);
  }

  /**
   * Makes a file again that somebody has deleted, with its spans in flight. Does nothing for a file that is
   * not of this table.
   */
  replace(file: JournalFileWriter): void {
    const index = this.#table.files.indexOf(file);
    if (index !== -1) this.#replaceAt(index, file);
  }

  /** Moves all spans in flight to files of the writer's new id. */
  renew(): void {
    for (const [index, file] of [...this.#table.files].entries()) {
      this.#replaceAt(index, file);
      file.remove();
    }
  }

  /** Keeps the files for the shipper when spans are in flight, and deletes them otherwise. */
  close(): void {
    this.#isClosed = true;
    const hasSpans = this.#table.used > 0;
    for (const file of this.#table.files) {
      if (hasSpans) file.release();
      else discardFile(file);
    }
    this.#table.close();
  }

  #replaceAt(index: number, file: JournalFileWriter): void {
    try {
      const next = JournalFileWriter.create(this.#nextPlan());
      this.#table.copy(index, next);
      if (this.#writeBack !== undefined) next.writeRange(next.headerLength, next.length);
      this.#table.files[index] = next;
      file.release();
    } catch (error) {
      this.#losses.refused(error);
    }
  }

  #nextPlan(): FilePlan {
    return this.#plans.plan('in-flight', this.#table.perFile * ENTRY_BYTES, ENTRY_BYTES, ++this.#lastSequence);
  }
}
