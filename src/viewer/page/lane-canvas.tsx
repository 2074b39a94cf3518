import { useMemo, useState } from 'preact/hooks';
import type { LaneView } from '../api-types/cluster.ts';
import { useCanvas } from './canvas.ts';
import { body, drawBlock, drawColumns, drawDeaths, drawLives, drawRequests, tracksOf } from './lane-drawing.ts';
import { type LaneItem, laneItems } from './lane-items.ts';
import { navigate } from './location.ts';

/** Pixels within which a request is meant. */
const REACH = 8;

interface Props {
  lane: LaneView;
  fromMs: number;
  toMs: number;
  /** Requests of the busiest column of all lanes. */
  peak: number;
}

/**
 * A worker's lives and requests. Click a request to open its trace; with the focus, the arrow keys go from
 * one to the next.
 */
export function LaneCanvas({ lane, fromMs, toMs, peak }: Props) {
  const [pointed, setPointed] = useState<number>();
  const items = useMemo(() => laneItems(lane), [lane]);
  const tracks = useMemo(() => lane.requests && tracksOf(lane.requests), [lane]);
  const shown = pointed === undefined ? undefined : items[pointed];

  /** Where an item is, of which height. */
  const place = (index: number, height: number) => {
    const { top, height: room } = body(height);
    if (tracks === undefined) return { top, height: room };
    const trackHeight = Math.min(9, room / tracks.used);
    return { top: top + tracks.tracks[index]! * trackHeight, height: Math.max(2, trackHeight - 1.5) };
  };

  const canvas = useCanvas((context, width, height, colors) => {
    const x = (ms: number) => ((ms - fromMs) / (toMs - fromMs)) * width;
    drawLives(context, lane, x, { width, height }, colors);
    if (lane.requests !== undefined) drawRequests(context, lane.requests, x, height, colors);
    if (lane.columns !== undefined) drawColumns(context, { ...lane.columns, peak }, x, height, colors);
    drawBlock(context, lane, x, { width, height }, colors);
    drawDeaths(context, lane, x, height, colors);
    if (shown !== undefined) {
      const { top, height: tall } = place(pointed!, height);
      const left = x(shown.startMs);
      context.strokeStyle = colors.text;
      context.lineWidth = 1.5;
      context.strokeRect(left - 1.5, top - 1.5, Math.max(4, x(shown.endMs) - left) + 3, tall + 3);
    }
  });

  const nearest = (event: PointerEvent | MouseEvent): number | undefined => {
    const { clientWidth, clientHeight } = event.currentTarget as HTMLElement;
    const perPixel = (toMs - fromMs) / clientWidth;
    const at = fromMs + event.offsetX * perPixel;
    let best: number | undefined;
    let bestDistance = REACH;
    for (const [index, { startMs, endMs, outcome }] of items.entries()) {
      const dx = at < startMs ? startMs - at : at > endMs ? at - endMs : 0;
      const { top, height } = place(index, clientHeight);
      const dy = tracks === undefined ? 0 : Math.abs(event.offsetY - (top + height / 2));
      // What failed is easier to hit than what did not.
      const distance = dx / perPixel + dy / 2 - (outcome === 'ok' ? 0 : 3);
      if (distance < bestDistance) [best, bestDistance] = [index, distance];
    }
    return best;
  };
  const open = (index: number | undefined) => {
    const item = index === undefined ? undefined : items[index];
    if (item !== undefined) navigate(item.href);
  };
  const who = lane.slot === undefined ? lane.service : `slot ${lane.slot}`;
  const what = lane.requests === undefined ? 'stretches of time' : 'requests';

  return (
    <div class="track">
      {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: it has its own keys, which its label tells */}
      <canvas
        ref={canvas}
        tabIndex={0}
        role="application"
        aria-label={`Requests of ${who}: ${items.length} ${what}; arrow keys to go through them, Enter to open${shown === undefined ? '' : `. ${described(shown)}`}`}
        onPointerMove={(event) => setPointed(nearest(event))}
        onPointerLeave={() => setPointed(undefined)}
        onBlur={() => setPointed(undefined)}
        onClick={(event) => open(nearest(event))}
        onKeyDown={(event) => {
          const last = items.length - 1;
          if (event.key === 'ArrowLeft') setPointed(shown === undefined ? last : Math.max(0, pointed! - 1));
          else if (event.key === 'ArrowRight') setPointed(shown === undefined ? 0 : Math.min(last, pointed! + 1));
          else if (event.key === 'e') setPointed(nextFailing(items, pointed ?? -1));
          else if (event.key === 'Enter') open(pointed);
          else return;
          event.preventDefault();
        }}
      />
      {shown !== undefined && (
        <div class="tip" style={{ left: `${((shown.startMs - fromMs) / (toMs - fromMs)) * 100}%` }}>
          <b>{shown.name}</b> {shown.said}
          {shown.outcome !== 'ok' && lane.requests && <span class={shown.outcome}> {shown.outcome}</span>}
        </div>
      )}
    </div>
  );
}

const described = ({ name, said, outcome }: LaneItem) => `${name}, ${said}${outcome === 'ok' ? '' : `, ${outcome}`}`;

function nextFailing(items: LaneItem[], after: number): number | undefined {
  const failing = (item: LaneItem) => item.outcome !== 'ok';
  const index = items.findIndex((item, at) => at > after && failing(item));
  const found = index === -1 ? items.findIndex(failing) : index;
  return found === -1 ? undefined : found;
}
