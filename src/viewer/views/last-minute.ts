import type { DeathView } from '../api-types/deaths.js';
import { formatBytes, formatDuration } from '../format.js';

/** One figure of a process's last minute. */
export interface LastMinuteRow {
  name: string;
  /** A second each, the oldest first. */
  values: number[];
  /** The last one, with its unit. */
  last: string;
}

/** What the vitals of a dead process say of its last minute, for the page of a death and for terminals. */
export function lastMinuteRows({ last, minute }: NonNullable<DeathView['vitals']>): LastMinuteRow[] {
  const row = (name: string, value: (second: (typeof minute)[number]) => number, text: string): LastMinuteRow => ({
    name,
    values: minute.map(value),
    last: text,
  });
  return [
    row('heap', ({ heapUsed }) => heapUsed, `${formatBytes(last.heapUsed)} of ${formatBytes(last.heapLimit)}`),
    row('resident', ({ rss }) => rss, formatBytes(last.rss)),
    row('event loop', ({ utilization }) => utilization, `${Math.round(last.utilization * 100)} % busy`),
    row('delay', ({ delayMs }) => delayMs, formatDuration(last.delayMs)),
    row('collecting', ({ gcMs }) => gcMs, `${formatDuration(last.gcMs)} in the last second`),
    row('in flight', ({ inFlight }) => inFlight, String(last.inFlight)),
  ];
}
