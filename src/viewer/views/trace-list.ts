import type { TraceListView, TraceRowView } from '../api-types.js';
import { isEntry, type StoredSpan, type Trace } from '../store/trace.js';
import type { TraceStore } from '../store/trace-store.js';
import { traceFilter } from './trace-filter.js';

const DEFAULT_LIMIT = 1000;
const MAX_LIMIT = 5000;
/** Routes that the filter offers. */
const MAX_ROUTES = 200;

/** The newest traces that match `query`. */
export function traceList(store: TraceStore, query: URLSearchParams): TraceListView {
  const matches = traceFilter(query);
  const limit = Math.min(MAX_LIMIT, Math.max(1, Number(query.get('limit')) || DEFAULT_LIMIT));
  const matching: Trace[] = [];
  const slots = new Set<number>();
  const routes = new Set<string>();
  for (const trace of store.traces.values()) {
    const { resource, route } = trace.root;
    if (resource.slot !== undefined) slots.add(resource.slot);
    if (route !== '' && routes.size < MAX_ROUTES) routes.add(route);
    if (matches(trace)) matching.push(trace);
  }
  matching.sort((a, b) => b.startMs - a.startMs);
  return {
    total: matching.length,
    held: store.traces.size,
    rows: matching.slice(0, limit).map(traceRow),
    slots: [...slots].sort((a, b) => a - b),
    routes: [...routes].sort(),
  };
}

function traceRow(trace: Trace): TraceRowView {
  const slots = new Set<number>();
  const processes = new Set<unknown>();
  let entry: StoredSpan | undefined;
  for (const span of trace.spans.values()) {
    processes.add(span.resource);
    if (span.resource.slot !== undefined) slots.add(span.resource.slot);
    if (isEntry(span) && (entry === undefined || span.startMs < entry.startMs)) entry = span;
  }
  const { root } = trace;
  return {
    id: trace.id,
    name: displayName(root),
    service: root.resource.service,
    slots: [...slots],
    processes: processes.size,
    startMs: trace.startMs,
    durationMs: trace.durationMs,
    spans: trace.spans.size,
    errors: trace.errors,
    outcome: trace.interrupted > 0 ? 'interrupted' : trace.errors > 0 ? 'error' : 'ok',
    httpStatus: entry?.httpStatus ?? root.httpStatus,
  };
}

/** A request without a route has only its method for a name; its path says more. */
function displayName(span: StoredSpan): string {
  return isEntry(span) && span.route === '' && span.path !== '' && !span.name.includes('/')
    ? `${span.name} ${span.path}`
    : span.name;
}
