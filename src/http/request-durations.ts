/**
 * How long requests of this process took in the last seconds, for the worker's heartbeat: a histogram whose
 * buckets are 1/8 of a power of two wide, so that a percentile is off by 12 % at most. Reading the clock
 * twice costs up to 0.4 µs, so that of many requests only about a hundred in a second are timed, and none
 * where nobody asks for the percentile.
 *
 * @module
 */
import { performance } from 'node:perf_hooks';

const BUCKETS = 256;
/** A percentile is over the last one to two windows. */
const WINDOW_MS = 5000;

let current = new Uint32Array(BUCKETS);
let previous = new Uint32Array(BUCKETS);
let windowStart = 0;

const TIMED_PER_SECOND = 100;
/** Of so many requests one is timed. */
let every = 1;
let untilNext = 1;
let requestsBefore = 0;
/** Somebody has asked. */
let isRead = false;
let readAt = 0;

/** To be called when a request starts. @returns its start, or 0 when it is not timed */
export function startTiming(): number {
  if (!isRead || --untilNext > 0) return 0;
  untilNext = every;
  return performance.now();
}

/** @param startedAt what {@link startTiming} has returned */
export function endTiming(startedAt: number): void {
  if (startedAt !== 0) current[bucketOf(performance.now() - startedAt)]!++;
}

/** How many are timed follows from how many there were since the last call. */
function adapt(requests: number, now: number): void {
  const seconds = (now - readAt) / 1000;
  every = Math.max(1, Math.round((requests - requestsBefore) / seconds / TIMED_PER_SECOND));
  untilNext = Math.min(untilNext, every);
  requestsBefore = requests;
  readAt = now;
}

/**
 * The 99th percentile of the last 5 to 10 seconds in milliseconds; 0 when there was no request, and the first
 * time, which begins the timing.
 *
 * @param requests served since the start
 */
export function p99Ms(requests: number, now = performance.now()): number {
  isRead = true;
  adapt(requests, now);
  if (now - windowStart >= WINDOW_MS) {
    const missed = now - windowStart >= 2 * WINDOW_MS;
    [previous, current] = [current, previous.fill(0)];
    if (missed) previous.fill(0);
    windowStart = now;
  }
  let total = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) total += current[bucket]! + previous[bucket]!;
  if (total === 0) return 0;
  let above = Math.floor(total * 0.01);
  for (let bucket = BUCKETS - 1; bucket > 0; bucket--) {
    const count = current[bucket]! + previous[bucket]!;
    if (above < count) return upperMs(bucket);
    above -= count;
  }
  return upperMs(0);
}

/** Of microseconds, the exponent and the three bits after the first. */
function bucketOf(ms: number): number {
  const us = Math.min(2 ** 31 - 1, ms * 1000) | 0;
  if (us < 8) return us;
  const exponent = 31 - Math.clz32(us);
  return (exponent - 2) * 8 + ((us >> (exponent - 3)) & 7);
}

/** The upper end of a bucket. */
function upperMs(bucket: number): number {
  if (bucket < 8) return (bucket + 1) / 1000;
  const exponent = (bucket >> 3) + 2;
  return ((8 + (bucket & 7) + 1) * 2 ** (exponent - 3)) / 1000;
}
