/** Four bins per octave from 1 µs. */
const BINS = 160;
const PER_OCTAVE = 4;
const SHARE = 0.01;
/** Before so many have been seen, none is called slow. */
const LEAST_COUNT = 500;
/** Then what was seen counts half, so that a service that has become slower is not called slow for ever. */
const HALVE_AT = 20_000;

/** Tells whether a duration is among the slowest hundredth of those seen lately. */
export class SlowestShare {
  readonly #counts = new Float64Array(BINS);
  #total = 0;

  /** Counts it, too. */
  isSlow(durationMs: number): boolean {
    const bin = binOf(durationMs);
    let above = 0;
    for (let at = bin; at < BINS; at++) above += this.#counts[at]!;
    const slow = this.#total >= LEAST_COUNT && above < this.#total * SHARE;
    this.#counts[bin]!++;
    this.#total++;
    if (this.#total >= HALVE_AT) {
      for (let at = 0; at < BINS; at++) this.#counts[at]! /= 2;
      this.#total /= 2;
    }
    return slow;
  }
}

function binOf(durationMs: number): number {
  return Math.min(BINS - 1, Math.max(0, Math.floor(Math.log2(Math.max(durationMs, 0.001) / 0.001) * PER_OCTAVE)));
}
