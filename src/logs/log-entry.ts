import { clock } from '../tracer/clock.js';

/** One log record, before it is encoded. */
export interface LogEntry {
  /** When it happened: whole seconds since the epoch, and nanoseconds below 10⁹. */
  seconds: number;
  nanos: number;
  /** When we saw it. The same, unless whoever logged said another time. */
  observedSeconds: number;
  observedNanos: number;
  /** 1 to 24; 0: not said. */
  severityNumber: number;
  severityText: string | undefined;
  body: unknown;
  attributes: object | undefined;
  /** More of them, which win. */
  exception: Record<string, unknown> | undefined;
  eventName: string | undefined;
}

/** A record that says nothing yet but when it is. */
export function entryNow(): LogEntry {
  const now = performance.now();
  clock.check(now);
  clock.convert(now, clock.anchor);
  const { seconds, nanos } = clock;
  return {
    ...{ seconds, nanos, observedSeconds: seconds, observedNanos: nanos },
    severityNumber: 0,
    severityText: undefined,
    body: undefined,
    attributes: undefined,
    exception: undefined,
    eventName: undefined,
  };
}
