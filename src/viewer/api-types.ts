/**
 * What the page and the server say to each other, as JSON. Times are milliseconds since 1970, durations
 * milliseconds.
 *
 * @module
 */
import type { KeyValue, OtlpScope, OtlpSpan } from '../wire/otlp-json.js';

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

/** A process, as short as it is unmistakable. */
export interface ProcessView {
  service: string;
  slot?: number;
  incarnation?: number;
  pid?: number;
  instanceId: string;
  host: string;
}

export type Outcome = 'ok' | 'error' | 'interrupted';

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

/** One log record. */
export interface LogRowView {
  id: number;
  timeMs: number;
  /** As OTLP numbers it: 9–12 info, 13–16 warn, 17–20 error; 0 unknown. */
  severity: number;
  severityText: string;
  body: string;
  /** '' when it belongs to none, as `spanId`. */
  traceId: string;
  spanId: string;
  attributes: KeyValue[];
  scope: string;
  process: ProcessView;
}

/** `GET /api/logs`: newest first, by pages, as {@link TraceListView}. */
export interface LogListView {
  /** Time of the oldest that is held, when older ones had to go. */
  sinceMs?: number | undefined;
  total: number;
  held: number;
  until: number;
  newer: number;
  offset: number;
  rows: LogRowView[];
}

/** `GET /api/complete`: what a filter may go on with. */
export interface CompletionView {
  /** Keys of attributes, of a sample of the spans; the most frequent first. */
  keys: string[];
  /** Values of `field`, likewise. */
  values: string[];
}

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

/** One of `GET /api/deaths`: what is remembered of deaths on this machine, the newest first. */
export interface DeathRowView {
  id: string;
  atMs: number;
  service: string;
  pid: number;
  slot?: number | undefined;
  cause: string;
  code: number | null;
  signal: string | null;
  inFlightTotal: number;
  /** The request whose code was running. */
  culprit?: string | undefined;
}

/** `GET /api/new-deaths?since=`: how many deaths there have been since then. */
export interface NewDeathsView {
  count: number;
}

/** A span as a death tells it. */
export interface DeathSpanView {
  name: string;
  traceId: string;
  spanId: string;
  durationMs: number;
  error: boolean;
}

/** One of its last log records. */
export interface DeathLogView {
  timeMs: number;
  severity: number;
  severityText: string;
  body: string;
  /** `name=value, …` */
  attributes: string;
  traceId: string;
  spanId: string;
}

/** One second of the minute before a death. */
export interface DeathSecondView {
  heapUsed: number;
  rss: number;
  /** Event-loop utilisation, 0..1. */
  utilization: number;
  delayMs: number;
  gcMs: number;
  inFlight: number;
}

/** `GET /api/deaths/<id>`. */
export interface DeathView extends DeathRowView {
  record?: { exceptionType?: string | undefined; message?: string | undefined; stack?: string | undefined } | undefined;
  /** What it was doing. */
  block?: { state: string; stack?: string | undefined } | undefined;
  lastWords?: string | undefined;
  /** The newest last. */
  lastLogs?: DeathLogView[] | undefined;
  /** Paths of files on this machine. */
  heapSnapshots?: string[] | undefined;
  vitals?:
    | {
        last: DeathSecondView & { atMs: number; heapLimit: number; cgroupUsed: number; cgroupLimit: number };
        /** The oldest first. */
        minute: DeathSecondView[];
      }
    | undefined;
  inFlight: (DeathSpanView & { role?: 'culprit' | 'victim' | undefined })[];
  lastSpans: DeathSpanView[];
  slowestSpans: DeathSpanView[];
}

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

export interface RouteWorkerView {
  service: string;
  slot?: number;
  requests: number;
  errors: number;
  p50Ms: number;
  p95Ms: number;
}

export interface RouteExampleView {
  traceId: string;
  durationMs: number;
  startMs: number;
  httpStatus: number;
  outcome: Outcome;
}

export interface RouteView {
  service: string;
  method: string;
  route: string;
  requests: number;
  rate: number;
  errors: number;
  interrupted: number;
  p50Ms: number;
  p95Ms: number;
  p99Ms: number;
  maxMs: number;
  /** Requests by duration, in buckets of a quarter decade from 0.1 ms. */
  histogram: number[];
  workers: RouteWorkerView[];
  slowest: RouteExampleView[];
  failing: RouteExampleView[];
}

/** `GET /api/routes`. */
export interface RoutesView {
  windowMs: number;
  /** From when on the traces are held that this counts, when that is not all of the window. */
  sinceMs?: number | undefined;
  routes: RouteView[];
}

/** A service, or what services talk to. */
export interface MapNodeView {
  id: string;
  kind: 'service' | 'database' | 'queue' | 'external';
  name: string;
  /** That have sent spans. */
  processes: number;
  /** Requests that a service served; calls to what is none. */
  calls: number;
  rate: number;
  errors: number;
  p50Ms: number;
  p95Ms: number;
}

export interface MapCallView {
  /** Ids of nodes. */
  from: string;
  to: string;
  calls: number;
  rate: number;
  errors: number;
  /** As the caller measured it, where it did. */
  p50Ms: number;
  p95Ms: number;
  /** Fields and values that the traces with such a call have. */
  filter: [string, string][];
}

/** `GET /api/map`. */
export interface ServiceMapView {
  windowMs: number;
  /** As {@link RoutesView}'s. */
  sinceMs?: number | undefined;
  nodes: MapNodeView[];
  /** Nodes that are called too seldom to be among these. */
  hidden: number;
  calls: MapCallView[];
}

export interface InstrumentView {
  name: string;
  /** UCUM, as sent. */
  unit: string;
  description: string;
  /** `other` is an exponential histogram or a summary: listed, not kept. */
  kind: 'gauge' | 'counter' | 'updown' | 'histogram' | 'summary' | 'other';
  series: number;
  /** Keys of what its series differ by. */
  attributes: string[];
  services: string[];
}

/** Charts that are shown before one asks for any, of instruments that are there. */
export interface PreparedView {
  title: string;
  charts: { title: string; name: string; stat?: MetricView['stat']; by?: string }[];
}

/** `GET /api/metrics`. */
export interface InstrumentsView {
  prepared: PreparedView[];
  /** By name. */
  instruments: InstrumentView[];
  /** Series that had to make room for others. */
  dropped: number;
  /** Time of the newest point that had to make room: before it, not all is there. */
  goneMs: number | undefined;
}

export interface MetricLineView {
  label: string;
  slot: number | undefined;
  /** At each of `times`; null is unknown. */
  values: (number | null)[];
}

/** `GET /api/metric?name=`: one instrument over time. */
export interface MetricView {
  name: string;
  unit: string;
  description: string;
  kind: InstrumentView['kind'];
  /** `value` of gauges, `rate` of counters; histograms have all but `value`. */
  stat: 'value' | 'rate' | 'p50' | 'p95' | 'p99' | 'mean' | 'total';
  perSecond: boolean;
  times: number[];
  lines: MetricLineView[];
  /** Lines with lower values that are not among these. */
  hidden: number;
}

/** Something that selected requests have more often than the others. */
export interface DifferenceView {
  /** Of an attribute of a span or its resource, or `name` of a span. */
  key: string;
  operator: '=' | '>=';
  value: string;
  /** 0..1, of the selected requests and of the others. */
  share: number;
  restShare: number;
}

/** `GET /api/differences`: of one route the slow requests, or those that failed, against the others. */
export interface DifferencesView {
  /** A request that took so long is slow. */
  fromMs: number;
  selected: number;
  rest: number;
  /** The greatest first; none when one of both groups is too small to tell. */
  differences: DifferenceView[];
}
