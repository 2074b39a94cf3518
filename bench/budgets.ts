/**
 * What tracing may cost, and whether the latest results hold it. Each is a ratio within one run.
 *
 * @module
 */
import { type ClusterResults, type HttpResults, loadResults, type SpanResults } from './report.js';

export interface Verdict {
  what: string;
  bound: string;
  measured: string;
  held: boolean;
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

  const least = (what: string, bound: number, value: number, digits = 2): Verdict => ({
    what,
    bound: `≥ ${bound.toFixed(digits)}`,
    measured: value.toFixed(3),
    held: value >= bound,
  });
  const share = (what: string, divisor: number, ratio: number): Verdict => ({
    what,
    bound: `≤ 1/${divisor}`,
    measured: ratio > 0 ? `1/${(1 / ratio).toFixed(1)}` : 'below the noise',
    held: ratio <= 1 / divisor,
  });
  const p99Ratio = ours.p99Ratio!;
  const addedMb = (ours.memory - bare.memory) / 1e6;
  return [
    least('hello-world throughput, Node 24, against untraced', 0.9, ours.throughputRatio!),
    least('hello-world throughput, Node 20, against untraced', 0.82, of(node20, JOURNAL).throughputRatio!),
    share(
      'CPU added per request in the worker, against OpenTelemetry',
      15,
      ours.addedWorkerMicros! / otel.addedWorkerMicros!,
    ),
    share('CPU added over all processes, against OpenTelemetry', 8, ours.addedAllMicros! / otel.addedAllMicros!),
    share('a span with 3 attributes, encoded, against the SDK serialised', 8, threeAttributes!.ratio),
    { what: 'memory added per worker', bound: '≤ 15 MB', measured: `${addedMb.toFixed(1)} MB`, held: addedMb <= 15 },
    {
      what: 'spans delivered at saturation',
      bound: '100 %',
      measured: `${(Math.min(...delivered, ours.delivered ?? 0) * 100).toFixed(2)} %`,
      held: Math.min(...delivered, ours.delivered ?? 0) >= 1,
    },
    {
      what: 'p99 latency at 70 % load, against untraced',
      bound: '≤ 1.10×',
      measured: `${p99Ratio.toFixed(2)}×`,
      held: p99Ratio <= 1.1,
    },
  ];
}
