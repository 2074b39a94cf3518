/**
 * A segment that the shipper reads: how far it has been written, and how far delivered.
 *
 * @module
 */
import type { JournalFile } from '../journal/list-journal.js';
import type { FileState } from '../journal/open-file.js';
import type { Place } from '../journal/place.js';
import type { SegmentReader } from '../journal/segment-reader.js';

/** Until the system is asked again for what it could not read, in milliseconds. */
export const UNREADABLE_MS = 1000;

/** When a writer was last known to be alive, as it says itself. */
export type Lease = Pick<FileState, 'leaseMs' | 'leaseMonotonicMs'>;

/** One segment that is being read. */
export class TailedSegment {
  readonly file: JournalFile;
  readonly reader: SegmentReader;
  /** The directory that it was found in. */
  readonly place: Place;
  /** Delivered, or given up. */
  shipped: number;
  committed = 0;
  /** Where gathering has come to so far: what stands before it has been counted as read. */
  readTo: number;
  /** Likewise, of what has been looked into span by span. */
  verifiedTo: number;
  sealed = false;
  /** `performance.now()` before which it is not read, as the system could not; 0: it can. */
  unreadableUntil = 0;
  #hasFailed = false;
  #leaseMs = 0;
  /** A stranger has deleted the file, and its writer, which lives, is about to save what it held. */
  isHeld = false;
  /**
   * `performance.now()` since which there may be something unshipped: of the last look that found nothing.
   */
  waitingSince = 0;
  #lookedAt: number;

  /** @param lookedAt when it was not there yet */
  constructor(file: JournalFile, reader: SegmentReader, place: Place, lookedAt: number) {
    this.file = file;
    this.reader = reader;
    this.place = place;
    this.#lookedAt = lookedAt;
    this.shipped = this.readTo = this.verifiedTo = reader.state().shipped;
  }

  get isOfLogs(): boolean {
    return this.file.kind === 'logs';
  }

  /** Bytes to deliver; none as long as they cannot be read. */
  get lag(): number {
    return this.isHeld || this.isUnreadable ? 0 : Math.max(0, this.committed - this.shipped);
  }

  get isUnreadable(): boolean {
    return this.unreadableUntil > 0;
  }

  /**
   * The system could not read it: a disk that fails, a network file system that does not answer.
   * @returns whether that is the first time, and to be said
   */
  failed(now = performance.now()): boolean {
    this.unreadableUntil = now + UNREADABLE_MS;
    const isNews = !this.#hasFailed;
    this.#hasFailed = true;
    return isNews;
  }

  /**
   * @returns when the writer was last known to be alive, if it has said so anew since the last look
   * @throws what the file system says
   */
  refresh(now: number): Lease | undefined {
    if (now < this.unreadableUntil) return undefined;
    const { committed, shipped, sealed, leaseMs, leaseMonotonicMs } = this.reader.state();
    this.unreadableUntil = 0;
    this.committed = committed;
    // Another shipper has had it meanwhile.
    this.shipped = Math.max(this.shipped, shipped);
    this.sealed ||= sealed;
    if (this.lag === 0) this.waitingSince = 0;
    else if (this.waitingSince === 0) this.waitingSince = this.#lookedAt;
    this.#lookedAt = now;
    const isRenewed = leaseMs !== this.#leaseMs && this.#leaseMs !== 0;
    this.#leaseMs = leaseMs;
    return isRenewed ? { leaseMs, leaseMonotonicMs } : undefined;
  }
}
