import type { RouteExampleView, RoutesView, RouteView, RouteWorkerView } from '../api-types/routes.js';
import type { StoredSpan } from '../store/trace.js';
import type { TraceStore } from '../store/trace-store.js';
import { percentile } from './percentile.js';
import { outcomeOf } from './process-view.js';
import { countedFrom, failedEntry, newestOf, routeOf, type Served, servedOf, windowOf } from './served.js';

/** Slowest and failing requests to click on. */
const EXAMPLES = 5;
const MAX_ROUTES = 500;
/** Quarter decades from 0.1 ms: 0.1, 0.18, 0.32, 0.56, 1 … up to 100 s. */
const HISTOGRAM_FIRST_MS = 0.1;
const HISTOGRAM_BUCKETS = 24;

/**
 * Every route's rate, errors and durations among the traces held, in all and per worker; `window`
 * milliseconds back from the newest.
 */
export function routesView(store: TraceStore, query: URLSearchParams): RoutesView {
  const windowMs = windowOf(query);
  const newestMs = newestOf(store);
  const groups = new Map<string, Served[]>();
  for (const served of servedOf(store, windowMs, query.get('service') || undefined)) {
    const { span } = served;
    const key = JSON.stringify([span.resource.service, span.method, routeOf(span)]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [served]);
    else group.push(served);
  }
  const routes = [...groups.values()].map((group) => routeView(group, newestMs));
  routes.sort((a, b) => b.requests - a.requests);
  return { windowMs, sinceMs: countedFrom(store, windowMs).sinceMs, routes: routes.slice(0, MAX_ROUTES) };
}

function routeView(group: Served[], newestMs: number): RouteView {
  const first = group[0]!.span;
  const sorted = group.toSorted((a, b) => durationOf(a.span) - durationOf(b.span));
  const durations = Float64Array.from(sorted, ({ span }) => durationOf(span));
  const failing = group.filter(({ span }) => failedEntry(span));
  const oldestMs = group.reduce((oldest, { span }) => Math.min(oldest, span.startMs), newestMs);
  const histogram = new Array<number>(HISTOGRAM_BUCKETS).fill(0);
  for (const duration of durations) {
    const bucket = Math.floor(Math.log10(Math.max(duration, HISTOGRAM_FIRST_MS) / HISTOGRAM_FIRST_MS) * 4);
    histogram[Math.min(HISTOGRAM_BUCKETS - 1, bucket)]!++;
  }
  return {
    service: first.resource.service,
    method: first.method,
    route: routeOf(first),
    requests: group.length,
    rate: group.length / Math.max(1, (newestMs - oldestMs) / 1000),
    errors: failing.length,
    interrupted: failing.filter(({ span }) => span.interrupted).length,
    p50Ms: percentile(durations, 0.5),
    p95Ms: percentile(durations, 0.95),
    p99Ms: percentile(durations, 0.99),
    maxMs: durations.at(-1)!,
    histogram,
    workers: workersOf(sorted),
    slowest: sorted.slice(-EXAMPLES).reverse().map(example),
    failing: failing
      .toSorted((a, b) => b.span.startMs - a.span.startMs)
      .slice(0, EXAMPLES)
      .map(example),
  };
}

/** @param sorted by duration */
function workersOf(sorted: Served[]): RouteWorkerView[] {
  const bySlot = new Map<string, StoredSpan[]>();
  for (const { span } of sorted) {
    const { service, slot, instanceId } = span.resource;
    const key = JSON.stringify([service, slot ?? instanceId]);
    const spans = bySlot.get(key);
    if (spans === undefined) bySlot.set(key, [span]);
    else spans.push(span);
  }
  const workers = [...bySlot.values()].map((spans): RouteWorkerView => {
    const durations = Float64Array.from(spans, durationOf);
    return {
      service: spans[0]!.resource.service,
      slot: spans[0]!.resource.slot,
      requests: spans.length,
      errors: spans.filter(failedEntry).length,
      p50Ms: percentile(durations, 0.5),
      p95Ms: percentile(durations, 0.95),
    };
  });
  return workers.sort((a, b) => (a.slot ?? 1e9) - (b.slot ?? 1e9));
}

function durationOf(span: StoredSpan): number {
  return Math.max(0, span.endMs - span.startMs);
}

function example({ span, trace }: Served): RouteExampleView {
  const { startMs, httpStatus } = span;
  return { traceId: trace.id, durationMs: durationOf(span), startMs, httpStatus, outcome: outcomeOf(span) };
}
