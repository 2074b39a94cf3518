import type { TraceListView, TraceRowView } from '../api-types/trace-list.js';
import { isEntry, type StoredSpan, type Trace } from '../store/trace.js';
import type { TraceStore } from '../store/trace-store.js';
import { traceFilter } from './trace-filter.js';
import { tracePlot } from './trace-plot.js';

const DEFAULT_LIMIT = 200;
const MAX_LIMIT = 1000;
/** Routes that the filter offers. */
const MAX_ROUTES = 200;
/** Lists that are held still are asked for page by page: so many are remembered. */
const MAX_HELD = 8;

interface Matching {
  traces: Trace[];
  /** Arrived after `until`. */
  newer: number;
}

/**
 * The traces that match a filter, newest first, by pages; with `until` those that had arrived by then, so
 * that pages stay.
 */
export class TraceLists {
  readonly #store: TraceStore;
  /** Their ids: a list that nobody asks for any longer would keep all its traces. */
  readonly #held = new Map<string, string[]>();

  constructor(store: TraceStore) {
    this.#store = store;
  }

  view(query: URLSearchParams, now = Date.now()): TraceListView {
    const { limit, offset } = pageOf(query);
    const { traces, newer } = this.#matching(query, now);
    return {
      total: traces.length,
      held: this.#store.traces.size,
      until: Number(query.get('until')) || this.#store.lastSequence,
      newer,
      offset,
      rows: traces.slice(offset, offset + limit).map(traceRow),
      plot: query.has('plot') ? tracePlot(traces) : undefined,
      ...(query.has('plot') ? this.#offered() : { slots: [], routes: [] }),
    };
  }

  #matching(query: URLSearchParams, now: number): Matching {
    const until = Number(query.get('until')) || Number.POSITIVE_INFINITY;
    const key = JSON.stringify(['q', 'from', 'to', 'last', 'until'].map((name) => query.get(name)));
    const held = query.has('until') ? this.#held.get(key) : undefined;
    const matches = traceFilter(query, now);
    let newer = 0;
    const found: Trace[] = [];
    for (const trace of this.#store.newestFirst()) {
      if (trace.sequence > until) {
        if (matches(trace)) newer++;
        // What is older has been looked through.
      } else if (held !== undefined) break;
      else if (matches(trace)) found.push(trace);
    }
    const traces =
      held?.map((id) => this.#store.traces.get(id)).filter((trace) => trace !== undefined) ?? found.sort(byStart);
    if (query.has('until')) {
      this.#held.delete(key);
      this.#held.set(
        key,
        traces.map(({ id }) => id),
      );
      if (this.#held.size > MAX_HELD) this.#held.delete(this.#held.keys().next().value as string);
    }
    return { traces, newer };
  }

  /** What there is to filter by. */
  #offered(): { slots: number[]; routes: string[] } {
    const slots = new Set<number>();
    const routes = new Set<string>();
    for (const { root } of this.#store.traces.values()) {
      if (root.resource.slot !== undefined) slots.add(root.resource.slot);
      if (root.route !== '' && routes.size < MAX_ROUTES) routes.add(root.route);
    }
    return { slots: [...slots].sort((a, b) => a - b), routes: [...routes].sort() };
  }
}

/** Which rows of a list are asked for. */
export function pageOf(query: URLSearchParams): { limit: number; offset: number } {
  return {
    limit: Math.min(MAX_LIMIT, Math.max(1, Number(query.get('limit')) || DEFAULT_LIMIT)),
    offset: Math.max(0, Math.floor(Number(query.get('offset'))) || 0),
  };
}

const byStart = (a: Trace, b: Trace) => b.startMs - a.startMs || b.sequence - a.sequence;

export function traceRow(trace: Trace): TraceRowView {
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
    outcome: trace.outcome,
    httpStatus: entry?.httpStatus ?? root.httpStatus,
  };
}

/** A request without a route has only its method for a name; its path says more. */
function displayName(span: StoredSpan): string {
  return isEntry(span) && span.route === '' && span.path !== '' && !span.name.includes('/')
    ? `${span.name} ${span.path}`
    : span.name;
}
