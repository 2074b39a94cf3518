/** How a lane is drawn: the lives of its processes, and what they served. */
import type { LaneColumns, LaneRequests, LaneView } from '../api-types/cluster.ts';
import { exitWords, isPlannedExit } from '../views/exit-words.ts';
import type { Palette } from './canvas.ts';

/** Rows in which requests that overlap are laid out. */
const TRACKS = 6;
/** Room for the words of a death; a flat lane has none. */
const WORDS_HEIGHT = 16;
const FLAT_HEIGHT = 48;
const OUTCOMES = ['ok', 'error', 'interrupted'] as const;

export type X = (ms: number) => number;

interface Size {
  width: number;
  height: number;
}

/** The part of a lane's height that requests are drawn in. */
export function body(height: number): { top: number; height: number } {
  const top = height < FLAT_HEIGHT ? 1 : WORDS_HEIGHT;
  return { top, height: height - top - 2 };
}

/** For each request the first track that is free at its start; the last one takes what is left. */
export function tracksOf({ startMs: starts, durationMs }: LaneRequests): { tracks: number[]; used: number } {
  const busyUntil = new Array<number>(TRACKS).fill(0);
  let used = 1;
  const tracks = starts.map((startMs, index) => {
    const endMs = startMs + durationMs[index]!;
    let track = busyUntil.findIndex((until) => until <= startMs);
    if (track === -1) track = TRACKS - 1;
    busyUntil[track] = Math.max(busyUntil[track]!, endMs);
    used = Math.max(used, track + 1);
    return track;
  });
  return { tracks, used };
}

/** One bar a request. */
export function drawRequests(
  context: CanvasRenderingContext2D,
  requests: LaneRequests,
  x: X,
  height: number,
  colors: Palette,
): void {
  const { tracks, used } = tracksOf(requests);
  const { top, height: room } = body(height);
  const trackHeight = Math.min(9, room / used);
  for (const outcome of [0, 1, 2] as const) {
    context.fillStyle = colors[OUTCOMES[outcome]];
    context.globalAlpha = outcome === 0 ? 0.75 : 1;
    for (const [index, startMs] of requests.startMs.entries()) {
      if (requests.outcome[index] !== outcome) continue;
      const left = x(startMs);
      const length = Math.max(outcome === 0 ? 1.5 : 2.5, x(startMs + requests.durationMs[index]!) - left);
      const at = top + tracks[index]! * trackHeight;
      if (outcome === 2) drawCut(context, left, Math.max(6, length), at, Math.max(5, trackHeight - 1));
      else context.fillRect(left, at, length, Math.max(2, trackHeight - 1.5));
    }
  }
  context.globalAlpha = 1;
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

/** Fixed ends of the percentile's logarithmic scale, so that lanes can be compared. */
const LEAST_MS = 0.1;
const DECADES = 5;

/**
 * Requests per column as bars, failed ones on top, and their 95th percentile as a line from 0.1 ms (bottom)
 * to 10 s (top). `peak` is the requests of the busiest column of all lanes.
 */
export function drawColumns(
  context: CanvasRenderingContext2D,
  columns: LaneColumns & { peak: number },
  x: X,
  height: number,
  colors: Palette,
): void {
  const { top, height: room } = body(height);
  const bottom = top + room;
  const tall = (count: number, least: number) => (count === 0 ? 0 : Math.max(least, (count / columns.peak) * room));
  for (const [index, startMs] of columns.startMs.entries()) {
    const left = x(startMs);
    const width = Math.max(1, x(startMs + columns.stepMs) - left - (room > 20 ? 0.5 : 0));
    const failed = columns.errors[index]!;
    const cut = columns.interrupted[index]!;
    const all = tall(columns.requests[index]!, 1);
    context.globalAlpha = 0.7;
    context.fillStyle = colors.ok;
    context.fillRect(left, bottom - all, width, all);
    context.globalAlpha = 1;
    const failedHeight = Math.min(room, tall(failed, 2.5));
    context.fillStyle = colors.error;
    context.fillRect(left, Math.max(top, bottom - all), width, failedHeight);
    context.fillStyle = colors.interrupted;
    const cutHeight = Math.min(room, tall(cut, 3));
    context.fillRect(left, Math.max(top, bottom - all) + failedHeight, Math.max(2, width), cutHeight);
  }
  if (height < FLAT_HEIGHT) return;
  context.strokeStyle = colors.text;
  context.globalAlpha = 0.55;
  context.lineWidth = 1;
  context.beginPath();
  let previous = Number.NEGATIVE_INFINITY;
  for (const [index, startMs] of columns.startMs.entries()) {
    const share = Math.log10(Math.max(columns.p95Ms[index]!, LEAST_MS) / LEAST_MS) / DECADES;
    const y = bottom - Math.min(1, share) * room;
    const middle = x(startMs + columns.stepMs / 2);
    if (startMs - previous > columns.stepMs * 2) context.moveTo(middle, y);
    else context.lineTo(middle, y);
    previous = startMs;
  }
  context.stroke();
  context.globalAlpha = 1;
}

/** A band from the first sign of life to the last; hatched while it boots. */
export function drawLives(
  context: CanvasRenderingContext2D,
  lane: LaneView,
  x: X,
  { width, height }: Size,
  colors: Palette,
): void {
  for (const life of lane.incarnations) {
    const born = x(life.startMs ?? life.firstMs);
    const ready = x(life.readyMs ?? life.firstMs);
    const endMs = life.exit?.atMs ?? life.endMs;
    const end = endMs === undefined ? width : x(endMs);
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

/** From when its event loop has not turned until now. */
export function drawBlock(
  context: CanvasRenderingContext2D,
  { blocked }: LaneView,
  x: X,
  { width, height }: Size,
  colors: Palette,
): void {
  if (blocked === undefined) return;
  const left = Math.max(0, x(blocked.sinceMs));
  context.fillStyle = colors.error;
  context.globalAlpha = 0.3;
  context.fillRect(left, 0, Math.max(2, width - left), height);
  context.globalAlpha = 1;
  context.fillRect(left, 0, 2, height);
}

/**
 * A line through the lane with what ended it; what was planned is thin and grey, what nobody told is dashed.
 */
export function drawDeaths(
  context: CanvasRenderingContext2D,
  lane: LaneView,
  x: X,
  height: number,
  colors: Palette,
): void {
  context.font = '600 10.5px system-ui, sans-serif';
  context.textBaseline = 'top';
  const flat = height < FLAT_HEIGHT;
  for (const { exit, endMs } of lane.incarnations) {
    if (exit === undefined && endMs === undefined) continue;
    const at = x(exit?.atMs ?? endMs!);
    if (at < -80) continue;
    const planned = exit !== undefined && isPlannedExit(exit);
    const dead = exit !== undefined && !planned;
    context.fillStyle = dead ? colors.interrupted : colors.muted;
    if (exit === undefined) for (let y = 0; y < height; y += 6) context.fillRect(at - 0.5, y, 1, 3);
    else context.fillRect(at - (planned ? 0.5 : 1), 0, planned ? 1 : 2, height);
    if (flat) continue;
    const label = exit === undefined ? 'gone' : exitWords(exit);
    const labelWidth = context.measureText(label).width;
    const left = at - labelWidth - 6 < 0 ? at + 5 : at - labelWidth - 5;
    if (dead) {
      context.fillRect(left - 4, 0, labelWidth + 8, 14);
      context.fillStyle = colors.surface;
    }
    context.fillText(label, left, 2);
  }
}
