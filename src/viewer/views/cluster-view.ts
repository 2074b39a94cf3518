import { EVENTLOOP_UTILIZATION, SPANS_JOURNALED, SPANS_LOST } from '../../wire/conventions.js';
import type { ClusterView, IncarnationView, LaneRequests, LaneStats, LaneView } from '../api-types.js';
import type { ClusterHistory, IncarnationHistory, Lane, ServedRequest } from '../store/cluster-history.js';
import type { WorkerMetrics } from '../store/worker-metrics.js';
import { percentile } from './percentile.js';

const DEFAULT_WINDOW_MS = 60_000;
const MAX_WINDOW_MS = 3_600_000;

/**
 * Every worker on one time axis: `window` milliseconds that end at `to`, by default now.
 *
 * @param now the server's clock, which need not be the browser's
 */
export function clusterView(
  history: ClusterHistory,
  metrics: WorkerMetrics,
  query: URLSearchParams,
  now = Date.now(),
): ClusterView {
  const windowMs = Math.min(MAX_WINDOW_MS, Math.max(1000, Number(query.get('window')) || DEFAULT_WINDOW_MS));
  const toMs = Number(query.get('to')) || now;
  const fromMs = toMs - windowMs;
  const service = query.get('service') || undefined;
  const lanes: LaneView[] = [];
  for (const lane of history.lanes.values()) {
    if (service !== undefined && lane.service !== service) continue;
    const view = laneView(lane, metrics, fromMs, toMs);
    if (view !== undefined) lanes.push(view);
  }
  lanes.sort((a, b) => (a.service < b.service ? -1 : a.service > b.service ? 1 : (a.slot ?? 1e9) - (b.slot ?? 1e9)));
  const events = history.events.filter(({ startMs, endMs }) => endMs >= fromMs && startMs <= toMs);
  return { fromMs, toMs, lanes, events };
}

function laneView(lane: Lane, metrics: WorkerMetrics, fromMs: number, toMs: number): LaneView | undefined {
  const incarnations = lane.incarnations.filter(
    (one) => (one.startMs ?? one.firstMs) <= toMs && (one.exit === undefined || one.exit.atMs >= fromMs),
  );
  const requests = lane.requests
    .filter(({ startMs, endMs }) => endMs >= fromMs && startMs <= toMs)
    .sort((a, b) => a.startMs - b.startMs);
  if (incarnations.length === 0 && requests.length === 0) return undefined;
  // A process in no slot says when it starts, never that it has gone: out of the window, out of sight.
  if (lane.slot === undefined && incarnations.every(({ lastMs }) => lastMs < fromMs)) return undefined;
  const current = metrics.of(incarnations.at(-1)?.instanceId ?? '');
  return {
    service: lane.service,
    slot: lane.slot,
    incarnations: incarnations.map(incarnationView),
    requests: columns(requests),
    stats: {
      ...requestStats(requests, fromMs, toMs),
      utilization: current?.get(EVENTLOOP_UTILIZATION),
      spansJournaled: current?.get(SPANS_JOURNALED),
      spansReceived: incarnations.reduce((sum, { spans }) => sum + spans, 0),
      spansLost: current?.get(SPANS_LOST),
    },
  };
}

/** The coordinator may have counted before the last journal was read; the spans that came count, too. */
function incarnationView({ interrupted, exit, ...life }: IncarnationHistory): IncarnationView {
  if (exit === undefined) return life;
  return { ...life, exit: { ...exit, requestsInterrupted: Math.max(interrupted, exit.requestsInterrupted ?? 0) } };
}

function requestStats(requests: ServedRequest[], fromMs: number, toMs: number): Omit<LaneStats, 'spansReceived'> {
  let errors = 0;
  let interrupted = 0;
  const durations = new Float64Array(requests.length);
  for (const [index, request] of requests.entries()) {
    if (request.interrupted) interrupted++;
    else if (request.error) errors++;
    durations[index] = request.endMs - request.startMs;
  }
  durations.sort();
  // A lane younger than the window has served since its first request; the ring may not reach back to the window's start.
  const since = Math.max(fromMs, requests[0]?.startMs ?? fromMs);
  const share = (wanted: number) => (durations.length === 0 ? undefined : percentile(durations, wanted));
  return {
    requests: requests.length,
    rate: requests.length / Math.max(1, (toMs - since) / 1000),
    errors,
    interrupted,
    p50Ms: share(0.5),
    p95Ms: share(0.95),
    p99Ms: share(0.99),
  };
}

function columns(requests: ServedRequest[]): LaneRequests {
  return {
    startMs: requests.map((request) => request.startMs),
    durationMs: requests.map((request) => Math.max(0, request.endMs - request.startMs)),
    outcome: requests.map((request) => (request.interrupted ? 2 : request.error ? 1 : 0)),
    traceId: requests.map((request) => request.traceId),
    name: requests.map((request) => request.name),
  };
}
