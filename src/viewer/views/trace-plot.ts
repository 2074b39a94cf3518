import type { TracePlotView, TracePointView } from '../api-types.js';

/** More would hide each other: then they are counted in cells. */
const MAX_POINTS = 2000;
const COLUMNS = 160;
const ROWS = 22;
/** Ends of the duration's logarithmic axis, whatever there is. */
const LEAST_MS = 0.01;

/** Duration over time of all of `traces`: each as a point, or when there are many as cells of a heat map. */
export function tracePlot(traces: readonly TracePointView[]): TracePlotView {
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
  const plot: TracePlotView = { fromMs, toMs, low, high };
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
