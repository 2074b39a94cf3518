import Table from 'cli-table3';
import type { ClusterStats, WorkerView } from '../coordinator/handle.js';
import { colors } from './colors.js';

const COLUMNS = [
  'slot',
  'pid',
  'state',
  'uptime',
  'restarts',
  'req/s',
  'in flight',
  'loop',
  'memory',
  'journaled',
  'lost',
];

/** The cluster on one screen. Colours only where the terminal has them. */
export function statusTable(stats: ClusterStats): string {
  const table = new Table({
    head: COLUMNS.map((column) => colors.bold(column)),
    style: { head: [], border: [] },
    colAligns: COLUMNS.map((column) => (column === 'state' ? 'left' : 'right')),
  });
  for (const worker of stats.workers) table.push(row(worker));
  return [summary(stats), table.toString(), shipping(stats)].filter((line) => line !== '').join('\n');
}

function summary({
  serviceName,
  pid,
  phase,
  ready,
  size,
  uptimeMs,
  restarts,
  breaker,
  viewerUrl,
}: ClusterStats): string {
  const health = ready >= size ? colors.green : ready > 0 ? colors.yellow : colors.red;
  const parts = [
    colors.bold(serviceName),
    `pid ${pid}`,
    phase,
    health(`${ready}/${size} ready`),
    `up ${duration(uptimeMs)}`,
    `${restarts} restarts`,
  ];
  if (breaker !== 'closed') parts.push(colors.red(`crash loop: breaker ${breaker}`));
  if (viewerUrl) parts.push(viewerUrl);
  return parts.join(' · ');
}

function row(worker: WorkerView): string[] {
  const { stats } = worker;
  return [
    String(worker.slot),
    worker.pid === undefined ? '–' : String(worker.pid),
    worker.state === 'ready' ? colors.green('ready') : colors.yellow(worker.state),
    worker.uptimeMs === undefined ? '–' : duration(worker.uptimeMs),
    String(worker.restarts),
    stats ? worker.requestsPerSecond.toFixed(1) : '–',
    stats ? String(stats.inFlight) : '–',
    stats ? `${Math.round(stats.utilization * 100)} %` : '–',
    stats ? bytes(stats.rss) : '–',
    stats ? String(stats.spansJournaled) : '–',
    stats ? (stats.spansLost > 0 ? colors.red(String(stats.spansLost)) : '0') : '–',
  ];
}

function shipping({ shipper }: ClusterStats): string {
  if (!shipper) return '';
  const parts = [
    `shipped ${shipper.shipped}`,
    `lag ${bytes(shipper.lagBytes)}, ${duration(shipper.lagMs)}`,
    `recovered ${shipper.recovered}`,
    `interrupted ${shipper.interrupted}`,
  ];
  if (shipper.refused > 0) parts.push(colors.red(`refused ${shipper.refused}`));
  if (shipper.dropped > 0) parts.push(colors.red(`dropped ${shipper.dropped}`));
  return parts.join(' · ');
}

/** `950 ms`, `12 s`, `3 min`, `5 h`, `9 d`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 120_000) return `${Math.round(ms / 1000)} s`;
  if (ms < 7_200_000) return `${Math.round(ms / 60_000)} min`;
  if (ms < 172_800_000) return `${Math.round(ms / 3_600_000)} h`;
  return `${Math.round(ms / 86_400_000)} d`;
}

/** `512 B`, `64 KiB`, `12.5 MiB`. */
export function bytes(count: number): string {
  if (count < 1024) return `${count} B`;
  if (count < 1024 ** 2) return `${Math.round(count / 1024)} KiB`;
  return `${(count / 1024 ** 2).toFixed(1)} MiB`;
}
