import { performance } from 'node:perf_hooks';
/**
 * Where the monotonic clock stands against the calendar. A span keeps the anchor that it started with, so that its duration
 * is monotonic even if the system's time is set while it runs.
 */
export interface Anchor {
  /** Whole seconds since the epoch, added to {@link millis} and `performance.now()`. */
  readonly seconds: number;
  /** 0 <= millis < 1000 at the time of anchoring, less the `performance.now()` of then. */
  readonly millis: number;
}

/** How often the calendar is looked at, in milliseconds. */
const CHECK_INTERVAL = 1000;

/** `Date.now()` is rounded down, so a clock that agrees with it is between 0 and 1 ms ahead of it. One more is tolerated. */
const TOLERANCE = 1;

/**
 * One clock for all spans: `performance.now()` anchored to the calendar, so that the spans of a trace are in order to the
 * microsecond. The SDK reads `Date.now()` for each span's start; here the calendar is read once a second, and the anchor
 * moves when it is off by more than a millisecond (time set by hand or by NTP, a suspended machine).
 */
export class Clock {
  anchor: Anchor;
  #checkAt: number;

  constructor() {
    const now = performance.now();
    this.anchor = anchorAt(performance.timeOrigin + now, now);
    this.#checkAt = Number.NEGATIVE_INFINITY;
    this.check(now);
  }

  /** To be called with `performance.now()` before {@link anchor} is used. */
  check(now: number): void {
    // The second condition: fake timers of a test have been put in or taken out.
    if (now >= this.#checkAt || now < this.#checkAt - CHECK_INTERVAL) this.#check(now);
  }

  #check(now: number): void {
    this.#checkAt = now + CHECK_INTERVAL;
    const calendar = Date.now();
    const ahead = this.anchor.seconds * 1000 + this.anchor.millis + now - calendar;
    if (ahead < -TOLERANCE || ahead > 1 + TOLERANCE) this.anchor = anchorAt(calendar, now);
  }
}

function anchorAt(calendar: number, now: number): Anchor {
  const seconds = Math.floor(calendar / 1000);
  return { seconds, millis: calendar - seconds * 1000 - now };
}

/** The clock of this process's spans. */
export const clock = new Clock();
