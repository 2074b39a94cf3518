/**
 * One trace, and one of its spans.
 *
 * JSON between the viewer's server and its page. Times are milliseconds since 1970, durations milliseconds.
 *
 * @module
 */
import type { OtlpScope, OtlpSpan } from '../../wire/otlp-json.js';
import type { Outcome } from './outcome.js';
import type { ProcessView } from './process.js';

export interface SpanRowView {
  id: string;
  name: string;
  kind: number;
  /** From the trace's start, the clock's skew taken out. */
  offsetMs: number;
  durationMs: number;
  depth: number;
  /** Index of the parent's row, -1 for a root. */
  parent: number;
  descendants: number;
  outcome: Outcome;
  httpStatus: number;
  orphan: boolean;
  critical: boolean;
  shiftMs: number;
  /** What none of its children covers. */
  selfMs: number;
  route: string;
  /** Index in `processes`. */
  process: number;
  /** Offset and name. */
  events: [number, string][];
}

/** `GET /api/traces/<id>`. */
export interface TraceView {
  id: string;
  name: string;
  startMs: number;
  durationMs: number;
  outcome: Outcome;
  processes: ProcessView[];
  rows: SpanRowView[];
}

/** `GET /api/traces/<id>/linked`: a span of another trace that links here. */
export interface LinkedSpanView {
  traceId: string;
  spanId: string;
  name: string;
  /** Of this trace. */
  toSpanId: string;
}

/** `GET /api/traces/<id>/spans/<spanId>`. */
export interface SpanView {
  span: OtlpSpan;
  scope: OtlpScope;
  process: ProcessView;
  resource: { key?: string; value?: unknown }[];
}
