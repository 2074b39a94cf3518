/**
 * The list of traces, and its plot.
 *
 * JSON between the viewer's server and its page. Times are milliseconds since 1970, durations milliseconds.
 *
 * @module
 */
import type { Outcome } from './outcome.js';

/** One line of the trace list. */
export interface TraceRowView {
  id: string;
  name: string;
  service: string;
  /** Slots of the workers in it. */
  slots: number[];
  processes: number;
  startMs: number;
  durationMs: number;
  spans: number;
  errors: number;
  outcome: Outcome;
  httpStatus: number;
}

export interface TracePointView {
  id: string;
  name: string;
  startMs: number;
  durationMs: number;
  outcome: Outcome;
}

/** Duration over time of all traces that match; one of `points` and `heat`. */
export interface TracePlotView {
  fromMs: number;
  toMs: number;
  /** Ends of the duration's axis, as powers of ten of milliseconds. */
  low: number;
  high: number;
  points?: TracePointView[];
  heat?: {
    columns: number;
    rows: number;
    /** `row` 0 is the shortest. */
    cells: { column: number; row: number; ok: number; error: number; interrupted: number }[];
  };
  /** It shows some of each stretch of time: there are too many. */
  sampled?: boolean;
  /**
   * What is so far before or after all others that they would have no room beside it: it is not in the plot.
   */
  outside?: { count: number; fromMs: number; toMs: number }[] | undefined;
}

/** `GET /api/traces`: newest first, by pages of `limit` from `offset`. */
export interface TraceListView {
  /** How many match the filter, of those that had arrived by `until`. */
  total: number;
  /** There are more, which are reached by their time. */
  more?: boolean;
  /** What began before that has not been looked at: it took too long. */
  searchedToMs?: number;
  /** How many there are. */
  held: number;
  /** The latest to arrive of what is counted here; given back, the list stays as it is. */
  until: number;
  /** How many that match have arrived since. */
  newer: number;
  offset: number;
  rows: TraceRowView[];
  /** Only when asked for with `plot`, as the rest. */
  plot?: TracePlotView;
  slots: number[];
  routes: string[];
}
