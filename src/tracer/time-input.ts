import type { HrTime, TimeInput } from '@opentelemetry/api';
import { type Anchor, clock } from './clock.js';

/** Nanoseconds beyond this do not fit into 63 bits: the year 2262. */
const MAX_SECONDS = 9_223_372_036;

/** Whether `value` is one of the API's ways to give a time: `[seconds, nanoseconds]`, a number, a Date. */
export function isTimeInput(value: unknown): value is TimeInput {
  return isHrTime(value) || typeof value === 'number' || value instanceof Date;
}

function isHrTime(value: unknown): value is HrTime {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'number' && typeof value[1] === 'number';
}

/** Milliseconds since the epoch, to nanoseconds. */
export function millisToHrTime(millis: number): HrTime {
  const seconds = Math.trunc(millis / 1000);
  const nanos = Math.round((millis % 1000) * 1e6);
  // Rounding can make a whole second of nanoseconds.
  return nanos >= 1e9 ? [seconds + 1, nanos - 1e9] : [seconds, nanos];
}

/** A `performance.now()` by an anchor. */
export function performanceToHrTime(now: number, anchor: Anchor): HrTime {
  clock.convert(now, anchor);
  return [clock.seconds, clock.nanos];
}

/**
 * What a given time means, by the SDK's rules: a number up to `performance.now()` is one of its readings, a
 * larger one is milliseconds since the epoch. Undefined for what is no time, such as `NaN`, an invalid date,
 * or a time that OTLP has no bits for: the caller reads the clock.
 */
export function timeInputToHrTime(input: TimeInput | undefined, anchor: Anchor): HrTime | undefined {
  try {
    const time = toHrTime(input, anchor);
    return time !== undefined && Math.abs(time[0]) <= MAX_SECONDS && Number.isFinite(time[1]) ? time : undefined;
  } catch {
    // A proxy or a date of the program's that throws: a span must end all the same.
    return undefined;
  }
}

function toHrTime(input: TimeInput | undefined, anchor: Anchor): HrTime | undefined {
  if (typeof input === 'number') {
    return input <= performance.now() ? performanceToHrTime(input, anchor) : millisToHrTime(input);
  }
  if (input instanceof Date) return millisToHrTime(input.getTime());
  return isHrTime(input) ? input : undefined;
}

/**
 * The same time in whole seconds and 0 <= nanoseconds < 1e9; what is before 1970, too late or no number is 0.
 */
export function wholeTime(time: HrTime): HrTime {
  const [seconds, nanos] = time;
  if (Number.isInteger(seconds) && seconds >= 0 && Number.isInteger(nanos) && nanos >= 0 && nanos < 1e9) {
    return seconds <= MAX_SECONDS ? time : [0, 0];
  }
  const carry = Math.floor(nanos / 1e9);
  const whole = Math.trunc(seconds) + carry;
  return whole >= 0 && whole <= MAX_SECONDS ? [whole, Math.trunc(nanos - carry * 1e9)] : [0, 0];
}
