import { axisStep } from './canvas.ts';
import { clockSeconds } from './clock.ts';

/** On a phone a lane's figures stand below it. */
export const PHONE = '(max-width: 720px)';

/** What stands at a later tick finds no room beside it. */
const LAST_TICK = matchMedia(PHONE).matches ? 0.16 : 0.07;

/** The time axis above the lanes, and the heads of their figures. */
export function LanesAxis({ fromMs, toMs }: { fromMs: number; toMs: number }) {
  const step = Math.max(1000, axisStep(toMs - fromMs, 6));
  const ticks: number[] = [];
  for (let at = Math.ceil(fromMs / step) * step; at <= toMs - LAST_TICK * (toMs - fromMs); at += step) ticks.push(at);
  return (
    <div class="lane time" aria-hidden="true">
      <span />
      <div class="track">
        {ticks.map((at) => (
          <span key={at} style={{ left: `${((at - fromMs) / (toMs - fromMs)) * 100}%` }}>
            {clockSeconds(at)}
          </span>
        ))}
      </div>
      <div class="stats head">
        <span>rate</span>
        <span>errors</span>
        <span>p50</span>
        <span>p95</span>
        <span>p99</span>
        <span title="event-loop utilisation, from the worker's metrics">loop</span>
        <span title="spans received from this worker">spans</span>
      </div>
    </div>
  );
}
