import type { HrTime, TimeInput } from '@opentelemetry/api';
import type { Anchor } from './clock.js';

/** Whether `value` is one of the API's ways to give a time: `[seconds, nanoseconds]`, a number, a Date. */
export function isTimeInput(value: unknown): value is TimeInput {
  return isHrTime(value) || typeof value === 'number' || value instanceof Date;
}

function isHrTime(value: unknown): value is HrTime {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'number' && typeof value[1] === 'number';
}

/** Milliseconds since the epoch, to nanoseconds. */
export function millisToHrTime(millis: number): HrTime {
  return carried(Math.trunc(millis / 1000), Math.round((millis % 1000) * 1e6));
}

/** A `performance.now()` by an anchor. */
export function performanceToHrTime(now: number, anchor: Anchor): HrTime {
  const millis = now + anchor.millis;
  const seconds = Math.floor(millis / 1000);
  return carried(anchor.seconds + seconds, Math.round((millis - seconds * 1000) * 1e6));
}

/** Rounding can make a whole second of nanoseconds. */
function carried(seconds: number, nanos: number): HrTime {
  return nanos >= 1e9 ? [seconds + 1, nanos - 1e9] : [seconds, nanos];
}

/**
 * What a given time means, by the SDK's rules: a number up to `performance.now()` is one of its readings, a larger one is
 * milliseconds since the epoch. Undefined for what is no time: the caller reads the clock.
 */
export function timeInputToHrTime(input: TimeInput | undefined, anchor: Anchor): HrTime | undefined {
  if (typeof input === 'number') {
    return input <= performance.now() ? performanceToHrTime(input, anchor) : millisToHrTime(input);
  }
  if (input instanceof Date) return millisToHrTime(input.getTime());
  if (isHrTime(input)) return input;
  return undefined;
}

/** The same time in whole seconds and 0 <= nanoseconds < 1e9; what is before 1970 or no number is 0. */
export function wholeTime(time: HrTime): HrTime {
  const [seconds, nanos] = time;
  if (Number.isInteger(seconds) && seconds >= 0 && Number.isInteger(nanos) && nanos >= 0 && nanos < 1e9) return time;
  const carry = Math.floor(nanos / 1e9);
  const whole = Math.trunc(seconds) + carry;
  return whole >= 0 ? [whole, Math.trunc(nanos - carry * 1e9)] : [0, 0];
}
