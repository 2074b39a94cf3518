/**
 * Exponential histograms on one grid of bounds, whatever scale each was sent with: so those of several
 * processes, and of one process before and after it changed its scale, are added as they are.
 *
 * @module
 */
import type { ExponentialHistogramDataPoint } from '../../wire/otlp-json.js';

/** As scale 2 of OTLP: a bound is 19 % above the one before. */
const PER_OCTAVE = 4;
/** From a millionth to a million millions. */
const FIRST_OCTAVE = -20;
const LAST_OCTAVE = 40;
const COUNT = (LAST_OCTAVE - FIRST_OCTAVE) * PER_OCTAVE;

/** Upper ones. What is above the last has none; zero and below is in the first bucket. */
export const GRID: readonly number[] = Array.from(
  { length: COUNT + 1 },
  (_, n) => 2 ** (n / PER_OCTAVE + FIRST_OCTAVE),
);

/** Some of the grid's buckets: `counts[0]` is of the bucket `first`. */
export interface GridBuckets {
  first: number;
  counts: Float64Array;
}

export function onGrid({ scale = 0, zeroCount, positive, negative }: ExponentialHistogramDataPoint): GridBuckets {
  const all = new Float64Array(GRID.length + 1);
  all[0] = Number(zeroCount ?? 0);
  for (const count of negative?.bucketCounts ?? []) all[0] += Number(count);
  for (const [at, count] of (positive?.bucketCounts ?? []).entries()) {
    // The middle of the bucket, as a power of two: a bucket of a finer scale lies in one of ours.
    const power = ((positive?.offset ?? 0) + at + 0.5) / 2 ** scale;
    const bucket = Math.ceil((power - FIRST_OCTAVE) * PER_OCTAVE);
    all[Math.min(GRID.length, Math.max(0, bucket))]! += Number(count);
  }
  const first = all.findIndex((count) => count > 0);
  if (first === -1) return { first: 0, counts: new Float64Array(0) };
  return { first, counts: all.slice(first, all.findLastIndex((count) => count > 0) + 1) };
}
