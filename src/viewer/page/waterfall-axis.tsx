import { formatDuration } from '../format.ts';
import { axisStep } from './canvas.ts';
import type { Range } from './time-range.ts';

/** What stands at a later tick finds no room beside it, on a phone. */
const LAST_TICK = matchMedia('(max-width: 720px)').matches ? 0.8 : 0.95;

/** The time axis above the spans of a trace. */
export function WaterfallAxis({ durationMs, range }: { durationMs: number; range: Range }) {
  const fromMs = durationMs * range.from;
  const spanMs = Math.max(1e-6, durationMs * (range.to - range.from));
  const step = axisStep(spanMs, 5);
  const ticks: number[] = [];
  for (let at = Math.ceil(fromMs / step) * step; at <= fromMs + spanMs * LAST_TICK; at += step) ticks.push(at);
  return (
    <div class="axis" aria-hidden="true">
      <span>Span</span>
      <div>
        {ticks.map((at) => (
          <span key={at} style={{ left: `${((at - fromMs) / spanMs) * 100}%` }}>
            {at < step / 2 ? '0' : formatDuration(at)}
          </span>
        ))}
      </div>
    </div>
  );
}
