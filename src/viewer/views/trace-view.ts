import type { OtlpSpan, ResourceSpans, TracesData } from '../../wire/otlp-json.js';
import type { ProcessView } from '../api-types/process.js';
import type { LinkedSpanView, SpanRowView, SpanView, TraceView } from '../api-types/trace.js';
import type { ProcessResource } from '../store/process-resource.js';
import type { StoredSpan, Trace } from '../store/trace.js';
import { type TreeRow, traceTree } from '../trace-tree.js';
import { outcomeOf, processView } from './process-view.js';
import { decodeSpan, spanMatcher } from './span-text.js';

const MAX_LINKED = 50;

interface StoredTreeSpan {
  spanId: string;
  parentSpanId: string;
  startMs: number;
  endMs: number;
  process: ProcessResource;
  stored: StoredSpan;
}

function treeOf(trace: Trace): TreeRow<StoredTreeSpan>[] {
  const spans: StoredTreeSpan[] = [];
  for (const stored of trace.spans.values()) {
    const { spanId, parentSpanId, startMs, endMs, resource } = stored;
    spans.push({ spanId, parentSpanId, startMs, endMs, process: resource, stored });
  }
  return traceTree(spans);
}

/** A whole trace without attributes, which are asked for span by span. */
export function traceView(trace: Trace): TraceView {
  const tree = treeOf(trace);
  let startMs = Number.POSITIVE_INFINITY;
  let endMs = 0;
  for (const { span, shiftMs } of tree) {
    startMs = Math.min(startMs, span.startMs + shiftMs);
    endMs = Math.max(endMs, span.endMs + shiftMs);
  }
  const processes: ProcessView[] = [];
  const indexes = new Map<ProcessResource, number>();
  const rows = tree.map(({ span, depth, parent, descendants, orphan, critical, shiftMs }): SpanRowView => {
    const { stored } = span;
    let process = indexes.get(span.process);
    if (process === undefined) {
      process = processes.push(processView(span.process)) - 1;
      indexes.set(span.process, process);
    }
    const events = stored.eventCount === 0 ? [] : (decodeSpan(stored).events ?? []);
    return {
      id: span.spanId,
      name: stored.name,
      kind: stored.kind,
      offsetMs: span.startMs + shiftMs - startMs,
      durationMs: Math.max(0, span.endMs - span.startMs),
      depth,
      parent,
      descendants,
      outcome: outcomeOf(stored),
      httpStatus: stored.httpStatus,
      orphan,
      critical,
      shiftMs,
      selfMs: 0,
      route: stored.route,
      process,
      events: events.map(({ timeUnixNano = '0', name = '' }) => [Number(timeUnixNano) / 1e6 + shiftMs - startMs, name]),
    };
  });
  setSelfTimes(rows);
  return {
    id: trace.id,
    name: trace.root.name,
    startMs,
    durationMs: Math.max(0, endMs - startMs),
    outcome: outcomeOf({ error: trace.errors > 0, interrupted: trace.interrupted > 0 }),
    processes,
    rows,
  };
}

/**
 * What of each span's time none of its children covers. Rows are depth-first with siblings by start: one pass
 * is enough.
 */
function setSelfTimes(rows: SpanRowView[]): void {
  const coveredTo = rows.map(({ offsetMs }) => offsetMs);
  for (const row of rows) row.selfMs = row.durationMs;
  for (const row of rows) {
    const parent = rows[row.parent];
    if (parent === undefined) continue;
    const from = Math.max(row.offsetMs, coveredTo[row.parent]!);
    const to = Math.min(row.offsetMs + row.durationMs, parent.offsetMs + parent.durationMs);
    if (to <= from) continue;
    parent.selfMs = Math.max(0, parent.selfMs - (to - from));
    coveredTo[row.parent] = to;
  }
}

/** Spans of other traces among `traces` that link to the trace `id`, which stands in their bytes. */
export function linkedFrom(traces: Iterable<Trace>, id: string): LinkedSpanView[] {
  const bytes = Buffer.from(id, 'hex');
  const found: LinkedSpanView[] = [];
  for (const other of traces) {
    if (other.id === id) continue;
    for (const span of other.spans.values()) {
      if (!span.bytes.includes(bytes)) continue;
      for (const link of decodeSpan(span).links ?? []) {
        if (link.traceId !== id) continue;
        found.push({ traceId: other.id, spanId: span.spanId, name: span.name, toSpanId: link.spanId ?? '' });
      }
      if (found.length >= MAX_LINKED) return found;
    }
  }
  return found;
}

/** One span with everything that was sent about it. */
export function spanView(span: StoredSpan): SpanView {
  return {
    span: decodeSpan(span),
    scope: span.scope.scope,
    process: processView(span.resource),
    resource: span.resource.attributes,
  };
}

/** Ids of the spans in which `text` occurs. */
export function searchTrace(trace: Trace, text: string): string[] {
  if (text.trim() === '') return [];
  const matches = spanMatcher(text.trim());
  return [...trace.spans.values()].filter(matches).map((span) => span.spanId);
}

/**
 * OTLP/JSON as it could be sent again: the whole trace, one span, or with `subtree` that span and all below
 * it.
 *
 * @returns undefined when the span is not there
 */
export function traceAsOtlp(trace: Trace, spanId: string | undefined, subtree: boolean): TracesData | undefined {
  const tree = treeOf(trace);
  let wanted = tree;
  if (spanId !== undefined) {
    const index = tree.findIndex((row) => row.span.spanId === spanId);
    if (index === -1) return undefined;
    wanted = tree.slice(index, index + 1 + (subtree ? tree[index]!.descendants : 0));
  }
  const byProcess = new Map<ProcessResource, Map<StoredSpan['scope'], OtlpSpan[]>>();
  for (const { span } of wanted) {
    const { resource, scope } = span.stored;
    const scopes = byProcess.get(resource) ?? new Map<StoredSpan['scope'], OtlpSpan[]>();
    byProcess.set(resource, scopes);
    const spans = scopes.get(scope) ?? [];
    scopes.set(scope, spans);
    spans.push(decodeSpan(span.stored));
  }
  const resourceSpans: ResourceSpans[] = [];
  for (const [resource, scopes] of byProcess) {
    resourceSpans.push({
      resource: { attributes: resource.attributes },
      scopeSpans: [...scopes].map(([{ scope }, spans]) => ({ scope, spans })),
    });
  }
  return { resourceSpans };
}
