/**
 * Wall-clock time with the resolution of the monotonic clock. A reading is in two fields, not an array: the hot path takes
 * two of them for each span.
 *
 * @module
 */
import { performance } from 'node:perf_hooks';

/** The monotonic clock is anchored again when the wall clock has gone its own way by more than this (sleep, NTP step). */
const TOLERATED_DRIFT_MS = 50;
const CHECK_INTERVAL_MS = 1000;

export class Clock {
  /** Result of the last reading: whole seconds since the epoch, and the nanoseconds in the second. */
  seconds = 0;
  nanoseconds = 0;

  #originMs = Date.now() - performance.now();
  #nextCheck = 0;

  /** Reads the time into {@link seconds} and {@link nanoseconds}. */
  read(): void {
    const now = performance.now();
    if (now >= this.#nextCheck) this.#check(now);
    this.fromMillis(this.#originMs + now);
  }

  #check(now: number): void {
    this.#nextCheck = now + CHECK_INTERVAL_MS;
    const originMs = Date.now() - now;
    if (Math.abs(originMs - this.#originMs) > TOLERATED_DRIFT_MS) this.#originMs = originMs;
  }

  /** Milliseconds since the epoch, as `Date.now()` and `Date.getTime()` give them. */
  fromMillis(epochMs: number): void {
    const seconds = Math.trunc(epochMs / 1000);
    const nanoseconds = Math.round((epochMs - seconds * 1000) * 1e6);
    // Rounding may reach the next second.
    const carry = nanoseconds === 1e9 ? 1 : 0;
    this.seconds = seconds + carry;
    this.nanoseconds = carry === 1 ? 0 : nanoseconds;
  }

  /** A reading of `performance.now()`. */
  fromPerformance(ms: number): void {
    this.fromMillis(this.#originMs + ms);
  }
}

/** The clock of this process's spans. */
export const clock = new Clock();
