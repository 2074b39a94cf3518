import { performance } from 'node:perf_hooks';
/**
 * Where the monotonic clock stands against the calendar. A span keeps the anchor that it started with, so
 * that its duration is monotonic even if the system's time is set while it runs.
 */
export interface Anchor {
  /** Whole seconds since the epoch, added to {@link millis} and `performance.now()`. */
  readonly seconds: number;
  /** 0 <= millis < 1000 at the time of anchoring, less the `performance.now()` of then. */
  readonly millis: number;
}

/** How often the calendar is read, in milliseconds. */
const CHECK_INTERVAL = 1000;

/**
 * `Date.now()` is rounded down, so a clock that agrees with it is between 0 and 1 ms ahead of it. One more is
 * tolerated.
 */
const TOLERANCE = 1;

/**
 * One clock for all spans: `performance.now()` anchored to the calendar, so that the spans of a trace are in
 * order to the microsecond. The SDK reads `Date.now()` for each span's start; here the calendar is read once
 * a second, and the anchor moves when it is off by more than a millisecond (time set by hand or by NTP, a
 * suspended machine).
 */
export class Clock {
  anchor: Anchor;
  /** What {@link convert} found last: whole seconds since the epoch, and nanoseconds below 10⁹. */
  seconds = 0;
  nanos = 0;
  #checkAt: number;

  constructor() {
    const now = performance.now();
    this.anchor = anchorAt(performance.timeOrigin + now, now);
    this.#checkAt = Number.NEGATIVE_INFINITY;
    this.check(now);
  }

  /** To be called with `performance.now()` before {@link anchor} is used. */
  check(now: number): void {
    // The second condition: a test has put fake timers in or taken them out.
    if (now >= this.#checkAt || now < this.#checkAt - CHECK_INTERVAL) this.#check(now);
  }

  /**
   * Sets {@link seconds} and {@link nanos} to the time at which `performance.now()` was `reading`. Two
   * fields, because an array for each reading would be two more allocations per span.
   */
  convert(reading: number, anchor: Anchor): void {
    const millis = reading + anchor.millis;
    const seconds = Math.floor(millis / 1000);
    // Integer for V8: a field that once held a double costs an allocation at each store.
    const nanos = Math.round((millis - seconds * 1000) * 1e6) | 0;
    // Rounding can make a whole second of nanoseconds.
    this.seconds = nanos === 1e9 ? anchor.seconds + seconds + 1 : anchor.seconds + seconds;
    this.nanos = nanos === 1e9 ? 0 : nanos;
  }

  #check(now: number): void {
    this.#checkAt = now + CHECK_INTERVAL;
    const calendar = Date.now();
    const ahead = this.anchor.seconds * 1000 + this.anchor.millis + now - calendar;
    if (ahead < -TOLERANCE || ahead > 1 + TOLERANCE) this.anchor = anchorAt(calendar, now);
  }
}

/**
 * The `performance.now()` at which a span started that did so at this anchor; NaN without one, as the program
 * gave the time.
 */
export function readingAt(anchor: Anchor | undefined, seconds: number, nanos: number): number {
  return anchor === undefined ? Number.NaN : (seconds - anchor.seconds) * 1000 + nanos / 1e6 - anchor.millis;
}

function anchorAt(calendar: number, now: number): Anchor {
  const seconds = Math.floor(calendar / 1000);
  return { seconds, millis: calendar - seconds * 1000 - now };
}

/** The clock of this process's spans. */
export const clock = new Clock();
