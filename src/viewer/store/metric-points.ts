/**
 * Points of metrics, from how they were sent to how they are drawn. Sums become rates and cumulative
 * histograms those of each interval as they arrive, so that whoever draws need not know how they were sent.
 *
 * @module
 */
import type {
  ExponentialHistogramDataPoint,
  HistogramDataPoint,
  NumberDataPoint,
  OtlpMetric,
  SummaryDataPoint,
} from '../../wire/otlp-json.js';
import { onGrid } from './exponential-grid.js';

/** `counter` only grows, `updown` does not; `other` has no data. */
export type InstrumentKind = 'gauge' | 'counter' | 'updown' | 'histogram' | 'summary' | 'other';

/** One interval, or one moment of a gauge. */
export interface Point {
  timeMs: number;
  /** How long it stands for; 0 when that is not known. */
  seconds: number;
  /** A gauge's value; per second, a counter's increase, or how many values a histogram or summary got. */
  value: number;
  /** Of a histogram or summary, per second, as the buckets. */
  sum?: number;
  buckets?: Float64Array;
  /** The first of the bounds that has a bucket here. */
  first: number;
  /** Of a summary: the shares and what lies below each, ascending. */
  quantiles?: readonly [share: number, value: number][];
}

/** A point as it was sent. */
export interface Sent {
  timeMs: number;
  startMs: number;
  value: number;
  sum: number;
  buckets: Float64Array | undefined;
  first: number;
  quantiles?: Point['quantiles'];
}

/** No exporter sends more often. */
const LEAST_FIRST_SECONDS = 1;

export function kindOf({ gauge, sum, histogram, exponentialHistogram, summary }: OtlpMetric): InstrumentKind {
  if (gauge !== undefined) return 'gauge';
  if (sum !== undefined) return sum.isMonotonic ? 'counter' : 'updown';
  if (summary !== undefined) return 'summary';
  return (histogram ?? exponentialHistogram) === undefined ? 'other' : 'histogram';
}

const milliseconds = (nanos: string | undefined) => Number(nanos ?? 0) / 1e6;

export function sentNumber({ timeUnixNano, startTimeUnixNano, asInt, asDouble }: NumberDataPoint): Sent {
  return {
    timeMs: milliseconds(timeUnixNano) || Date.now(),
    startMs: milliseconds(startTimeUnixNano),
    value: Number(asInt ?? asDouble ?? 0),
    sum: 0,
    buckets: undefined,
    first: 0,
  };
}

export function sentHistogram(point: HistogramDataPoint): Sent {
  return { ...sentCount(point), buckets: Float64Array.from(point.bucketCounts ?? [], Number), first: 0 };
}

export function sentExponential(point: ExponentialHistogramDataPoint): Sent {
  const { first, counts } = onGrid(point);
  return { ...sentCount(point), buckets: counts, first };
}

export function sentSummary(point: SummaryDataPoint): Sent {
  const quantiles = (point.quantileValues ?? [])
    .map(({ quantile, value }): [number, number] => [Number(quantile ?? 0), Number(value ?? 0)])
    .sort(([a], [b]) => a - b);
  return { ...sentCount(point), buckets: undefined, first: 0, quantiles };
}

function sentCount({ timeUnixNano, startTimeUnixNano, count, sum }: Omit<HistogramDataPoint, 'bucketCounts'>) {
  return {
    timeMs: milliseconds(timeUnixNano) || Date.now(),
    startMs: milliseconds(startTimeUnixNano),
    value: Number(count ?? 0),
    sum: Number(sum ?? 0),
  };
}

/** What `sent` says of the time since `last`; since its own start when there is none, or it began anew. */
export function pointOf(kind: InstrumentKind, sent: Sent, last: Sent | undefined, delta: boolean): Point {
  const { timeMs, startMs } = sent;
  if (kind === 'gauge' || kind === 'updown') {
    return { timeMs, seconds: last === undefined ? 0 : (timeMs - last.timeMs) / 1000, value: sent.value, first: 0 };
  }
  const goesOn = !delta && last !== undefined && last.startMs === startMs && last.value <= sent.value;
  const before = goesOn ? last : undefined;
  const sinceMs = before?.timeMs ?? Math.max(startMs, last?.timeMs ?? 0);
  // A first point may come a moment after its first value: one request in a millisecond is no 1,000 a second.
  const least = before === undefined && !delta ? LEAST_FIRST_SECONDS : 0.001;
  const seconds = sinceMs === 0 ? 0 : Math.max(least, (timeMs - sinceMs) / 1000);
  const perSecond = (now: number, then: number | undefined) => (seconds === 0 ? 0 : (now - (then ?? 0)) / seconds);
  return {
    timeMs,
    seconds,
    value: perSecond(sent.value, before?.value),
    sum: perSecond(sent.sum, before?.sum),
    buckets: sent.buckets?.map((count, at) => perSecond(count, before?.buckets?.[at + sent.first - before.first])),
    first: sent.first,
    quantiles: sent.quantiles,
  };
}
