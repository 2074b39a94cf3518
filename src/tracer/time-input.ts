import { performance } from 'node:perf_hooks';
import type { HrTime, TimeInput } from '@opentelemetry/api';
import { clock } from './clock.js';

export function isHrTime(value: unknown): value is HrTime {
  return Array.isArray(value) && value.length === 2 && typeof value[0] === 'number' && typeof value[1] === 'number';
}

export function isTimeInput(value: unknown): value is TimeInput {
  return isHrTime(value) || typeof value === 'number' || value instanceof Date;
}

/**
 * Reads a user's time into the clock's result fields. A number up to `performance.now()` is a reading of it, any larger one
 * is milliseconds since the epoch: the SDK's own rule.
 *
 * @returns false when `input` is no time, and the clock was not touched
 */
export function readTimeInput(input: TimeInput | undefined): boolean {
  if (typeof input === 'number') {
    if (input <= performance.now()) clock.fromPerformance(input);
    else clock.fromMillis(input);
    return true;
  }
  if (input instanceof Date) {
    clock.fromMillis(input.getTime());
    return true;
  }
  if (isHrTime(input)) {
    clock.seconds = input[0];
    clock.nanoseconds = input[1];
    return true;
  }
  return false;
}
