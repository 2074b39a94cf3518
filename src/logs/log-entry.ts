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
