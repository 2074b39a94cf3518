import { EVENTLOOP_UTILIZATION, SPANS_JOURNALED, SPANS_LOST } from '../../wire/conventions.js';
import type {
  BreakerView,
  ClusterView,
  IncarnationView,
  LaneColumns,
  LaneRequests,
  LaneState,
  LaneStats,
  LaneView,
} from '../api-types/cluster.js';
import type { ClusterHistory, IncarnationHistory, Lane } from '../store/cluster-history.js';
import type { MetricStore } from '../store/metric-store.js';
import { processGone } from '../store/process-gone.js';
import { bucketPercentile, type RequestColumns, type ServedRequest } from '../store/request-series.js';
import { isPlannedExit } from './exit-words.js';
import { percentile } from './percentile.js';

const DEFAULT_WINDOW_MS = 60_000;
const MAX_WINDOW_MS = 3_600_000;
/** Requests that all lanes together hand over one by one; a busier lane is counted in columns. */
const MAX_REQUESTS = 6000;
/** A wider lane has no pixel for more. */
const MAX_COLUMNS = 480;
/** Without a word for so long, a process that cannot be asked is called silent. */
const SILENT_MS = 60_000;

/**
 * Every worker on one time axis: `window` milliseconds that end at `to`, by default now.
 *
 * @param now the server's clock, which need not be the browser's
 */
export function clusterView(
  history: ClusterHistory,
  metrics: MetricStore,
  query: URLSearchParams,
  now = Date.now(),
): ClusterView {
  const windowMs = Math.min(MAX_WINDOW_MS, Math.max(1000, Number(query.get('window')) || DEFAULT_WINDOW_MS));
  const toMs = Number(query.get('to')) || now;
  const fromMs = toMs - windowMs;
  const service = query.get('service') || undefined;
  const all = [...history.lanes];
  const wanted = all.filter((lane) => service === undefined || lane.service === service);
  const limit = Math.floor(MAX_REQUESTS / Math.max(1, wanted.length));
  const lanes: LaneView[] = [];
  for (const lane of wanted) {
    const view = laneView(lane, { history, metrics, fromMs, toMs, limit, now });
    if (view !== undefined) lanes.push(view);
  }
  lanes.sort((a, b) => compare(a.service, b.service) || compare(a.host, b.host) || (a.slot ?? 1e9) - (b.slot ?? 1e9));
  return {
    fromMs,
    toMs,
    services: [...new Set(all.map((lane) => lane.service))].sort(),
    breakers: breakers(history, now).filter((one) => service === undefined || one.service === service),
    lanes,
    events: history.events.filter(
      (event) => event.endMs >= fromMs && event.startMs <= toMs && (service === undefined || event.service === service),
    ),
  };
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Breakers that are not closed, of coordinators that may still be there. */
function breakers(history: ClusterHistory, now: number): BreakerView[] {
  const found: BreakerView[] = [];
  for (const { service, host, pid, breaker } of history.coordinators.values()) {
    if (breaker === undefined || breaker.state === 'closed') continue;
    if (processGone({ pid, host }, breaker.atMs, now)) continue;
    found.push({ service, state: breaker.state, sinceMs: breaker.atMs });
  }
  return found;
}

interface Scope {
  history: ClusterHistory;
  metrics: MetricStore;
  fromMs: number;
  toMs: number;
  limit: number;
  now: number;
}

function laneView(lane: Lane, scope: Scope): LaneView | undefined {
  const { metrics, fromMs, toMs, limit, now } = scope;
  const latest = lane.incarnations.at(-1)!;
  const known = stateOf(latest, now);
  const block = known === 'up' ? scope.history.blockOf(latest) : undefined;
  const state = block === undefined ? known : 'blocked';
  const ended = state === 'gone' || state === 'silent';
  const endOf = (one: IncarnationHistory) => one.exit?.atMs ?? (one === latest && !ended ? now : one.lastMs);
  const incarnations = lane.incarnations.filter(
    (one) =>
      (one.startMs ?? one.firstMs) <= toMs && (endOf(one) >= fromMs || (one === latest && lane.slot !== undefined)),
  );
  const requests = lane.requests.within(fromMs, toMs, limit);
  if (incarnations.length === 0 && (requests === undefined || requests.length === 0)) return undefined;
  // A process in no slot says when it starts, never that it has gone: out of the window, out of sight.
  if (lane.slot === undefined && incarnations.every(({ lastMs }) => lastMs < fromMs)) return undefined;
  const columns =
    requests === undefined ? lane.requests.columns(fromMs, toMs, (toMs - fromMs) / MAX_COLUMNS) : undefined;
  const measured = (name: string) => metrics.latest(latest.instanceId, name);
  return {
    service: lane.service,
    host: lane.host,
    slot: lane.slot,
    state,
    blocked: block && { sinceMs: block.sinceMs, state: block.state },
    earlier: isEarlier(lane, known, scope.history),
    incarnations: incarnations.map((one) => incarnationView(one, one === latest && !ended ? undefined : endOf(one))),
    requests: requests && requestColumns(requests),
    columns: columns && laneColumns(columns),
    stats: {
      ...(columns === undefined ? requestStats(requests!, fromMs, toMs) : columnStats(columns, fromMs, toMs)),
      utilization: known === 'up' ? measured(EVENTLOOP_UTILIZATION) : undefined,
      spansJournaled: measured(SPANS_JOURNALED),
      spansReceived: incarnations.reduce((sum, { spans }) => sum + spans, 0),
      spansLost: measured(SPANS_LOST),
    },
  };
}

function stateOf(life: IncarnationHistory, now: number): LaneState {
  if (life.exit !== undefined) return isPlannedExit(life.exit) ? 'stopped' : 'dead';
  const gone = processGone(life, Math.max(life.lastMs, life.readyMs ?? 0), now);
  if (gone) return 'gone';
  if (life.startMs !== undefined && life.readyMs === undefined && life.spans === 0) return 'starting';
  return gone === undefined && now - Math.max(life.lastMs, life.readyMs ?? 0) > SILENT_MS ? 'silent' : 'up';
}

/** Its process is no more, and a coordinator that began later forks for the same service. */
function isEarlier(lane: Lane, state: LaneState, history: ClusterHistory): boolean {
  if (state === 'up' || state === 'starting') return false;
  const latest = lane.incarnations.at(-1)!;
  const own = history.coordinators.get(latest.coordinator);
  const bornMs = own?.firstMs ?? latest.lastMs;
  for (const [id, other] of history.coordinators) {
    if (id === latest.coordinator || other.service !== lane.service || other.host !== lane.host) continue;
    if (other.firstMs > bornMs) return true;
  }
  return false;
}

/**
 * The coordinator may have counted before the last journal was read; the spans that came count, too.
 *
 * @param endMs where it ends when no exit says so
 */
function incarnationView(
  { interrupted, exit, coordinator: _coordinator, host: _host, ...life }: IncarnationHistory,
  endMs: number | undefined,
): IncarnationView {
  if (exit === undefined) return { ...life, endMs };
  return { ...life, exit: { ...exit, requestsInterrupted: Math.max(interrupted, exit.requestsInterrupted ?? 0) } };
}

type RequestStats = Omit<LaneStats, 'spansReceived'>;

function requestStats(requests: ServedRequest[], fromMs: number, toMs: number): RequestStats {
  let errors = 0;
  let interrupted = 0;
  const durations = new Float64Array(requests.length);
  for (const [index, request] of requests.entries()) {
    if (request.interrupted) interrupted++;
    else if (request.error) errors++;
    durations[index] = request.endMs - request.startMs;
  }
  durations.sort();
  const share = (wanted: number) => (durations.length === 0 ? undefined : percentile(durations, wanted));
  return {
    requests: requests.length,
    rate: rateSince(requests.length, requests[0]?.startMs, fromMs, toMs),
    errors,
    interrupted,
    p50Ms: share(0.5),
    p95Ms: share(0.95),
    p99Ms: share(0.99),
  };
}

function columnStats({ buckets, stepMs }: RequestColumns, fromMs: number, toMs: number): RequestStats {
  let [requests, errors, interrupted] = [0, 0, 0];
  for (const bucket of buckets) {
    requests += bucket.requests;
    errors += bucket.errors;
    interrupted += bucket.interrupted;
  }
  const first = buckets[0];
  return {
    requests,
    rate: rateSince(requests, first && first.index * stepMs, fromMs, toMs),
    errors,
    interrupted,
    p50Ms: bucketPercentile(buckets, 0.5),
    p95Ms: bucketPercentile(buckets, 0.95),
    p99Ms: bucketPercentile(buckets, 0.99),
  };
}

/** A lane younger than the window has served since its first request. */
function rateSince(requests: number, firstMs: number | undefined, fromMs: number, toMs: number): number {
  return requests / Math.max(1, (toMs - Math.max(fromMs, firstMs ?? fromMs)) / 1000);
}

function requestColumns(requests: ServedRequest[]): LaneRequests {
  return {
    startMs: requests.map((request) => request.startMs),
    durationMs: requests.map((request) => Math.max(0, request.endMs - request.startMs)),
    outcome: requests.map((request) => (request.interrupted ? 2 : request.error ? 1 : 0)),
    traceId: requests.map((request) => request.traceId),
    name: requests.map((request) => request.name),
  };
}

function laneColumns({ stepMs, buckets }: RequestColumns): LaneColumns {
  return {
    stepMs,
    startMs: buckets.map(({ index }) => index * stepMs),
    requests: buckets.map(({ requests }) => requests),
    errors: buckets.map(({ errors }) => errors),
    interrupted: buckets.map(({ interrupted }) => interrupted),
    p50Ms: buckets.map((bucket) => bucketPercentile([bucket], 0.5) ?? 0),
    p95Ms: buckets.map((bucket) => bucketPercentile([bucket], 0.95) ?? 0),
  };
}
