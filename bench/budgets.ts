/**
 * What tracing may cost, and whether the latest results hold it. Each is a ratio within one run, and is held when three quarters
 * of the rounds hold it: a median near its bound would be held or short by luck.
 *
 * @module
 */
import { type ClusterResults, type HttpResults, loadResults, type SpanResults } from './report.js';

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
  const otel = of(node24, 'otel-2');
  const bare = of(node24, 'bare');
  const [threeAttributes] = span.cases['3 attributes']!.against;
  const delivered = cluster.summary.filter(({ contestant }) => contestant === JOURNAL).map((row) => row.delivered ?? 0);
  const leastDelivered = Math.min(...delivered, ours.delivered ?? 0);

  const throughput = (major: string, bound: number, row: HttpResults['summary'][number]): Verdict => ({
    what: `hello-world throughput, Node ${major}, against untraced`,
    bound: `≥ ${bound.toFixed(2)}`,
    measured: row.throughputRatio!.toFixed(3),
    threeQuarters: row.threeQuarters!.throughputRatio.toFixed(3),
    held: row.threeQuarters!.throughputRatio >= bound,
  });
  const share = (what: string, divisor: number, ratio: number, threeQuarters: number): Verdict => ({
    what,
    bound: `≤ 1/${divisor}`,
    measured: fraction(ratio),
    threeQuarters: fraction(threeQuarters),
    held: threeQuarters <= 1 / divisor,
  });
  const most = (what: string, bound: number, unit: string, median: number, threeQuarters: number): Verdict => ({
    what,
    bound: `≤ ${bound.toFixed(unit === '×' ? 2 : 0)}${unit}`,
    measured: `${median.toFixed(2)}${unit}`,
    threeQuarters: `${threeQuarters.toFixed(2)}${unit}`,
    held: threeQuarters <= bound,
  });
  return [
    throughput('24', 0.9, ours),
    throughput('20', 0.82, of(node20, JOURNAL)),
    share(
      'CPU added per request in the worker, against OpenTelemetry',
      15,
      ours.addedWorkerMicros! / otel.addedWorkerMicros!,
      ours.threeQuarters!.addedWorkerMicros / otel.addedWorkerMicros!,
    ),
    share(
      'CPU added over all processes, against OpenTelemetry',
      8,
      ours.addedAllMicros! / otel.addedAllMicros!,
      ours.threeQuarters!.addedAllMicros / otel.addedAllMicros!,
    ),
    share(
      'a span with 3 attributes, encoded, against the SDK serialised',
      8,
      threeAttributes!.ratio,
      threeAttributes!.threeQuarters,
    ),
    most('memory added per worker', 15, ' MB', (ours.memory - bare.memory) / 1e6, ours.threeQuarters!.memory / 1e6),
    {
      what: 'spans delivered at saturation',
      bound: '100 %',
      measured: `${(leastDelivered * 100).toFixed(2)} %`,
      threeQuarters: `${(leastDelivered * 100).toFixed(2)} %`,
      held: leastDelivered >= 1,
    },
    most('p99 latency at 70 % load, against untraced', 1.1, '×', ours.p99Ratio!, ours.threeQuarters!.p99Ratio!),
  ];
}

function fraction(ratio: number): string {
  return ratio > 0 ? `1/${(1 / ratio).toFixed(1)}` : 'below the noise';
}
