/**
 * What the viewer holds: the numbers at the head of every page.
 *
 * JSON between the viewer's server and its page. Times are milliseconds since 1970, durations milliseconds.
 *
 * @module
 */

/** `GET /api/state`, and the data of each SSE `change` on `GET /api/live`. */
export interface StateView {
  version: string;
  /** When the viewer started, or what it had was cleared. */
  startedMs: number;
  /** By the viewer's clock, which need not be the browser's. */
  nowMs: number;
  /** Whether traces are kept in a database, which has more of them than memory. */
  file: boolean;
  otlpGrpcUrl: string;
  otlpHttpUrl: string;
  traces: number;
  spans: number;
  bytes: number;
  limits: { maxBytes: number; maxSpans: number; maxTraces: number };
  /** Spans since the viewer started. */
  received: number;
  duplicates: number;
  /** Pushed out by newer ones. */
  evictedSpans: number;
  evictedTraces: number;
  /** Beyond what one trace may hold. */
  overflow: number;
  /** Requests that were refused as malformed. */
  refused: number;
  /** Requests that could not be written to the database, when there is one. */
  unwritten?: number;
  services: string[];
}
