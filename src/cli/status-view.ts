/**
 * A cluster's status as lines of text that fit a width: one line per worker, never wrapped.
 *
 * @module
 */
import type { ClusterStats, WorkerView } from '../coordinator/handle.js';
import { colors } from './colors.js';

type Color = (text: string) => string;
const plain: Color = (text) => text;

interface Column {
  head: string;
  /** The smaller, the sooner it is shown where there is room for few. */
  rank: number;
  left?: true;
  text(worker: WorkerView): string;
  color?(worker: WorkerView): Color;
}

const ofStats = (text: (stats: NonNullable<WorkerView['stats']>) => string) => (worker: WorkerView) =>
  worker.stats ? text(worker.stats) : '–';

/** In the order in which they are shown. */
const COLUMNS: readonly Column[] = [
  { head: 'slot', rank: 0, text: ({ slot }) => String(slot) },
  { head: 'pid', rank: 1, text: ({ pid }) => (pid === undefined ? '–' : String(pid)) },
  { head: 'state', rank: 0, left: true, text: ({ state }) => state, color: stateColor },
  { head: 'up', rank: 3, text: ({ uptimeMs }) => (uptimeMs === undefined ? '–' : duration(uptimeMs)) },
  { head: 'req/s', rank: 1, text: (worker) => (worker.stats ? rate(worker.requestsPerSecond) : '–') },
  {
    head: 'err/s',
    rank: 2,
    text: (worker) => (worker.stats ? rate(worker.failuresPerSecond) : '–'),
    color: ({ failuresPerSecond }) => (failuresPerSecond > 0 ? colors.red : plain),
  },
  { head: 'p99', rank: 2, text: ofStats(({ p99Ms }) => (p99Ms === 0 ? '–' : latency(p99Ms))) },
  { head: 'flight', rank: 5, text: ofStats(({ inFlight }) => String(inFlight)) },
  { head: 'cpu', rank: 2, text: ofStats(({ cpu }) => percent(cpu)) },
  { head: 'loop', rank: 6, text: ofStats(({ utilization }) => percent(utilization)) },
  { head: 'memory', rank: 3, text: ofStats(({ rss }) => bytes(rss)) },
  {
    head: 'died/h',
    rank: 4,
    text: ({ restartsLastHour }) => String(restartsLastHour),
    color: ({ restartsLastHour }) => (restartsLastHour > 0 ? colors.yellow : plain),
  },
  { head: 'last exit', rank: 2.5, left: true, text: ({ lastExit }) => lastExit?.cause ?? '–' },
  { head: 'spans', rank: 7, text: ofStats(({ spansJournaled }) => String(spansJournaled)) },
  {
    head: 'lost',
    rank: 7,
    text: ofStats(({ spansLost }) => String(spansLost)),
    color: ({ stats }) => (stats && stats.spansLost > 0 ? colors.red : plain),
  },
];

const GAP = 2;

/** The table's lines: the head, then one per worker. Columns that have no room are left out. */
export function workerLines(workers: readonly WorkerView[], width: number): string[] {
  const widths = new Map(
    COLUMNS.map((column) => [
      column,
      Math.max(column.head.length, ...workers.map((worker) => column.text(worker).length)),
    ]),
  );
  const shown = new Set<Column>();
  let used = -GAP;
  for (const column of COLUMNS.toSorted((a, b) => a.rank - b.rank)) {
    const more = widths.get(column)! + GAP;
    if (used + more > width) continue;
    shown.add(column);
    used += more;
  }
  const columns = COLUMNS.filter((column) => shown.has(column));
  const line = (cell: (column: Column) => { text: string; color: Color }) =>
    columns
      .map((column) => {
        const { text, color } = cell(column);
        const space = ' '.repeat(widths.get(column)! - text.length);
        return column.left ? color(text) + space : space + color(text);
      })
      .join(' '.repeat(GAP))
      .trimEnd();
  return [
    line(({ head }) => ({ text: head, color: colors.bold })),
    ...workers.map((worker) => line(({ text, color }) => ({ text: text(worker), color: color?.(worker) ?? plain }))),
  ];
}

/** The cluster as a whole, above its workers. */
export function summaryLines(stats: ClusterStats, width: number): string[] {
  const { serviceName, pid, phase, ready, size, uptimeMs, restarts, breaker, viewerUrl } = stats;
  const health = ready >= size ? colors.green : ready > 0 ? colors.yellow : colors.red;
  const parts: Part[] = [
    [serviceName, colors.bold],
    [`pid ${pid}`, plain],
    [phase, plain],
    [`${ready}/${size} ready`, health],
    [`up ${duration(uptimeMs)}`, plain],
    [`${restarts} restarts`, plain],
  ];
  if (breaker !== 'closed') parts.unshift([`CRASH LOOP: breaker ${breaker}`, colors.red]);
  if (viewerUrl) parts.push([viewerUrl, plain]);
  return wrapped(parts, width);
}

/** What the shipper has delivered, below the workers. */
export function shippingLines({ shipper }: ClusterStats, width: number): string[] {
  if (!shipper) return [];
  const parts: Part[] = [
    [`shipped ${shipper.shipped}`, plain],
    [`lag ${bytes(shipper.lagBytes)}, ${duration(shipper.lagMs)}`, plain],
    [`recovered ${shipper.recovered}`, plain],
    [`interrupted ${shipper.interrupted}`, plain],
  ];
  if (shipper.refused > 0) parts.push([`refused ${shipper.refused}`, colors.red]);
  if (shipper.dropped > 0) parts.push([`dropped ${shipper.dropped}`, colors.red]);
  return wrapped(parts, width);
}

/** All of it, for output that is no live screen. */
export function statusText(stats: ClusterStats, width: number): string {
  return [...summaryLines(stats, width), ...workerLines(stats.workers, width), ...shippingLines(stats, width)].join(
    '\n',
  );
}

type Part = [text: string, color: Color];

/** Parts between dots, on as many lines as they take; one that is longer than a line is cut. */
function wrapped(parts: readonly Part[], width: number): string[] {
  const lines: string[] = [];
  let line = '';
  let length = 0;
  for (const [whole, color] of parts) {
    const text = whole.length > width ? `${whole.slice(0, Math.max(0, width - 1))}…` : whole;
    if (length > 0 && length + 3 + text.length > width) {
      lines.push(line);
      line = '';
      length = 0;
    }
    line += (length > 0 ? ' · ' : '') + color(text);
    length += (length > 0 ? 3 : 0) + text.length;
  }
  return [...lines, line];
}

function stateColor({ state }: WorkerView): Color {
  if (state === 'ready') return colors.green;
  return state === 'blocked' ? colors.red : colors.yellow;
}

function rate(perSecond: number): string {
  return perSecond < 1000 ? perSecond.toFixed(1) : String(Math.round(perSecond));
}

function percent(share: number): string {
  return `${Math.round(share * 100)}%`;
}

/** `0.4 ms`, `12 ms`, `1.2 s`. */
function latency(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/** `950 ms`, `12 s`, `3 min`, `5 h`, `9 d`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}

/** `512 B`, `64 KiB`, `12.5 MiB`, `512 MiB`. */
export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  if (count < 1024 ** 2) return `${Math.round(count / 1024)} KiB`;
  const mebibytes = count / 1024 ** 2;
  return `${mebibytes < 100 ? mebibytes.toFixed(1) : Math.round(mebibytes)} MiB`;
}
