/**
 * How large the requests to one endpoint are, for one signal: as large as it takes. One that is too large
 * halves the size, which grows again later: a proxy is given another limit, and a connection that was cut
 * twice has not always been cut for the size.
 *
 * @module
 */

/**
 * gRPC costs 10× less per byte in messages of 1 to 4 MiB than in those of 64 KiB; a Collector takes 4 MiB.
 */
const REQUEST_BYTES = 2 * 1024 * 1024;
/** No endpoint is worth smaller ones. */
const LEAST_BYTES = 4096;
/** Until a larger one is tried, in milliseconds; doubled each time that this one is too large again. */
const GROW_MIN_MS = 60_000;
const GROW_MAX_MS = 3_600_000;

export class RequestSize {
  /** @default 2 MiB */
  readonly most: number;
  readonly #growMs: number;
  #bytes: number;
  #waitMs: number;
  /** `performance.now()` from which on a larger one is tried. */
  #growsAt = 0;
  /** Not tried yet at the size that it has grown to. */
  #isTrial = false;

  constructor(most: number = REQUEST_BYTES, growMs: number = GROW_MIN_MS) {
    this.most = this.#bytes = most;
    this.#growMs = this.#waitMs = growMs;
  }

  /** What a request has at most, but for a single span that is larger. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A request of so many bytes was too large. `least`: no smaller ones are worth a try. */
  tooLarge(bytes: number, now: number, least: number = LEAST_BYTES): void {
    const half = Math.max(least, bytes >> 1);
    if (this.#isTrial) this.#waitMs = Math.min(this.#waitMs * 2, GROW_MAX_MS);
    this.#isTrial = false;
    this.#bytes = Math.min(this.#bytes, half);
    this.#growsAt = now + this.#waitMs;
  }

  /** A request of so many bytes has been taken. */
  taken(bytes: number, now: number): void {
    // What comes is not more than that: no larger ones are needed.
    if (bytes <= this.#bytes / 2) return;
    if (this.#isTrial) this.#waitMs = this.#growMs;
    this.#isTrial = false;
    if (this.#bytes === this.most || now < this.#growsAt) return;
    this.#bytes = Math.min(this.most, this.#bytes * 2);
    this.#growsAt = now + this.#waitMs;
    this.#isTrial = true;
  }
}
