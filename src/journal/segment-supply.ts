/**
 * Where the next segment comes from: one that was made while the last one had room, one that the shipper has
 * given back, or a new file. A file's pages have to be found, zeroed and faulted in, which is a quarter of
 * what the journal costs: hence all this.
 *
 * @module
 */
import { headerLengthFor } from './format.js';
import { type FilePlan, JournalFileWriter } from './journal-file.js';
import { NoFile } from './new-file.js';

/**
 * Sealed segments that stay mapped until the shipper gives them back. At full load about six are on their
 * way: the shipper gathers for 1 s or 2 MiB.
 */
const MAX_RETIRED = 6;

export interface SegmentSupplyOptions {
  /** Bytes of the body of all segments but those of a chunk that is larger. */
  bodyLength: number;
  /** The file to make for a segment. */
  plan(bodyLength: number, sequence: number): FilePlan;
  /** Called before a new file is made of so many bytes: deletes old ones where they would be too many. */
  keepBound(bodyLength: number): void;
}

export class SegmentSupply {
  readonly bodyLength: number;
  readonly #options: SegmentSupplyOptions;
  #prepared: JournalFileWriter | undefined;
  #isPreparing = false;
  /** How often the writer has taken another id. */
  #renewals = 0;
  /** Sealed and still mapped, oldest first. */
  readonly #retired: JournalFileWriter[] = [];
  #lastSequence = 0;
  #isClosed = false;

  constructor(options: SegmentSupplyOptions) {
    this.#options = options;
    this.bodyLength = options.bodyLength;
  }

  /** Makes the next segment, so that no request waits for it. */
  prepare(): void {
    if (this.#isPreparing || this.#prepared !== undefined) return;
    this.#isPreparing = true;
    setImmediate(() => {
      if (this.#isClosed) return;
      this.#prepared = this.#takeSpare();
      if (this.#prepared !== undefined) {
        this.#isPreparing = false;
        return;
      }
      this.#options.keepBound(this.bodyLength);
      const renewals = this.#renewals;
      JournalFileWriter.prepare(this.#newPlan(this.bodyLength), (result) => {
        this.#isPreparing = false;
        // If it was refused, the rotation tries again and says why.
        if (result instanceof NoFile) return;
        if (this.#isClosed || this.#renewals !== renewals) discardFile(result);
        else this.#prepared = result;
      });
    }).unref();
  }

  /** A segment that costs next to nothing: prepared, or given back. */
  takeReady(): JournalFileWriter | undefined {
    const prepared = this.#prepared;
    this.#prepared = undefined;
    if (prepared === undefined) return this.#takeSpare();
    if (!prepared.isGoneNow()) return prepared;
    prepared.release();
    return this.#takeSpare();
  }

  /** @throws NoFile */
  make(bodyLength: number): JournalFileWriter {
    this.#options.keepBound(bodyLength);
    return JournalFileWriter.create(this.#newPlan(bodyLength));
  }

  /**
   * For a chunk that is larger than a segment: one whose file length is a power of two, so that few sizes of
   * window are in use.
   */
  bodyLengthFor(chunkBytes: number): number {
    if (chunkBytes <= this.bodyLength) return this.bodyLength;
    const headerLength = headerLengthFor(this.#options.plan(0, 1).header);
    return 2 ** Math.ceil(Math.log2(headerLength + chunkBytes)) - headerLength;
  }

  /**
   * Asks for the file back, once it has been shipped. To be called before it is sealed. @returns whether it
   * stays mapped
   */
  retire(file: JournalFileWriter): boolean {
    const canBeFilledAgain = file.isMapped && !this.#isClosed && file.length - file.headerLength === this.bodyLength;
    if (!canBeFilledAgain || this.#retired.length >= MAX_RETIRED) return false;
    file.want(true);
    this.#retired.push(file);
    return true;
  }

  /** Keeps one spare file; what a burst needed beyond that goes, one file at a time. */
  trim(): void {
    const spares = this.#retired.filter((file) => file.isSpare());
    const [, excess] = spares;
    if (excess === undefined || !excess.removeSpare()) return;
    this.#retired.splice(this.#retired.indexOf(excess), 1);
    excess.release();
  }

  close(): void {
    this.#isClosed = true;
    this.#releaseRetired();
  }

  /** The writer has another id from now on: no file under the old one is filled any more. */
  renew(): void {
    this.#renewals++;
    this.#releaseRetired();
  }

  #releaseRetired(): void {
    for (const file of this.#retired) {
      file.want(false);
      file.removeSpare();
      file.release();
    }
    this.#retired.length = 0;
    if (this.#prepared !== undefined) discardFile(this.#prepared);
    this.#prepared = undefined;
  }

  /** The oldest retired segment that the shipper has given back, made the next one. */
  #takeSpare(): JournalFileWriter | undefined {
    const plan = this.#options.plan(this.bodyLength, this.#lastSequence + 1);
    for (const file of [...this.#retired]) {
      let isTaken = false;
      let isLost = file.isGoneNow();
      try {
        isTaken = !isLost && file.refill(plan);
      } catch {
        isLost = true;
      }
      if (isTaken || isLost) this.#retired.splice(this.#retired.indexOf(file), 1);
      if (isLost) file.release();
      if (isTaken) {
        this.#lastSequence++;
        return file;
      }
    }
    return undefined;
  }

  #newPlan(bodyLength: number): FilePlan {
    return this.#options.plan(bodyLength, ++this.#lastSequence);
  }
}

export function discardFile(file: JournalFileWriter): void {
  file.remove();
  file.release();
}
