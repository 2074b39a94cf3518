import { isEntry, type StoredSpan, type Trace } from '../store/trace.js';
import type { TraceStore } from '../store/trace-store.js';

const DEFAULT_WINDOW_MS = 15 * 60_000;

/** A request as one process served it. */
export interface Served {
  span: StoredSpan;
  trace: Trace;
}

/** The `window` of a page that looks back from the newest that is held, in milliseconds. */
export function windowOf(query: URLSearchParams): number {
  return Math.max(1000, Number(query.get('window')) || DEFAULT_WINDOW_MS);
}

/** Clocks of machines differ; a span that is further ahead is of none that could be believed. */
const MOST_AHEAD_MS = 5 * 60_000;

/**
 * The end of the newest trace; of one that is far in the future only when all are: it would leave nothing
 * else in the window.
 */
export function newestOf(store: TraceStore, now = Date.now()): number {
  let newestMs = 0;
  let ahead = 0;
  for (const { endMs } of store.traces.values()) {
    if (endMs > now + MOST_AHEAD_MS) ahead = Math.max(ahead, endMs);
    else newestMs = Math.max(newestMs, endMs);
  }
  return newestMs || ahead;
}

/**
 * What a page that looks back counts from: the window's beginning, or from when on memory has all.
 */
export function countedFrom(store: TraceStore, windowMs: number): { since: number; sinceMs: number | undefined } {
  const asked = newestOf(store) - windowMs;
  const complete = store.completeSinceMs;
  return complete > asked ? { since: complete, sinceMs: complete } : { since: asked, sinceMs: undefined };
}

/** The requests of the window, of one service and route if so asked. */
export function servedOf(
  store: TraceStore,
  windowMs: number,
  service?: string,
  only?: { method: string; route: string },
): Served[] {
  const { since } = countedFrom(store, windowMs);
  const served: Served[] = [];
  for (const trace of store.traces.values()) {
    if (trace.endMs < since) continue;
    for (const span of trace.spans.values()) {
      if (!isEntry(span) || span.endMs < since) continue;
      if (service !== undefined && span.resource.service !== service) continue;
      if (only !== undefined && (span.method !== only.method || routeOf(span) !== only.route)) continue;
      served.push({ span, trace });
    }
  }
  return served;
}

/** Requests that no route matched are one group: their paths are what anybody sends. */
export function routeOf(span: StoredSpan): string {
  if (span.route !== '') return span.route;
  return span.method === '' ? span.name : '(no route)';
}

export function failedEntry(span: StoredSpan): boolean {
  return span.error || span.interrupted || span.httpStatus >= 500;
}
