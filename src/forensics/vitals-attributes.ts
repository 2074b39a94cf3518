import type { Attributes } from '@opentelemetry/api';
import {
  VITALS_AT,
  VITALS_CGROUP_LIMIT,
  VITALS_CGROUP_USED,
  VITALS_DELAY,
  VITALS_EXTERNAL,
  VITALS_GC,
  VITALS_HEAP_LIMIT,
  VITALS_HEAP_USED,
  VITALS_IN_FLIGHT,
  VITALS_RSS,
  VITALS_UTILIZATION,
} from '../wire/conventions.js';
import type { Sample } from './vitals-table.js';

/**
 * The last sample before a death, as attributes of the death.
 *
 * @param diedAtMs milliseconds since the epoch
 */
export function vitalsAttributes(last: Sample, diedAtMs: number): Attributes {
  return {
    [VITALS_AT]: Math.max(0, diedAtMs - last.atMs) / 1000,
    [VITALS_HEAP_USED]: last.heapUsed,
    [VITALS_HEAP_LIMIT]: last.heapLimit,
    [VITALS_RSS]: last.rss,
    [VITALS_EXTERNAL]: last.external,
    ...(last.cgroupUsed > 0 && { [VITALS_CGROUP_USED]: last.cgroupUsed }),
    ...(last.cgroupLimit > 0 && { [VITALS_CGROUP_LIMIT]: last.cgroupLimit }),
    [VITALS_UTILIZATION]: last.utilization,
    [VITALS_DELAY]: last.delayMs,
    [VITALS_GC]: last.gcMs,
    [VITALS_IN_FLIGHT]: last.inFlight,
  };
}
