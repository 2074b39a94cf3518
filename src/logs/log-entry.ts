import { clock } from '../tracer/clock.js';

/** One log record, before it is encoded. */
export interface LogEntry {
  /** The time of the event: whole seconds since the epoch, and nanoseconds below 10⁹. */
  seconds: number;
  nanos: number;
  /**
   * The time at which the record was received. It is the same, unless the program gave another time of the
   * event.
   */
  observedSeconds: number;
  observedNanos: number;
  /** 1 to 24; 0: unknown. */
  severityNumber: number;
  severityText: string | undefined;
  body: unknown;
  attributes: object | undefined;
  /** Further attributes, which win over those of the same name. */
  exception: Record<string, unknown> | undefined;
  eventName: string | undefined;
}

/** A record of this moment with no other content. */
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
