/**
 * What the page and the server say to each other, as JSON.
 *
 * @module
 */

/** `GET /api/state`, and the data of each SSE `change` on `GET /api/live`. */
export interface StateView {
  version: string;
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
  services: string[];
}
