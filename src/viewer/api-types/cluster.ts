/**
 * The cluster over time: a lane for each slot.
 *
 * JSON between the viewer's server and its page. Times are milliseconds since 1970, durations milliseconds.
 *
 * @module
 */

/** How a process ended. */
export interface ExitView {
  atMs: number;
  /** One of the fixed list of exit causes. */
  cause?: string;
  code?: number;
  signal?: string;
  planned?: boolean;
  spansRecovered?: number;
  requestsInterrupted?: number;
  /** The trace of the coordinator's span, if there is one. */
  traceId?: string;
  /** Of what is remembered of it: the page `/deaths/<id>`. */
  deathId?: string;
}

/** One process life in a slot. */
export interface IncarnationView {
  instanceId: string;
  incarnation?: number;
  pid?: number;
  /** The fork; unknown when nothing has told. */
  startMs?: number;
  readyMs?: number;
  /** Its first and its latest span. */
  firstMs: number;
  lastMs: number;
  /** Spans that have come from it. */
  spans: number;
  exit?: ExitView;
  /** When it was last heard of, for one that has ended without a word. */
  endMs?: number;
}

/** Requests of a lane as columns, oldest first. */
export interface LaneRequests {
  startMs: number[];
  durationMs: number[];
  /** 0 ok, 1 error, 2 interrupted. */
  outcome: number[];
  traceId: string[];
  name: string[];
}

/** A busy lane's requests, counted in stretches of time; those in which nothing was served are left out. */
export interface LaneColumns {
  stepMs: number;
  startMs: number[];
  requests: number[];
  errors: number[];
  interrupted: number[];
  p50Ms: number[];
  p95Ms: number[];
}

/**
 * What is known of a lane's latest process: `blocked` is one whose event loop does not turn, `gone` is no
 * longer there and nobody told how it ended, `silent` has not been heard of for a minute and lives on a
 * machine that cannot be asked.
 */
export type LaneState = 'starting' | 'up' | 'blocked' | 'silent' | 'stopped' | 'dead' | 'gone';

/** What a lane did within the window; undefined is unknown. */
export interface LaneStats {
  requests: number;
  /** Per second. */
  rate: number;
  errors: number;
  interrupted: number;
  p50Ms?: number;
  p95Ms?: number;
  p99Ms?: number;
  /** 0..1 */
  utilization?: number;
  spansJournaled?: number;
  /** That have arrived here, of all its lives in the window. */
  spansReceived: number;
  spansLost?: number;
}

export interface LaneView {
  service: string;
  host: string;
  slot?: number;
  state: LaneState;
  /** Since when its event loop has not turned, and what it is found doing. */
  blocked?: { sinceMs: number; state: string };
  /** Of a cluster that has ended, whose place another has taken. */
  earlier: boolean;
  incarnations: IncarnationView[];
  /** One of both. */
  requests?: LaneRequests;
  columns?: LaneColumns;
  stats: LaneStats;
}

/** Something that the whole cluster did. */
export interface ClusterEventView {
  service: string;
  name: string;
  startMs: number;
  endMs: number;
  error: boolean;
  traceId: string;
}

/** A crash-loop breaker that keeps workers from being respawned. */
export interface BreakerView {
  service: string;
  /** `open` or `half-open`. */
  state: string;
  sinceMs: number;
}

/** `GET /api/cluster`. */
export interface ClusterView {
  fromMs: number;
  toMs: number;
  /** Of all lanes, whatever the filter. */
  services: string[];
  breakers: BreakerView[];
  lanes: LaneView[];
  events: ClusterEventView[];
}
