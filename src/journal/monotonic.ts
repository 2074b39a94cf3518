/**
 * The machine's monotonic clock, which nobody sets: the same in all processes since the machine has booted.
 *
 * @module
 */
import { performance } from 'node:perf_hooks';

/** What `performance.now()` is behind it in this process, in milliseconds. */
const OFFSET = Number(process.hrtime.bigint() / 1000n) / 1000 - performance.now();

/** Milliseconds since the machine booted, at a reading of `performance.now()`. */
export function monotonicAt(reading: number): number {
  return reading + OFFSET;
}

/** As a u32: 0 where the reading is not known (NaN). Wraps after 49 days. */
export function monotonicWord(reading: number): number {
  return (reading + OFFSET) >>> 0;
}

/** Milliseconds from `word` to `ms`, of {@link monotonicAt}; for less than 49 days. */
export function sinceWord(word: number, ms: number): number {
  const elapsed = (ms >>> 0) - word;
  return (elapsed < 0 ? elapsed + 2 ** 32 : elapsed) + (ms % 1);
}
