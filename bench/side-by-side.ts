/**
 * What a reader of the README compares: forktrace beside OpenTelemetry's SDK and dd-trace, from the published
 * results. A row has what was measured in one run; what nobody has measured has no row.
 *
 * @module
 */
import {
  type HttpResults,
  hasResults,
  type KilledResults,
  loadResults,
  type MemoryResults,
  type RateResults,
  type StartResults,
} from './report.js';

/** Their names in `bench:http`, `bench:rate` and `bench:killed`, and in `bench:start`. */
const COLUMNS = [
  { title: 'forktrace', name: 'forktrace-journal-mmap', start: 'forktrace/register' },
  { title: 'OpenTelemetry 2.x', name: 'otel-2', start: 'OpenTelemetry 2.x' },
  { title: 'dd-trace', name: 'dd-trace', start: 'dd-trace' },
] as const;

type Cell = (column: (typeof COLUMNS)[number]) => number | undefined;

export function sideBySide(): { head: string[]; rows: string[][] } {
  const row = (what: string, cell: Cell, digits: number, unit: string, sign = '') => {
    const values = COLUMNS.map(cell);
    if (values[0] === undefined) return [];
    return [[what, ...values.map((value) => (value === undefined ? '–' : `${sign}${value.toFixed(digits)}${unit}`))]];
  };
  return {
    head: ['', ...COLUMNS.map(({ title }) => title)],
    rows: [...atRate(row), ...saturated(row), ...others(row)],
  };
}

type Row = (what: string, cell: Cell, digits: number, unit: string, sign?: string) => string[][];

function atRate(row: Row): string[][] {
  if (!hasResults('rate')) return [];
  const at = loadResults<RateResults>('rate').rows.find(({ app, asked }) => app === 'express' && asked === '2000');
  const all: Cell = ({ name }) => at?.contestants.find((one) => one.name === name)?.all;
  const isKnown = at?.contestants.every(({ share }) => share === undefined || share.isKnown);
  const doubt = isKnown ? '' : ' (its rounds are more than 15 % apart)';
  return row(`CPU added to a request, Express with 3 child spans, 2,000 requests/s${doubt}`, all, 0, ' µs', '+');
}

function saturated(row: Row): string[][] {
  const { summary } = loadResults<HttpResults>('http-hello-node24');
  const of = (name: string) => summary.find((one) => one.name === name);
  const { rows } = loadResults<MemoryResults>('memory');
  const memory: Cell = ({ name }) => {
    const bytes = rows.find((one) => one.app === 'express' && one.name === name)?.added;
    return bytes === undefined ? undefined : bytes / 1e6;
  };
  return [
    ...row('throughput of hello-world at saturation, untraced = 1', ({ name }) => of(name)?.throughputRatio, 2, ''),
    ...row('CPU added to one of its requests, all processes', ({ name }) => of(name)?.addedAllMicros, 0, ' µs', '+'),
    ...row('memory added to an Express server', memory, 0, ' MB', '+'),
  ];
}

function others(row: Row): string[][] {
  const start = hasResults('start') ? loadResults<StartResults>('start').summary : [];
  const killed = hasResults('killed') ? loadResults<KilledResults>('killed') : undefined;
  const added: Cell = (column) =>
    start.find(({ program, name }) => program === 'hello' && name === column.start)?.addedMs;
  const kept: Cell = ({ name }) => killed?.rows.find((one) => one.name === name)?.kept;
  return [
    ...row('CPU added to the start of a server', added, 0, ' ms', '+'),
    ...row(`requests reported, of the last ${killed?.requests} before SIGKILL`, kept, 0, ''),
  ];
}
