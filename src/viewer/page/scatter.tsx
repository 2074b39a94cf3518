import { useRef, useState } from 'preact/hooks';
import type { Outcome, TraceRowView } from '../api-types.ts';
import { formatDuration } from '../format.ts';
import { type Palette, useCanvas } from './canvas.ts';
import { clock, clockSeconds } from './clock.ts';
import { navigate, withQuery } from './location.ts';

const LEFT = 52;
const RIGHT = 12;
const TOP = 8;
const BOTTOM = 18;
/** Pixels within which a point is meant. */
const REACH = 9;

interface Scale {
  x(ms: number): number;
  y(durationMs: number): number;
  time(x: number): number;
  duration(y: number): number;
}

function scaleOf(rows: TraceRowView[], width: number, height: number): Scale {
  let [from, to, least, most] = [Number.POSITIVE_INFINITY, 0, Number.POSITIVE_INFINITY, 0];
  for (const { startMs, durationMs } of rows) {
    from = Math.min(from, startMs);
    to = Math.max(to, startMs);
    least = Math.min(least, durationMs);
    most = Math.max(most, durationMs);
  }
  if (to - from < 1000) from = to - 1000;
  const low = Math.log10(Math.max(0.01, least)) - 0.15;
  const high = Math.max(low + 1, Math.log10(Math.max(0.1, most)) + 0.15);
  const innerWidth = Math.max(1, width - LEFT - RIGHT);
  const innerHeight = Math.max(1, height - TOP - BOTTOM);
  return {
    x: (ms) => LEFT + ((ms - from) / (to - from)) * innerWidth,
    y: (duration) => TOP + (1 - (Math.log10(Math.max(0.01, duration)) - low) / (high - low)) * innerHeight,
    time: (x) => from + ((x - LEFT) / innerWidth) * (to - from),
    duration: (y) => 10 ** (low + (1 - (y - TOP) / innerHeight) * (high - low)),
  };
}

const colorOf = (colors: Palette, outcome: Outcome) => colors[outcome];

/** Duration over time, one dot a trace. Click a dot to open it, drag to filter by what is inside. */
export function Scatter({ rows }: { rows: TraceRowView[] }) {
  const [hover, setHover] = useState<{ row: TraceRowView; x: number; y: number }>();
  const [drag, setDrag] = useState<{ x0: number; y0: number; x1: number; y1: number }>();
  const scale = useRef<Scale>(undefined);

  const canvas = useCanvas((context, width, height, colors) => {
    const s = scaleOf(rows, width, height);
    scale.current = s;
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
    if (rows.length > 0) {
      context.textBaseline = 'alphabetic';
      context.textAlign = 'left';
      context.fillText(clockSeconds(s.time(LEFT)), LEFT, height - 4);
      context.textAlign = 'right';
      context.fillText(clockSeconds(s.time(width - RIGHT)), width - RIGHT, height - 4);
    }
    // What failed is drawn over what did not.
    for (const outcome of ['ok', 'error', 'interrupted'] as const) {
      context.fillStyle = colorOf(colors, outcome);
      context.globalAlpha = outcome === 'ok' ? 0.5 : 0.95;
      for (const row of rows) {
        if (row.outcome !== outcome) continue;
        context.beginPath();
        context.arc(s.x(row.startMs), s.y(row.durationMs), outcome === 'ok' ? 2.5 : 3.5, 0, 7);
        context.fill();
      }
    }
    context.globalAlpha = 1;
    if (hover !== undefined) {
      context.strokeStyle = colors.text;
      context.lineWidth = 1.5;
      context.beginPath();
      context.arc(s.x(hover.row.startMs), s.y(hover.row.durationMs), 6, 0, 7);
      context.stroke();
    }
    if (drag !== undefined) {
      context.globalAlpha = 0.15;
      context.fillStyle = colors.accent;
      context.fillRect(drag.x0, drag.y0, drag.x1 - drag.x0, drag.y1 - drag.y0);
      context.globalAlpha = 1;
    }
  });

  const nearest = (x: number, y: number): TraceRowView | undefined => {
    let best: TraceRowView | undefined;
    let bestDistance = REACH * REACH;
    for (const row of rows) {
      const distance = (scale.current!.x(row.startMs) - x) ** 2 + (scale.current!.y(row.durationMs) - y) ** 2;
      if (distance < bestDistance) [best, bestDistance] = [row, distance];
    }
    return best;
  };

  const errors = rows.filter((row) => row.outcome !== 'ok').length;
  return (
    <div class="scatter">
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Duration over time of ${rows.length} traces, ${errors} with errors; the list below has the same traces`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ x0: event.offsetX, y0: event.offsetY, x1: event.offsetX, y1: event.offsetY });
        }}
        onPointerMove={(event) => {
          if (drag !== undefined) setDrag({ ...drag, x1: event.offsetX, y1: event.offsetY });
          const row = nearest(event.offsetX, event.offsetY);
          setHover(row && { row, x: event.offsetX, y: event.offsetY });
        }}
        onPointerLeave={() => setHover(undefined)}
        onPointerUp={(event) => {
          if (drag === undefined) return;
          setDrag(undefined);
          const { x0, y0 } = drag;
          const [x1, y1] = [event.offsetX, event.offsetY];
          if (Math.abs(x1 - x0) < 5 && Math.abs(y1 - y0) < 5) {
            const row = nearest(x1, y1);
            if (row !== undefined) navigate(`/traces/${row.id}`);
            return;
          }
          const s = scale.current!;
          const round = (value: number) => String(Number(value.toPrecision(4)));
          navigate(
            withQuery({
              from: String(Math.floor(s.time(Math.min(x0, x1)))),
              to: String(Math.ceil(s.time(Math.max(x0, x1)))),
              min: round(s.duration(Math.max(y0, y1))),
              max: round(s.duration(Math.min(y0, y1))),
            }),
          );
        }}
      />
      {hover && drag === undefined && (
        <div class="tip" style={{ left: `${hover.x}px`, top: `${hover.y}px` }}>
          <b>{hover.row.name}</b> {formatDuration(hover.row.durationMs)}
          {hover.row.httpStatus > 0 && ` · ${hover.row.httpStatus}`}
          <br />
          <span class="muted">{clock(hover.row.startMs)}</span>
        </div>
      )}
    </div>
  );
}
