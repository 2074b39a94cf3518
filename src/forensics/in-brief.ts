/**
 * Spans and log records, as what is known about a death holds them.
 *
 * @module
 */

/** A span that was in flight at the death, or one of the last that had ended. */
export interface SpanInBrief {
  name: string;
  traceId: string;
  spanId: string;
  /** Milliseconds since the epoch. */
  startMs: number;
  /** Milliseconds; until the death for a span that was in flight. */
  durationMs: number;
  error: boolean;
}

/** A log record of a dead process. Texts are cut at 1024 characters. */
export interface LogInBrief {
  /** Milliseconds since the epoch. */
  timeMs: number;
  /**
   * OpenTelemetry's severity number: 1–4 trace, 5–8 debug, 9–12 info, 13–16 warn, 17–20 error, 21–24 fatal; 0
   * unknown.
   */
  severity: number;
  severityText: string;
  body: string;
  /** `name=value, …` */
  attributes: string;
  /** Empty outside of any trace, as is `spanId`. */
  traceId: string;
  spanId: string;
}
