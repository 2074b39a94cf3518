import type { TracePlotView, TracePointView } from '../api-types/trace-list.js';

/** More would hide each other: then they are counted in cells. */
const MAX_POINTS = 2000;
const COLUMNS = 160;
const ROWS = 22;
/** Ends of the duration's logarithmic axis, whatever there is. */
const LEAST_MS = 0.01;
/**
 * What is far off is at most so many, or so large a share; without it more than a day is so many times
 * shorter.
 */
export const MAX_FAR_OFF = 5;
const FAR_OFF_SHARE = 0.01;
const FAR_OFF_FACTOR = 20;
const DAY_MS = 24 * 3_600_000;

/**
 * Duration over time of all of `traces`: each as a point, or when there are many as cells of a heat map. A
 * few that are far off, as a clock that is not set has them, stand beside the plot: they would leave the
 * others no room.
 */
export function tracePlot(all: readonly TracePointView[]): TracePlotView {
  const { traces, outside } = withoutFarOff(all);
  let [fromMs, toMs, least, most] = [Number.POSITIVE_INFINITY, 0, Number.POSITIVE_INFINITY, 0];
  for (const { startMs, durationMs } of traces) {
    fromMs = Math.min(fromMs, startMs);
    toMs = Math.max(toMs, startMs);
    least = Math.min(least, durationMs);
    most = Math.max(most, durationMs);
  }
  if (traces.length === 0) [fromMs, toMs, least, most] = [0, 1000, 1, 10];
  if (toMs - fromMs < 1000) fromMs = toMs - 1000;
  const low = Math.log10(Math.max(LEAST_MS, least)) - 0.15;
  const high = Math.max(low + 1, Math.log10(Math.max(0.1, most)) + 0.15);
  const plot: TracePlotView = { fromMs, toMs, low, high, outside };
  if (traces.length <= MAX_POINTS) {
    plot.points = traces.map(({ id, name, startMs, durationMs, outcome }) => ({
      id,
      name,
      startMs,
      durationMs,
      outcome,
    }));
    return plot;
  }
  const cells = new Map<number, { column: number; row: number; ok: number; error: number; interrupted: number }>();
  for (const trace of traces) {
    const column = Math.min(COLUMNS - 1, Math.floor(((trace.startMs - fromMs) / (toMs - fromMs)) * COLUMNS));
    const height = (Math.log10(Math.max(LEAST_MS, trace.durationMs)) - low) / (high - low);
    const row = Math.min(ROWS - 1, Math.max(0, Math.floor(height * ROWS)));
    const key = column * ROWS + row;
    let cell = cells.get(key);
    if (cell === undefined) {
      cell = { column, row, ok: 0, error: 0, interrupted: 0 };
      cells.set(key, cell);
    }
    cell[trace.outcome]++;
  }
  plot.heat = { columns: COLUMNS, rows: ROWS, cells: [...cells.values()] };
  return plot;
}

function withoutFarOff(all: readonly TracePointView[]): {
  traces: readonly TracePointView[];
  outside: TracePlotView['outside'];
} {
  const most = Math.max(Math.min(MAX_FAR_OFF, (all.length - 1) >> 1), Math.floor(all.length * FAR_OFF_SHARE));
  const near = nearest(
    all.map(({ startMs }) => startMs),
    most,
  );
  if (near === undefined) return { traces: all, outside: undefined };
  const earlier = all.filter(({ startMs }) => startMs < near.fromMs);
  const later = all.filter(({ startMs }) => startMs > near.toMs);
  return {
    traces: all.filter(({ startMs }) => startMs >= near.fromMs && startMs <= near.toMs),
    outside: [earlier, later].filter(({ length }) => length > 0).map(spread),
  };
}

/**
 * The shortest time that has all of `times` but `most`, and as much before and after it; undefined when all
 * of them are not so much longer.
 */
export function nearest(times: readonly number[], most: number): { fromMs: number; toMs: number } | undefined {
  const starts = Float64Array.from(times).sort();
  let [fromMs, toMs] = [starts[0] ?? 0, starts.at(-1) ?? 0];
  const whole = toMs - fromMs;
  if (most <= 0 || whole <= DAY_MS) return undefined;
  for (let first = 0; first <= most; first++) {
    const [from, to] = [starts[first]!, starts.at(first - most - 1)!];
    if (to - from < toMs - fromMs) [fromMs, toMs] = [from, to];
  }
  const length = Math.max(1000, toMs - fromMs);
  return length * FAR_OFF_FACTOR < whole ? { fromMs: fromMs - length, toMs: toMs + length } : undefined;
}

function spread(traces: readonly TracePointView[]): { count: number; fromMs: number; toMs: number } {
  let [fromMs, toMs] = [Number.POSITIVE_INFINITY, 0];
  for (const { startMs } of traces) [fromMs, toMs] = [Math.min(fromMs, startMs), Math.max(toMs, startMs)];
  return { count: traces.length, fromMs, toMs };
}
