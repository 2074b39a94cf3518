import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { benchRoot } from './processes.js';
import type { RateRow } from './rate/rounds.js';

export interface HttpSummary {
  name: string;
  perSecond: number;
  throughputRatio: number | undefined;
  throughputSpread: number | undefined;
  workerMicros: number;
  addedWorkerMicros: number | undefined;
  addedAllMicros: number | undefined;
  /** Bytes, proportional set size. */
  memory: number;
  /** Bytes of it that V8's young generation has. */
  youngGeneration: number;
  loopDelayP99: number;
  latency: { p50: number; p99: number; p999: number } | undefined;
  /** Median of the rounds' ratios to the untraced server. */
  p99Ratio: number | undefined;
  p99Spread: number | undefined;
  delivered: number | undefined;
  /** Keys of the server span, for who speaks OTLP. */
  attributes: string[] | undefined;
  /**
   * What three quarters of the pairs are at least, or at most, whichever is the worse side; memory is the
   * difference.
   */
  threeQuarters:
    | {
        throughputRatio: number;
        addedWorkerMicros: number;
        addedAllMicros: number;
        memory: number;
        p99Ratio: number | undefined;
      }
    | undefined;
}

export function renderHttpTable(app: string, rows: readonly HttpSummary[]): string {
  const table = new Table({
    head: [
      app,
      'req/s',
      '× untraced',
      '±',
      'CPU µs/req',
      '+ worker',
      '+ all',
      'MB',
      'p50 ms',
      'p99 ms',
      'p99.9',
      'p99 × untraced',
      'delivered',
    ],
    style: { head: [], border: [] },
  });
  const fixed = (value: number | undefined, digits = 1) => (value === undefined ? '–' : value.toFixed(digits));
  for (const row of rows) {
    table.push([
      row.name,
      row.perSecond.toFixed(0),
      fixed(row.throughputRatio, 3),
      fixed(row.throughputSpread, 3),
      fixed(row.workerMicros),
      fixed(row.addedWorkerMicros),
      fixed(row.addedAllMicros),
      fixed(row.memory / 1e6, 0),
      fixed(row.latency?.p50, 2),
      fixed(row.latency?.p99, 2),
      fixed(row.latency?.p999, 2),
      fixed(row.p99Ratio, 2),
      row.delivered === undefined ? '–' : `${(row.delivered * 100).toFixed(1)} %`,
    ]);
  }
  return table.toString();
}

export function renderTable(head: string[], rows: (string | number)[][]): string {
  const table = new Table({ head, style: { head: [], border: [] } });
  table.push(...rows);
  return table.toString();
}

export interface Machine {
  cpu: string;
  cores: number;
  memoryGiB: number;
  node: string;
  date: string;
  version: string;
}

export interface HttpResults {
  machine: Machine;
  node: string;
  options: { rounds: number; requests: number; connections: number };
  summary: HttpSummary[];
}

export interface SpanResults {
  node: string;
  /**
   * CPU time in nanoseconds; `ratio` is the share that forktrace takes of what the SDK takes, the median of
   * the rounds' ratios.
   */
  cases: Record<
    string,
    {
      nanos: number;
      against: { name: string; nanos: number; ratio: number; threeQuarters: number; spread: number }[];
    }
  >;
}

export interface ClusterResults {
  options: { rounds: number };
  summary: {
    contestant: string;
    workers: number;
    spans: number;
    connections: number;
    perSecond: number;
    cpuMicros: number;
    addedMicros?: number;
    workerMemory: number;
    allMemory: number;
    readyMs: number;
    reloadMs?: number;
    delivered?: number;
  }[];
}

export interface MemoryResults {
  node: string;
  options: { rounds: number; requests: number };
  rows: MemoryRow[];
}

/** Bytes, proportional set size, the medians of rounds. */
export interface MemoryRow {
  app: string;
  name: string;
  worker: number;
  /** Of it, V8's young generation. */
  young: number;
  /** To the untraced server of the same round. */
  added: number;
  /** Not in earlier results. */
  addedThreeQuarters?: number;
  /** Likewise, both without their young generations. */
  addedRest: number;
  shipper: number;
  shipperThreeQuarters: number;
  /** Share of a core that the shipper takes while nothing is traced. */
  shipperIdle: number;
  shipperIdleThreeQuarters: number;
}

export interface RateResults {
  machine: Machine;
  node: string;
  windowMs: number;
  rows: RateRow[];
}

export interface StartResults {
  node: string;
  rounds: number;
  summary: {
    program: string;
    name: string;
    cpuMs: number;
    spread: number;
    addedMs: number;
    ratio: number;
    /** Of each round, to the untraced one's; not in earlier results. */
    ratioThreeQuarters?: number;
    /** From the last statement to the end; not in earlier results. */
    endMs?: number;
  }[];
}

export interface KilledResults {
  node: string;
  /** Answered just before the server was killed. */
  requests: number;
  /** How many of them were reported. */
  rows: { name: string; kept: number }[];
}

export interface ProfileResults {
  node: string;
  requests: number;
  microsPerRequest: number;
  functions: { name: string; micros: number }[];
}

/** The results that documentation is written from. */
export const PUBLISHED = join(benchRoot, 'results');

export function resultsFile(name: string): string {
  return join(process.env.BENCH_RESULTS ?? PUBLISHED, `${name}.json`);
}

export function hasResults(name: string): boolean {
  return existsSync(resultsFile(name));
}

export function loadResults<Results>(name: string): Results {
  return JSON.parse(readFileSync(resultsFile(name), 'utf8'));
}

/**
 * Writes a result with the machine and versions that it was measured on to `<name>.json`: in BENCH_RESULTS,
 * which `npm run bench` sets, or else in a folder that nothing is written from, so that a look at one number
 * replaces no other.
 */
export function saveResults(name: string, result: object): void {
  const dir = process.env.BENCH_RESULTS ?? join(PUBLISHED, 'last');
  mkdirSync(dir, { recursive: true });
  const machine: Machine = {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    date: new Date().toISOString().slice(0, 10),
    version: JSON.parse(readFileSync(join(benchRoot, '../package.json'), 'utf8')).version,
  };
  writeFileSync(join(dir, `${name}.json`), `${JSON.stringify({ machine, ...result }, null, 2)}\n`);
}
