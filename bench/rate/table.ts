import { renderTable } from '../report.js';
import type { Quartiles, RateRow } from './rounds.js';

export const RATE_HEAD = [
  'app',
  'requests/s',
  '',
  '+ worker',
  '+ shipper',
  '+ all, µs',
  'forktrace costs',
  'delivered',
];
export const LATENCY_HEAD = ['p50 ms', 'p99', 'p99.9', 'p99 × untraced'];

/** A fraction of one, and the quartiles of the rounds; "not known" where they are too far apart. */
function fraction(quartiles: Quartiles | undefined): string {
  if (quartiles === undefined) return '';
  const { lower, median, upper, isKnown } = quartiles;
  if (median <= 0) return 'not known (below the noise)';
  const of = (value: number) => (value > 0 ? (1 / value).toFixed(1) : '∞');
  return isKnown ? `1/${of(median)}` : `not known (1/${of(upper)} to 1/${of(lower)})`;
}

function ratio(quartiles: Quartiles | undefined): string {
  if (quartiles === undefined) return '';
  const { lower, median, upper, isKnown } = quartiles;
  return isKnown ? median.toFixed(2) : `not known (${lower.toFixed(2)} to ${upper.toFixed(2)})`;
}

/** One row of each contestant, app and rate; of the untraced server what it uses itself. */
export function rateCells(rows: readonly RateRow[]): { head: string[]; rows: string[][] } {
  const hasLatency = rows.some(({ contestants }) => contestants.some(({ p50 }) => p50 !== undefined));
  const number = (value: number | undefined, digits: number) => (value === undefined ? '' : value.toFixed(digits));
  const width = RATE_HEAD.length + (hasLatency ? LATENCY_HEAD.length : 0);
  return {
    head: hasLatency ? [...RATE_HEAD, ...LATENCY_HEAD] : RATE_HEAD,
    rows: rows.flatMap(({ app, asked, rate, contestants, unable }) => [
      ...contestants.map((one, index) => [
        index === 0 ? app : '',
        index === 0 ? (asked.endsWith('%') ? `${rate} (${asked})` : String(rate)) : '',
        one.name,
        one.name === 'untraced' ? `(${one.worker.toFixed(1)})` : (one.worker + one.others).toFixed(1),
        one.name === 'untraced' ? '' : one.shipper.toFixed(1),
        one.name === 'untraced' ? '' : one.all.toFixed(1),
        fraction(one.share),
        one.delivered === undefined ? '' : `${(Math.min(1, one.delivered) * 100).toFixed(1)} %`,
        ...(hasLatency ? [number(one.p50, 2), number(one.p99, 2), number(one.p999, 2), ratio(one.p99Ratio)] : []),
      ]),
      ...unable.map((name) => {
        const cells = ['', '', name, 'cannot keep this rate'];
        return [...cells, ...Array.from({ length: width - cells.length }, () => '')];
      }),
    ]),
  };
}

export function renderRateTable(rows: readonly RateRow[]): string {
  const cells = rateCells(rows);
  return renderTable(cells.head, cells.rows);
}
