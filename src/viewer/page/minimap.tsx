import { useState } from 'preact/hooks';
import type { TraceView } from '../api-types/trace.ts';
import { useCanvas } from './canvas.ts';
import { clampRange, type Range } from './time-range.ts';

/** All of a trace, however many spans: drag over a stretch to see it larger, double-click to see all. */
export function Minimap({
  trace,
  range,
  onRange,
}: {
  trace: TraceView;
  range: Range;
  onRange: (range: Range) => void;
}) {
  const [drag, setDrag] = useState<{ from: number; to: number }>();
  const canvas = useCanvas((context, width, height, colors) => {
    const total = trace.durationMs || 1e-6;
    const rowHeight = Math.min(4, (height - 4) / trace.rows.length);
    for (const pass of ['ok', 'error', 'interrupted'] as const) {
      context.fillStyle = colors[pass];
      context.globalAlpha = pass === 'ok' ? 0.55 : 1;
      for (const [index, row] of trace.rows.entries()) {
        if (row.outcome !== pass) continue;
        const x = (row.offsetMs / total) * width;
        context.fillRect(
          x,
          2 + index * rowHeight,
          Math.max(1, (row.durationMs / total) * width),
          Math.max(pass === 'ok' ? 0.6 : 1.5, rowHeight - 0.5),
        );
      }
    }
    const shown = drag ? { from: Math.min(drag.from, drag.to), to: Math.max(drag.from, drag.to) } : range;
    if (shown.from > 0 || shown.to < 1) {
      context.globalAlpha = 0.72;
      context.fillStyle = colors.surface;
      context.fillRect(0, 0, shown.from * width, height);
      context.fillRect(shown.to * width, 0, width, height);
      context.globalAlpha = 1;
      context.fillStyle = colors.accent;
      context.fillRect(shown.from * width - 1, 0, 2, height);
      context.fillRect(shown.to * width - 1, 0, 2, height);
    }
  });
  const share = (event: PointerEvent) =>
    Math.min(1, Math.max(0, event.offsetX / (event.currentTarget as HTMLElement).clientWidth));
  return (
    <div class="minimap">
      <span aria-hidden="true" class="muted">
        Drag to zoom
      </span>
      <canvas
        ref={canvas}
        role="img"
        aria-label={`Overview of ${trace.rows.length} spans; the keys + and − zoom`}
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ from: share(event), to: share(event) });
        }}
        onPointerMove={(event) => drag && setDrag({ from: drag.from, to: share(event) })}
        onPointerUp={(event) => {
          if (drag === undefined) return;
          const to = share(event);
          setDrag(undefined);
          if (Math.abs(to - drag.from) > 0.005)
            onRange(clampRange({ from: Math.min(drag.from, to), to: Math.max(drag.from, to) }));
        }}
        onDblClick={() => onRange({ from: 0, to: 1 })}
      />
    </div>
  );
}
