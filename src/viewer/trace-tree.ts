/**
 * From the spans of one trace, in any order and with any of them missing, to the rows of a waterfall.
 *
 * @module
 */

/** What the tree needs to know of a span. Times in milliseconds. */
export interface TreeSpan {
  spanId: string;
  /** '' when there is none. */
  parentSpanId: string;
  startMs: number;
  endMs: number;
  /** Where the clock is: spans of one process share it. */
  process: unknown;
}

/** One row; rows are in depth-first order, siblings by start. */
export interface TreeRow<Span extends TreeSpan> {
  span: Span;
  depth: number;
  /** Index of the parent's row; -1 for a root. */
  parent: number;
  /** Rows below this one that belong to it. */
  descendants: number;
  /** It names a parent that has not arrived. */
  orphan: boolean;
  /** Milliseconds added to its times, because its process's clock would have it start before its parent. */
  shiftMs: number;
  /** The trace could not have ended sooner unless this span had. */
  critical: boolean;
}

/** @returns all spans, whatever they name as their parents: a trace may have several roots */
export function traceTree<Span extends TreeSpan>(spans: Iterable<Span>): TreeRow<Span>[] {
  const bySpanId = new Map<string, Span>();
  for (const span of spans) bySpanId.set(span.spanId, span);
  const children = new Map<string, Span[]>();
  const roots: Span[] = [];
  for (const span of bySpanId.values()) {
    if (span.parentSpanId === '' || !bySpanId.has(span.parentSpanId)) roots.push(span);
    else append(children, span.parentSpanId, span);
  }
  for (const siblings of children.values()) siblings.sort(byStart);
  // A span that names its parent comes after one that has none.
  roots.sort((a, b) => Number(a.parentSpanId !== '') - Number(b.parentSpanId !== '') || byStart(a, b));

  const rows: TreeRow<Span>[] = [];
  const placed = new Set<string>();
  for (const root of roots) place(root, children, rows, placed);
  // What no root leads to are circles; each is opened at one of its spans.
  for (const span of bySpanId.values()) if (!placed.has(span.spanId)) place(span, children, rows, placed);
  markCriticalPath(rows);
  return rows;
}

function append<Key, Value>(map: Map<Key, Value[]>, key: Key, value: Value): void {
  const values = map.get(key);
  if (values === undefined) map.set(key, [value]);
  else values.push(value);
}

const byStart = (a: TreeSpan, b: TreeSpan) => a.startMs - b.startMs || a.endMs - b.endMs;

/** Appends `root` and all below it; with a stack of its own, as a trace may be deeper than JavaScript's. */
function place<Span extends TreeSpan>(
  root: Span,
  children: Map<string, Span[]>,
  rows: TreeRow<Span>[],
  placed: Set<string>,
): void {
  const stack: { span: Span; parent: number }[] = [{ span: root, parent: -1 }];
  const first = rows.length;
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { span, parent } = next;
    if (placed.has(span.spanId)) continue;
    placed.add(span.spanId);
    const above = rows[parent];
    const index = rows.length;
    rows.push({
      span,
      depth: above === undefined ? 0 : above.depth + 1,
      parent,
      descendants: 0,
      orphan: above === undefined && span.parentSpanId !== '',
      shiftMs: above === undefined ? 0 : clockShift(span, above),
      critical: false,
    });
    const below = children.get(span.spanId) ?? [];
    for (let i = below.length - 1; i >= 0; i--) stack.push({ span: below[i]!, parent: index });
  }
  for (let index = rows.length - 1; index > first; index--) {
    rows[rows[index]!.parent]!.descendants += 1 + rows[index]!.descendants;
  }
}

/**
 * Two processes' clocks differ; a child cannot start before its parent. One that seems to is moved into the
 * middle of it, as the way there and the way back take about as long (Jaeger's rule), or to its start when it
 * is the longer one.
 */
function clockShift(span: TreeSpan, parent: TreeRow<TreeSpan>): number {
  if (span.process === parent.span.process) return parent.shiftMs;
  const parentStart = parent.span.startMs + parent.shiftMs;
  if (span.startMs >= parentStart) return 0;
  const slack = parent.span.endMs - parent.span.startMs - (span.endMs - span.startMs);
  return parentStart + Math.max(0, slack) / 2 - span.startMs;
}

/**
 * Back from each root's end: the child that ended last held its parent up, before it the one that ended last
 * before it began.
 */
function markCriticalPath(rows: TreeRow<TreeSpan>[]): void {
  const childRows = new Map<number, number[]>();
  const stack: number[] = [];
  for (const [index, row] of rows.entries()) {
    if (row.parent === -1) stack.push(index);
    else append(childRows, row.parent, index);
  }
  const end = (index: number) => rows[index]!.span.endMs + rows[index]!.shiftMs;
  for (let index = stack.pop(); index !== undefined; index = stack.pop()) {
    const row = rows[index]!;
    row.critical = true;
    let cursor = end(index);
    const byEnd = (childRows.get(index) ?? []).sort((a, b) => end(b) - end(a));
    for (const child of byEnd) {
      if (end(child) > cursor) continue;
      stack.push(child);
      cursor = rows[child]!.span.startMs + rows[child]!.shiftMs;
    }
  }
}
