/**
 * Bounds how long a benchmark runs, by whole rounds, however slow the machine is.
 *
 * @module
 */
export class TimeLimit {
  readonly #startedAt = performance.now();
  #roundStartedAt = this.#startedAt;
  #longestMs = 0;

  /** @param minutes Without it there is no limit. */
  constructor(readonly minutes: number | undefined) {}

  get leftMinutes(): number {
    return (this.minutes ?? Number.POSITIVE_INFINITY) - (performance.now() - this.#startedAt) / 60_000;
  }

  /** Says that a round is done. True when another one as long as the longest so far would end in time. */
  next(): boolean {
    const now = performance.now();
    this.#longestMs = Math.max(this.#longestMs, now - this.#roundStartedAt);
    this.#roundStartedAt = now;
    return this.leftMinutes >= this.#longestMs / 60_000;
  }
}
