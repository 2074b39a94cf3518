import { useState } from 'preact/hooks';
import type { LaneRequests, LaneView } from '../api-types.ts';
import { formatDuration } from '../format.ts';
import { type Palette, useCanvas } from './canvas.ts';
import { exitLabel, isPlanned } from './cluster-page.tsx';
import { navigate } from './location.ts';

/** Rows in which requests that overlap are laid out. */
const TRACKS = 6;
const TOP = 16;
const OUTCOMES = ['ok', 'error', 'interrupted'] as const;
/** Pixels within which a request is meant. */
const REACH = 8;

/** For each request the first track that is free at its start; the last one takes what is left. */
function tracksOf(requests: LaneRequests): number[] {
  const busyUntil = new Array<number>(TRACKS).fill(0);
  return requests.startMs.map((startMs, index) => {
    const endMs = startMs + requests.durationMs[index]!;
    let track = busyUntil.findIndex((until) => until <= startMs);
    if (track === -1) track = TRACKS - 1;
    busyUntil[track] = Math.max(busyUntil[track]!, endMs);
    return track;
  });
}

interface Props {
  lane: LaneView;
  fromMs: number;
  toMs: number;
}

/** A worker's lives and requests. Click a request to open its trace; with the focus, the arrow keys go from one to the next. */
export function LaneCanvas({ lane, fromMs, toMs }: Props) {
  const { requests } = lane;
  const [pointed, setPointed] = useState<number>();
  const tracks = tracksOf(requests);
  const used = Math.max(1, Math.min(TRACKS, Math.max(0, ...tracks) + 1));

  const canvas = useCanvas((context, width, height, colors) => {
    const x = (ms: number) => ((ms - fromMs) / (toMs - fromMs)) * width;
    drawLives(context, lane, x, width, height, colors);
    const trackHeight = Math.min(9, (height - TOP - 4) / used);
    for (const outcome of [0, 1, 2] as const) {
      context.fillStyle = colors[OUTCOMES[outcome]];
      context.globalAlpha = outcome === 0 ? 0.75 : 1;
      for (const [index, startMs] of requests.startMs.entries()) {
        if (requests.outcome[index] !== outcome) continue;
        const left = x(startMs);
        const length = Math.max(outcome === 0 ? 1.5 : 2.5, x(startMs + requests.durationMs[index]!) - left);
        const top = TOP + tracks[index]! * trackHeight;
        if (outcome === 2) drawCut(context, left, Math.max(6, length), top, Math.max(5, trackHeight - 1));
        else context.fillRect(left, top, length, Math.max(2, trackHeight - 1.5));
      }
    }
    context.globalAlpha = 1;
    drawDeaths(context, lane, x, height, colors);
    if (pointed !== undefined && requests.startMs[pointed] !== undefined) {
      const left = x(requests.startMs[pointed]!);
      const length = Math.max(4, x(requests.startMs[pointed]! + requests.durationMs[pointed]!) - left);
      context.strokeStyle = colors.text;
      context.lineWidth = 1.5;
      context.strokeRect(
        left - 1.5,
        TOP + tracks[pointed]! * trackHeight - 1.5,
        length + 3,
        Math.max(2, trackHeight - 1.5) + 3,
      );
    }
  });

  const nearest = (event: PointerEvent | MouseEvent): number | undefined => {
    const { clientWidth, clientHeight } = event.currentTarget as HTMLElement;
    const perPixel = (toMs - fromMs) / clientWidth;
    const at = fromMs + event.offsetX * perPixel;
    const trackHeight = Math.min(9, (clientHeight - TOP - 4) / used);
    let best: number | undefined;
    let bestDistance = REACH;
    for (const [index, startMs] of requests.startMs.entries()) {
      const endMs = startMs + requests.durationMs[index]!;
      const dx = at < startMs ? startMs - at : at > endMs ? at - endMs : 0;
      const dy = Math.abs(event.offsetY - (TOP + (tracks[index]! + 0.5) * trackHeight));
      // What failed is easier to hit than what did not.
      const distance = dx / perPixel + dy / 2 - (requests.outcome[index] === 0 ? 0 : 3);
      if (distance < bestDistance) [best, bestDistance] = [index, distance];
    }
    return best;
  };
  const open = (index: number | undefined) => {
    const traceId = index === undefined ? undefined : requests.traceId[index];
    if (traceId !== undefined) navigate(`/traces/${traceId}`);
  };
  const described = (index: number) =>
    `${requests.name[index]}, ${formatDuration(requests.durationMs[index]!)}${requests.outcome[index] === 0 ? '' : `, ${OUTCOMES[requests.outcome[index]!]}`}`;
  const shown = pointed !== undefined && requests.startMs[pointed] !== undefined ? pointed : undefined;

  return (
    <div class="track">
      {/* biome-ignore lint/a11y/noInteractiveElementToNoninteractiveRole: it has its own keys, which its label tells */}
      <canvas
        ref={canvas}
        tabIndex={0}
        role="application"
        aria-label={`Requests of ${lane.slot === undefined ? lane.service : `slot ${lane.slot}`}: ${requests.startMs.length}; arrow keys to go through them, Enter to open${shown === undefined ? '' : `. ${described(shown)}`}`}
        onPointerMove={(event) => setPointed(nearest(event))}
        onPointerLeave={() => setPointed(undefined)}
        onBlur={() => setPointed(undefined)}
        onClick={(event) => open(nearest(event))}
        onKeyDown={(event) => {
          const last = requests.startMs.length - 1;
          if (event.key === 'ArrowLeft') setPointed(shown === undefined ? last : Math.max(0, shown - 1));
          else if (event.key === 'ArrowRight') setPointed(shown === undefined ? 0 : Math.min(last, shown + 1));
          else if (event.key === 'e') setPointed(nextFailing(requests, shown ?? -1));
          else if (event.key === 'Enter') open(shown);
          else return;
          event.preventDefault();
        }}
      />
      {shown !== undefined && (
        <div class="tip" style={{ left: `${((requests.startMs[shown]! - fromMs) / (toMs - fromMs)) * 100}%` }}>
          <b>{requests.name[shown]}</b> {formatDuration(requests.durationMs[shown]!)}
          {requests.outcome[shown] !== 0 && (
            <span class={OUTCOMES[requests.outcome[shown]!]}> {OUTCOMES[requests.outcome[shown]!]}</span>
          )}
        </div>
      )}
    </div>
  );
}

function nextFailing({ outcome }: LaneRequests, after: number): number | undefined {
  const index = outcome.findIndex((one, at) => at > after && one !== 0);
  return index === -1 ? outcome.findIndex((one) => one !== 0) : index;
}

type X = (ms: number) => number;

/** A band from the first sign of life to the last; hatched while it boots. */
function drawLives(
  context: CanvasRenderingContext2D,
  lane: LaneView,
  x: X,
  width: number,
  height: number,
  colors: Palette,
): void {
  for (const life of lane.incarnations) {
    const born = x(life.startMs ?? life.firstMs);
    const ready = x(life.readyMs ?? life.firstMs);
    const end = life.exit === undefined ? width : x(life.exit.atMs);
    context.fillStyle = colors.band;
    context.fillRect(Math.max(0, ready), 0, Math.max(1, end - Math.max(0, ready)), height);
    if (ready > born && ready > 0) {
      context.save();
      context.beginPath();
      context.rect(born, 0, ready - born, height);
      context.clip();
      context.strokeStyle = colors.muted;
      context.globalAlpha = 0.5;
      context.lineWidth = 1;
      for (let at = born - height; at < ready; at += 5) {
        context.beginPath();
        context.moveTo(at, height);
        context.lineTo(at + height, 0);
        context.stroke();
      }
      context.restore();
    }
    if (life.startMs !== undefined && born >= 0) {
      context.fillStyle = colors.muted;
      context.fillRect(born, 0, 1, height);
    }
  }
}

/** A line through the lane with what ended it; what was planned is thin and grey. */
function drawDeaths(context: CanvasRenderingContext2D, lane: LaneView, x: X, height: number, colors: Palette): void {
  context.font = '600 10.5px system-ui, sans-serif';
  context.textBaseline = 'top';
  for (const { exit } of lane.incarnations) {
    if (exit === undefined) continue;
    const at = x(exit.atMs);
    if (at < -80) continue;
    const planned = isPlanned(exit);
    const label = exitLabel(exit);
    context.fillStyle = planned ? colors.muted : colors.interrupted;
    context.fillRect(at - (planned ? 0.5 : 1), 0, planned ? 1 : 2, height);
    const labelWidth = context.measureText(label).width;
    const left = at - labelWidth - 6 < 0 ? at + 5 : at - labelWidth - 5;
    if (!planned) {
      context.fillRect(left - 4, 0, labelWidth + 8, 14);
      context.fillStyle = colors.surface;
    }
    context.fillText(label, left, 2);
  }
}

/** A request that never ended: its end is torn. */
function drawCut(context: CanvasRenderingContext2D, left: number, length: number, top: number, height: number): void {
  const right = left + length;
  const tooth = Math.min(4, length / 2);
  context.beginPath();
  context.moveTo(left, top);
  context.lineTo(right, top);
  context.lineTo(right - tooth, top + height * 0.33);
  context.lineTo(right, top + height * 0.66);
  context.lineTo(right - tooth, top + height);
  context.lineTo(left, top + height);
  context.closePath();
  context.fill();
}
