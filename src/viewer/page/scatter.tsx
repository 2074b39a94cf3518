import { useRef, useState } from 'preact/hooks';
import type { TracePlotView, TracePointView } from '../api-types/trace-list.ts';
import { counted, formatDuration } from '../format.ts';
import { type Palette, useCanvas } from './canvas.ts';
import { clock, clockSeconds } from './clock.ts';
import { navigate } from './location.ts';

const LEFT = 52;
const RIGHT = 12;
const TOP = 8;
const BOTTOM = 18;
/** Pixels within which a point is meant. */
const REACH = 9;
/** Pixels that a drag moves at least; upwards less means that only the time is chosen. */
const LEAST_DRAG = 5;
const LEAST_HEIGHT = 12;

interface Scale {
  x(ms: number): number;
  y(durationMs: number): number;
  time(x: number): number;
  duration(y: number): number;
}

function scaleOf({ fromMs, toMs, low, high }: TracePlotView, width: number, height: number): Scale {
  const innerWidth = Math.max(1, width - LEFT - RIGHT);
  const innerHeight = Math.max(1, height - TOP - BOTTOM);
  return {
    x: (ms) => LEFT + ((ms - fromMs) / (toMs - fromMs)) * innerWidth,
    y: (duration) => TOP + (1 - (Math.log10(Math.max(0.01, duration)) - low) / (high - low)) * innerHeight,
    time: (x) => fromMs + ((x - LEFT) / innerWidth) * (toMs - fromMs),
    duration: (y) => 10 ** (low + (1 - (y - TOP) / innerHeight) * (high - low)),
  };
}

export interface Brush {
  fromMs: number;
  toMs: number;
  /** Milliseconds; none when only the time is chosen. */
  least?: number;
  most?: number;
}

interface Props {
  plot: TracePlotView | undefined;
  onBrush: (brush: Brush) => void;
}

interface Pointed {
  x: number;
  y: number;
  point?: TracePointView;
  cell?: Cell;
}
type Cell = NonNullable<TracePlotView['heat']>['cells'][number];

/** Duration over time of all that matches. Click a dot to open it, drag to filter by what is inside. */
export function Scatter({ plot, onBrush }: Props) {
  const [hover, setHover] = useState<Pointed>();
  const [drag, setDrag] = useState<{ x0: number; y0: number; x1: number; y1: number }>();
  const scale = useRef<Scale>(undefined);

  const canvas = useCanvas((context, width, height, colors) => {
    if (plot === undefined) return;
    const s = scaleOf(plot, width, height);
    scale.current = s;
    drawAxes(context, plot, s, { width, height }, colors);
    if (plot.heat !== undefined) drawHeat(context, plot.heat, width, height, colors);
    drawPoints(context, plot.points ?? [], s, colors);
    if (hover?.point !== undefined) {
      context.strokeStyle = colors.text;
      context.lineWidth = 1.5;
      context.beginPath();
      context.arc(s.x(hover.point.startMs), s.y(hover.point.durationMs), 6, 0, 7);
      context.stroke();
    }
    if (drag !== undefined) {
      context.globalAlpha = 0.15;
      context.fillStyle = colors.accent;
      const timeOnly = Math.abs(drag.y1 - drag.y0) < LEAST_HEIGHT;
      if (timeOnly) context.fillRect(drag.x0, TOP, drag.x1 - drag.x0, height - TOP - BOTTOM);
      else context.fillRect(drag.x0, drag.y0, drag.x1 - drag.x0, drag.y1 - drag.y0);
      context.globalAlpha = 1;
    }
  });

  const at = (event: PointerEvent): Pointed => {
    const { offsetX: x, offsetY: y } = event;
    const { clientWidth, clientHeight } = event.currentTarget as HTMLElement;
    if (plot?.heat === undefined) return { x, y, point: nearest(plot?.points ?? [], scale.current, x, y) };
    const column = Math.floor(((x - LEFT) / (clientWidth - LEFT - RIGHT)) * plot.heat.columns);
    const row = Math.floor((1 - (y - TOP) / (clientHeight - TOP - BOTTOM)) * plot.heat.rows);
    return { x, y, cell: plot.heat.cells.find((cell) => cell.column === column && cell.row === row) };
  };
  /** What a cell stands for. */
  const cellBrush = ({ column, row }: Cell): Brush => {
    const { fromMs, toMs, low, high, heat } = plot!;
    const time = (n: number) => fromMs + (n / heat!.columns) * (toMs - fromMs);
    const duration = (n: number) => 10 ** (low + (n / heat!.rows) * (high - low));
    return { fromMs: time(column), toMs: time(column + 1), least: duration(row), most: duration(row + 1) };
  };

  return (
    <div class="scatter">
      <canvas
        ref={canvas}
        role="img"
        aria-label={described(plot)}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ x0: event.offsetX, y0: event.offsetY, x1: event.offsetX, y1: event.offsetY });
        }}
        onPointerMove={(event) => {
          if (drag !== undefined) setDrag({ ...drag, x1: event.offsetX, y1: event.offsetY });
          const pointed = at(event);
          setHover(pointed.point || pointed.cell ? pointed : undefined);
        }}
        onPointerLeave={() => setHover(undefined)}
        onPointerUp={(event) => {
          if (drag === undefined || scale.current === undefined) return;
          setDrag(undefined);
          const { x0, y0 } = drag;
          const [x1, y1] = [event.offsetX, event.offsetY];
          if (Math.abs(x1 - x0) < LEAST_DRAG && Math.abs(y1 - y0) < LEAST_DRAG) {
            const { point, cell } = at(event);
            if (point !== undefined) navigate(`/traces/${point.id}`);
            else if (cell !== undefined) onBrush(cellBrush(cell));
            return;
          }
          const s = scale.current;
          const times = { fromMs: s.time(Math.min(x0, x1)), toMs: s.time(Math.max(x0, x1)) };
          if (Math.abs(y1 - y0) < LEAST_HEIGHT) onBrush(times);
          else onBrush({ ...times, least: s.duration(Math.max(y0, y1)), most: s.duration(Math.min(y0, y1)) });
        }}
      />
      {plot?.outside !== undefined && (
        <p class="outside">
          {plot.outside.map(({ count, ...times }) => (
            <button
              key={times.fromMs}
              type="button"
              class="link"
              onClick={() => onBrush(times)}
              title="Too far from the others to be plotted beside them"
            >
              {counted(count, 'trace')} of {clock(times.fromMs)}
            </button>
          ))}
        </p>
      )}
      {hover && drag === undefined && (
        <div class="tip" style={{ left: `${Math.max(90, hover.x)}px`, top: `${hover.y}px` }}>
          {hover.point && (
            <>
              <b>{hover.point.name}</b> {formatDuration(hover.point.durationMs)}
              <br />
              <span class="muted">{clock(hover.point.startMs)}</span>
            </>
          )}
          {hover.cell && plot?.heat && <CellTip cell={hover.cell} brush={cellBrush(hover.cell)} />}
        </div>
      )}
    </div>
  );
}

function CellTip({ cell, brush }: { cell: Cell; brush: Brush }) {
  return (
    <>
      <b>{counted(cell.ok + cell.error + cell.interrupted, 'trace')}</b> {formatDuration(brush.least!)} –{' '}
      {formatDuration(brush.most!)}
      {cell.error > 0 && <span class="error"> {counted(cell.error, 'error')}</span>}
      {cell.interrupted > 0 && <span class="interrupted"> {cell.interrupted} interrupted</span>}
      <br />
      <span class="muted">{clock(brush.fromMs)}</span>
    </>
  );
}

function described(plot: TracePlotView | undefined): string {
  const said = (all: number, failed: number) =>
    `Duration over time of ${counted(all, 'trace')}, ${failed} with errors; the list below has the same traces`;
  if (plot?.heat === undefined) {
    const points = plot?.points ?? [];
    return said(points.length, points.filter(({ outcome }) => outcome !== 'ok').length);
  }
  let [all, failed] = [0, 0];
  for (const { ok, error, interrupted } of plot.heat.cells) {
    all += ok + error + interrupted;
    failed += error + interrupted;
  }
  return said(all, failed);
}

function nearest(points: TracePointView[], scale: Scale | undefined, x: number, y: number): TracePointView | undefined {
  let best: TracePointView | undefined;
  let bestDistance = REACH * REACH;
  if (scale === undefined) return undefined;
  for (const point of points) {
    const distance = (scale.x(point.startMs) - x) ** 2 + (scale.y(point.durationMs) - y) ** 2;
    if (distance < bestDistance) [best, bestDistance] = [point, distance];
  }
  return best;
}

function drawAxes(
  context: CanvasRenderingContext2D,
  plot: TracePlotView,
  s: Scale,
  { width, height }: { width: number; height: number },
  colors: Palette,
): void {
  context.font = '11px system-ui, sans-serif';
  context.fillStyle = colors.muted;
  context.strokeStyle = colors.line;
  context.textAlign = 'right';
  context.textBaseline = 'middle';
  for (let power = -2; power <= 6; power++) {
    const y = Math.round(s.y(10 ** power)) + 0.5;
    if (y < TOP || y > height - BOTTOM) continue;
    context.beginPath();
    context.moveTo(LEFT, y);
    context.lineTo(width - RIGHT, y);
    context.stroke();
    context.fillText(formatDuration(10 ** power), LEFT - 8, y);
  }
  if (plot.points?.length === 0) return;
  context.textBaseline = 'alphabetic';
  context.textAlign = 'left';
  context.fillText(clockSeconds(plot.fromMs), LEFT, height - 4);
  context.textAlign = 'right';
  context.fillText(clockSeconds(plot.toMs), width - RIGHT, height - 4);
}

function drawPoints(context: CanvasRenderingContext2D, points: TracePointView[], s: Scale, colors: Palette): void {
  // What failed is drawn over what did not.
  for (const outcome of ['ok', 'error', 'interrupted'] as const) {
    context.fillStyle = colors[outcome];
    context.globalAlpha = outcome === 'ok' ? 0.5 : 0.95;
    for (const point of points) {
      if (point.outcome !== outcome) continue;
      context.beginPath();
      context.arc(s.x(point.startMs), s.y(point.durationMs), outcome === 'ok' ? 2.5 : 3.5, 0, 7);
      context.fill();
    }
  }
  context.globalAlpha = 1;
}

/** The more traces the darker; a cell in which one failed has a corner that says so, however many did not. */
function drawHeat(
  context: CanvasRenderingContext2D,
  { columns, rows, cells }: NonNullable<TracePlotView['heat']>,
  width: number,
  height: number,
  colors: Palette,
): void {
  const cellWidth = (width - LEFT - RIGHT) / columns;
  const cellHeight = (height - TOP - BOTTOM) / rows;
  const most = Math.max(1, ...cells.map(({ ok, error, interrupted }) => ok + error + interrupted));
  for (const { column, row, ok, error, interrupted } of cells) {
    const x = LEFT + column * cellWidth;
    const y = TOP + (rows - 1 - row) * cellHeight;
    context.fillStyle = colors.ok;
    context.globalAlpha = 0.15 + 0.85 * (Math.log1p(ok + error + interrupted) / Math.log1p(most));
    if (ok > 0) context.fillRect(x, y, Math.ceil(cellWidth), Math.ceil(cellHeight));
    context.globalAlpha = 1;
    const failed = error + interrupted;
    if (failed === 0) continue;
    context.fillStyle = interrupted > 0 ? colors.interrupted : colors.error;
    const share = ok === 0 ? 1 : 0.6;
    context.fillRect(x, y, Math.max(2, cellWidth * share), Math.max(2, cellHeight * share));
  }
}
