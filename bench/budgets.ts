/**
 * What tracing may cost, and whether the latest results hold it. Each is a ratio within one run, and is held
 * when three quarters of the rounds hold it: a median near its bound would be held or short by luck.
 *
 * @module
 */

import type { Quartiles } from './rate/rounds.js';
import {
  type ClusterResults,
  type HttpResults,
  hasResults,
  loadResults,
  type MemoryResults,
  type RateResults,
  type SpanResults,
  type StartResults,
} from './report.js';

export interface Verdict {
  what: string;
  bound: string;
  /** The median of the rounds. */
  measured: string;
  /** What three quarters of the rounds hold. */
  threeQuarters: string;
  held: boolean;
}

/** A table of verdicts: its head, and a row of each. */
export const VERDICT_HEAD = ['budget', 'bound', 'median', '3/4 of rounds', ''];
export function verdictRow({ what, bound, measured, threeQuarters, held }: Verdict, short = 'SHORT'): string[] {
  return [what, bound, measured, threeQuarters, held ? 'pass' : short];
}

const JOURNAL = 'forktrace-journal-mmap';

export function verdicts(): Verdict[] {
  const node24 = loadResults<HttpResults>('http-hello-node24');
  const node20 = loadResults<HttpResults>('http-hello-node20');
  const span = loadResults<SpanResults>('span');
  const cluster = loadResults<ClusterResults>('cluster');

  const of = (results: HttpResults, name: string) => results.summary.find((row) => row.name === name)!;
  const ours = of(node24, JOURNAL);
  const untraced = of(node24, 'untraced');
  const [threeAttributes] = span.cases['3 attributes']!.against;
  const delivered = cluster.summary.filter(({ contestant }) => contestant === JOURNAL).map((row) => row.delivered ?? 0);
  const leastDelivered = Math.min(...delivered, ours.delivered ?? 0);

  const throughput = (what: string, bound: number, row: HttpResults['summary'][number]): Verdict => ({
    what: `${what}, against untraced`,
    bound: `≥ ${bound.toFixed(2)}`,
    measured: row.throughputRatio!.toFixed(3),
    threeQuarters: row.threeQuarters!.throughputRatio.toFixed(3),
    held: row.threeQuarters!.throughputRatio >= bound,
  });
  const share: Share = (what, divisor, ratio, threeQuarters) => ({
    what,
    bound: `≤ 1/${divisor}`,
    measured: fraction(ratio),
    threeQuarters: fraction(threeQuarters),
    held: threeQuarters <= 1 / divisor,
  });
  const most: Most = (what, bound, unit, median, threeQuarters) => ({
    what,
    bound: `≤ ${Number.isInteger(bound) ? bound : bound.toFixed(2)}${unit}`,
    measured: `${median.toFixed(2)}${unit}`,
    threeQuarters: `${threeQuarters.toFixed(2)}${unit}`,
    held: threeQuarters <= bound,
  });
  return [
    throughput('hello-world throughput, Node 24', 0.9, ours),
    throughput('hello-world throughput, Node 20', 0.82, of(node20, JOURNAL)),
    throughput('Express throughput, Node 24', 0.9, of(loadResults<HttpResults>('http-express-node24'), JOURNAL)),
    share(
      'a span with 3 attributes, encoded, against the SDK serialised',
      10,
      threeAttributes!.ratio,
      threeAttributes!.threeQuarters,
    ),
    most('memory added per worker', 15, ' MB', (ours.memory - untraced.memory) / 1e6, ours.threeQuarters!.memory / 1e6),
    {
      what: 'spans delivered at saturation',
      bound: '100 %',
      measured: `${(leastDelivered * 100).toFixed(2)} %`,
      threeQuarters: `${(leastDelivered * 100).toFixed(2)} %`,
      held: leastDelivered >= 1,
    },
    ...atFixedRates(share, most),
    ...ofShipper(most),
  ];
}

type Share = (what: string, divisor: number, ratio: number, threeQuarters: number) => Verdict;
type Most = (what: string, bound: number, unit: string, median: number, threeQuarters: number) => Verdict;

/** What is measured says so itself, where its rounds disagree. */
const orNotKnown = (verdict: Verdict, { isKnown }: Quartiles): Verdict =>
  isKnown ? verdict : { ...verdict, measured: `${verdict.measured} (not known: the rounds disagree)` };

/** Those of what is measured at fixed rates, where that has been measured. */
function atFixedRates(share: Share, most: Most): Verdict[] {
  const rows = ['rate', 'rate-rates'].filter(hasResults).flatMap((name) => loadResults<RateResults>(name).rows);
  const cost = (what: string, app: string, divisor: number): Verdict[] => {
    const row = rows.find((one) => one.app === app && one.asked === '2000');
    const found = row?.contestants.find(({ name }) => name === 'otel-2')?.share;
    if (found === undefined) return [];
    const name = `CPU added by ${what}, 2,000 requests/s, against OpenTelemetry`;
    return [orNotKnown(share(name, divisor, found.median, found.upper), found)];
  };
  const half = rows.find((one) => one.app === 'hello' && one.asked === '50%');
  const latency = half?.contestants.find(({ name }) => name === JOURNAL)?.p99Ratio;
  const start = hasResults('start')
    ? loadResults<StartResults>('start').summary.find((one) => one.program === 'hello' && one.name.includes('register'))
    : undefined;
  return [
    ...cost('hello-world', 'hello', 15),
    ...cost('Express, 3 child spans', 'express', 12),
    ...cost('Fastify, 3 child spans', 'fastify', 12),
    ...cost('Express with PostgreSQL and Redis', 'postgres-redis', 2),
    ...(latency
      ? [
          orNotKnown(
            most('p99 latency at 50 % load, against untraced', 1.05, '×', latency.median, latency.upper),
            latency,
          ),
        ]
      : []),
    ...(start ? [most('CPU to the first response, against untraced', 1.5, '×', start.ratio, atMost(start))] : []),
  ];
}

const atMost = ({ ratio, ratioThreeQuarters = ratio }: StartResults['summary'][number]) => ratioThreeQuarters;

/** Of the process that all workers share. */
function ofShipper(most: Most): Verdict[] {
  const rows = hasResults('rate') ? loadResults<RateResults>('rate').rows : [];
  const hello = rows.find(({ app, asked }) => app === 'hello' && asked === '2000');
  const own = hello?.contestants.find(({ name }) => name === JOURNAL);
  const memory = hasResults('memory') ? loadResults<MemoryResults>('memory').rows : [];
  const beside = memory.find(({ name }) => name === JOURNAL);
  const idle = (beside?.shipperIdle ?? 0) * 100;
  return [
    ...(own ? [most('shipper, per span at 2,000 a second', 1, ' µs', own.shipper, own.shipperThreeQuarters)] : []),
    ...(beside
      ? [
          most('shipper, of a core while nothing is traced', 0.2, ' %', idle, beside.shipperIdleThreeQuarters * 100),
          most('memory of the shipper', 45, ' MB', beside.shipper / 1e6, beside.shipperThreeQuarters / 1e6),
        ]
      : []),
  ];
}

function fraction(ratio: number): string {
  return ratio > 0 ? `1/${(1 / ratio).toFixed(1)}` : 'below the noise';
}
