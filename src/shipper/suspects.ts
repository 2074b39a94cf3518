/**
 * Writers of something that an endpoint has refused as bad data. Nothing that one writer has left in its
 * journal may keep another's: each of them is sent for alone, a little at a time, until all that it has
 * passes; and when all of it is refused, it alone waits.
 *
 * @module
 */
import type { TailedWriter } from './tailed-writer.js';

/**
 * Bytes of the first request of a writer alone: others wait a moment only, should each of its spans be
 * refused. They double with each request that is taken whole.
 */
const FIRST_BYTES = 4096;
/** In milliseconds, until one whose request has been refused span by span is tried again. */
const WAIT_MIN_MS = 1000;
const WAIT_MAX_MS = 60_000;
/**
 * So often all that one writer has is refused, and what others have is taken in between, and it is no bad
 * moment of the endpoint's.
 */
const TIMES = 3;
/** Until what was set aside is tried again the first time, in milliseconds; doubled each time. */
const SET_ASIDE_MS = 10_000;
/** So often it fails alone, and others pass in between, and it is given up: after 42 minutes at least. */
export const SET_ASIDE_TIMES = 8;

interface Suspect {
  /** `performance.now()`. */
  since: number;
  /** Of its next request. */
  bytes: number;
  /** `performance.now()` at which all of a request of it had been refused. */
  refusedAt: number;
  /** How often that was so, each time after something of others had been taken since the last. */
  times: number;
  /** `performance.now()` before which nothing of it is tried. */
  notBefore: number;
  waitMs: number;
  isSetAside: boolean;
}

export class Suspects {
  readonly #suspects = new Map<TailedWriter, Suspect>();
  /** `performance.now()` at which the endpoint has last taken something. */
  #takenAt = 0;
  readonly #setAsideMs: number;
  /** Ids of the journals of what this shipper has set aside. */
  readonly #setAside = new Set<string>();

  constructor(setAsideMs: number = SET_ASIDE_MS) {
    this.#setAsideMs = setAsideMs;
  }

  has(writer: TailedWriter): boolean {
    return this.#suspects.has(writer);
  }

  /** `performance.now()` before which nothing of the writer is sent; 0: it waits for nothing. */
  notBefore(writer: TailedWriter): number {
    return this.#suspects.get(writer)?.notBefore ?? 0;
  }

  /** Bytes of its next request; Infinity: as many as fit. */
  bytesFor(writer: TailedWriter): number {
    return this.#suspects.get(writer)?.bytes ?? Number.POSITIVE_INFINITY;
  }

  /** Whether it is certain by now that it is the writer's data that is refused, not anybody's. */
  isProven(writer: TailedWriter): boolean {
    return this.#timesOf(writer) >= TIMES;
  }

  /** Whether what was set aside has failed often enough. */
  isHopeless(writer: TailedWriter): boolean {
    return this.#timesOf(writer) >= SET_ASIDE_TIMES;
  }

  #timesOf(writer: TailedWriter): number {
    return this.#suspects.get(writer)?.times ?? 0;
  }

  /** Something was set aside in the journal with this id: it has been tried a moment ago. */
  wasSetAside(id: string): void {
    this.#setAside.add(id);
  }

  /** A journal with what was set aside, by this shipper or, some time ago, by another. */
  addSetAside(writer: TailedWriter): void {
    if (this.has(writer)) return;
    const [now, waitMs] = [performance.now(), this.#setAsideMs];
    const notBefore = this.#setAside.has(writer.identity.id) ? now + waitMs : now;
    const bytes = FIRST_BYTES;
    const since = now;
    this.#suspects.set(writer, { since, bytes, refusedAt: now, times: 0, notBefore, waitMs, isSetAside: true });
  }

  /** Something in a request with its data was refused as bad. */
  add(writer: TailedWriter): void {
    const now = performance.now();
    const known = this.#suspects.get(writer);
    if (known !== undefined) known.bytes = FIRST_BYTES;
    else {
      const times = { since: now, refusedAt: now, notBefore: 0, waitMs: WAIT_MIN_MS };
      this.#suspects.set(writer, { ...times, bytes: FIRST_BYTES, times: 0, isSetAside: false });
    }
  }

  /** The endpoint has taken something, of whomever. */
  taken(): void {
    this.#takenAt = performance.now();
  }

  /** A request of it alone has passed whole. `isAll`: it has nothing else, or the request was a full one. */
  passed(writer: TailedWriter, isAll: boolean): void {
    const suspect = this.#suspects.get(writer);
    if (suspect === undefined) return;
    suspect.bytes *= 2;
    suspect.times = 0;
    suspect.waitMs = WAIT_MIN_MS;
    if (isAll) this.#suspects.delete(writer);
  }

  /**
   * All of a request of it alone has been refused, span by span.
   * @returns whether it alone waits now; else nothing has been taken since it is suspect, of nobody
   */
  refused(writer: TailedWriter): boolean {
    const suspect = this.#suspects.get(writer);
    if (suspect === undefined) return false;
    const now = performance.now();
    if (this.#takenAt > suspect.refusedAt) suspect.times++;
    suspect.refusedAt = now;
    if (this.#takenAt < suspect.since) return false;
    suspect.notBefore = Math.max(suspect.notBefore, now + suspect.waitMs);
    suspect.waitMs = suspect.isSetAside ? suspect.waitMs * 2 : Math.min(suspect.waitMs * 2, WAIT_MAX_MS);
    return true;
  }

  /** It is not tried again: what it has stays in the journal. */
  leave(writer: TailedWriter): void {
    const suspect = this.#suspects.get(writer);
    if (suspect !== undefined) suspect.notBefore = Number.POSITIVE_INFINITY;
  }

  /** Whoever waits is tried again at once; what is set aside, if this shipper has not tried it yet. */
  wake(): void {
    for (const suspect of this.#suspects.values()) suspect.notBefore = suspect.isSetAside ? suspect.notBefore : 0;
  }

  /** Forgets those that have no files any more. */
  keep(writers: readonly TailedWriter[]): void {
    for (const writer of this.#suspects.keys()) if (!writers.includes(writer)) this.#suspects.delete(writer);
  }
}
