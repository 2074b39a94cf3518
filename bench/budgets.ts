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
  type MemoryRow,
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

/** Of the rounds of one measurement; `isKnown` is false where they disagree. */
interface Measured {
  median: number;
  threeQuarters: number;
  isKnown?: boolean;
}

const ofQuartiles = ({ median, upper, isKnown }: Quartiles): Measured => ({ median, threeQuarters: upper, isKnown });

/** @param show in the units of the bound */
function judge(what: string, bound: number, found: Measured | undefined, show: (value: number) => string): Verdict {
  const verdict = { what, bound: `≤ ${show(bound)}` };
  // Nobody knows whether it is held.
  if (!found) return { ...verdict, measured: 'not measured', threeQuarters: '–', held: false };
  const doubt = found.isKnown === false ? ' (not known: the rounds disagree)' : '';
  return {
    ...verdict,
    measured: `${show(found.median)}${doubt}`,
    threeQuarters: show(found.threeQuarters),
    held: found.isKnown !== false && found.threeQuarters <= bound,
  };
}

const inUnit = (unit: string) => (value: number) => `${value.toFixed(2)}${unit}`;

const fraction = (ratio: number) => (ratio > 0 ? `1/${(1 / ratio).toFixed(1)}` : 'below the noise');

const share = (what: string, divisor: number, found: Measured | undefined): Verdict => ({
  ...judge(what, 1 / divisor, found, fraction),
  bound: `≤ 1/${divisor}`,
});

function throughput(what: string, bound: number, row: HttpResults['summary'][number]): Verdict {
  return {
    what: `${what}, against untraced`,
    bound: `≥ ${bound.toFixed(2)}`,
    measured: row.throughputRatio!.toFixed(3),
    threeQuarters: row.threeQuarters!.throughputRatio.toFixed(3),
    held: row.threeQuarters!.throughputRatio >= bound,
  };
}

const of = (results: HttpResults, name: string) => results.summary.find((row) => row.name === name)!;

export function verdicts(): Verdict[] {
  const node24 = loadResults<HttpResults>('http-hello-node24');
  const node20 = loadResults<HttpResults>('http-hello-node20');
  const express = loadResults<HttpResults>('http-express-node24');
  const span = loadResults<SpanResults>('span');
  const cluster = loadResults<ClusterResults>('cluster');

  const ours = of(node24, JOURNAL);
  const [threeAttributes] = span.cases['3 attributes']!.against;
  const delivered = cluster.summary.filter(({ contestant }) => contestant === JOURNAL).map((row) => row.delivered ?? 0);
  const leastDelivered = Math.min(...delivered, ours.delivered ?? 0);
  const encoded = { median: threeAttributes!.ratio, threeQuarters: threeAttributes!.threeQuarters };
  return [
    throughput('hello-world throughput, Node 24', 0.9, ours),
    throughput('hello-world throughput, Node 20', 0.82, of(node20, JOURNAL)),
    throughput('Express throughput, Node 24', 0.9, of(express, JOURNAL)),
    share('a span with 3 attributes, encoded, against the SDK serialised', 10, encoded),
    memoryOf('hello-world', 'hello'),
    memoryOf('Express, 3 child spans', 'express'),
    {
      what: 'spans delivered at saturation',
      bound: '100 %',
      measured: `${(leastDelivered * 100).toFixed(2)} %`,
      threeQuarters: `${(leastDelivered * 100).toFixed(2)} %`,
      held: leastDelivered >= 1,
    },
    ...atFixedRates(),
    ofStart(),
    ...ofShipper(),
  ];
}

/** A contestant of one app at one rate, where that could be kept. */
function rated(app: string, asked: string, contestant: string) {
  const rows = ['rate', 'rate-rates'].filter(hasResults).flatMap((name) => loadResults<RateResults>(name).rows);
  const row = rows.find((one) => one.app === app && one.asked === asked);
  return row?.contestants.find(({ name }) => name === contestant);
}

function atFixedRates(): Verdict[] {
  const cost = (what: string, app: string, divisor: number): Verdict => {
    const found = rated(app, '2000', 'otel-2')?.share;
    const name = `CPU added by ${what}, 2,000 requests/s, against OpenTelemetry`;
    return share(name, divisor, found && ofQuartiles(found));
  };
  const latency = rated('hello', '50%', JOURNAL)?.p99Ratio;
  return [
    cost('hello-world', 'hello', 15),
    cost('Express, 3 child spans', 'express', 12),
    cost('Fastify, 3 child spans', 'fastify', 12),
    cost('Express with PostgreSQL and Redis', 'postgres-redis', 2),
    judge('p99 latency at 50 % load, against untraced', 1.05, latency && ofQuartiles(latency), inUnit('×')),
  ];
}

function ofStart(): Verdict {
  const summary = hasResults('start') ? loadResults<StartResults>('start').summary : [];
  const found = summary.find((one) => one.program === 'hello' && one.name.includes('register'));
  const measured = found && { median: found.ratio, threeQuarters: found.ratioThreeQuarters ?? found.ratio };
  return judge('CPU to the first response, against untraced', 1.5, measured, inUnit('×'));
}

function memoryRow(app: string): MemoryRow | undefined {
  const rows = hasResults('memory') ? loadResults<MemoryResults>('memory').rows : [];
  return rows.find((row) => row.app === app && row.name === JOURNAL);
}

function memoryOf(what: string, app: string): Verdict {
  const row = memoryRow(app);
  const added = row && { median: row.added / 1e6, threeQuarters: (row.addedThreeQuarters ?? row.added) / 1e6 };
  return judge(`memory added per worker, ${what}`, 15, added, inUnit(' MB'));
}

/** Of the process that all workers share. */
function ofShipper(): Verdict[] {
  const own = rated('hello', '2000', JOURNAL);
  const beside = memoryRow('express');
  const cpu = own && { median: own.shipper, threeQuarters: own.shipperThreeQuarters };
  const idle = beside && {
    median: beside.shipperIdle * 100,
    threeQuarters: beside.shipperIdleThreeQuarters * 100,
  };
  const memory = beside && { median: beside.shipper / 1e6, threeQuarters: beside.shipperThreeQuarters / 1e6 };
  return [
    judge('shipper, per span at 2,000 a second', 1, cpu, inUnit(' µs')),
    judge('shipper, of a core while nothing is traced', 0.2, idle, inUnit(' %')),
    judge('memory of the shipper', 45, memory, inUnit(' MB')),
  ];
}
