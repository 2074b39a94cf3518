/**
 * What processes measured: the newest points of each series, ready to be drawn. Sums become rates and
 * cumulative histograms those of each interval as they arrive, so that whoever draws need not know how they
 * were sent.
 *
 * @module
 */

import { attributesText } from '../../wire/attribute-text.js';
import { encode } from '../../wire/encode.js';
import { Resource } from '../../wire/otlp.js';
import type {
  ExponentialHistogramDataPoint,
  HistogramDataPoint,
  KeyValue,
  MetricsData,
  NumberDataPoint,
  OtlpMetric,
  SummaryDataPoint,
} from '../../wire/otlp-json.js';
import { GRID, onGrid } from './exponential-grid.js';
import { Interned } from './interned.js';
import { type ProcessResource, processResource } from './process-resource.js';

/** `counter` only grows, `updown` does not; `other` has no data. */
export type InstrumentKind = 'gauge' | 'counter' | 'updown' | 'histogram' | 'summary' | 'other';

export interface Instrument {
  name: string;
  unit: string;
  description: string;
  kind: InstrumentKind;
  /** By process and attributes. */
  series: Map<string, Series>;
}

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

export interface Series {
  instrument: Instrument;
  process: ProcessResource;
  attributes: KeyValue[];
  /** Upper bounds of a histogram's buckets but the last, which has none. */
  bounds: readonly number[];
  points: Point[];
  /** As it was sent: what the next one is compared with. */
  last: Sent | undefined;
  bytes: number;
}

interface Sent {
  timeMs: number;
  startMs: number;
  value: number;
  sum: number;
  buckets: Float64Array | undefined;
  first: number;
  quantiles?: Point['quantiles'];
}

const DELTA = 1;
/** No exporter sends more often. */
const LEAST_FIRST_SECONDS = 1;

const MAX_INSTRUMENTS = 1000;
const MAX_POINTS = 720;
const MAX_BYTES = 8 * 1024 * 1024;
/** About what a series takes beside its points. */
const SERIES_BYTES = 900;
const POINT_BYTES = 88;
const QUANTILE_BYTES = 80;

/** Metrics in memory, bounded in bytes: older points go first, then series that have fallen silent. */
export class MetricStore {
  readonly instruments = new Map<string, Instrument>();
  version = 0;
  /** Series that had to go, and instruments that found no room. */
  dropped = 0;
  /** Time of the newest point that had to go: before it, lines have gaps. */
  goneMs: number | undefined;
  /** The longest silent first. */
  readonly #series = new Set<Series>();
  readonly #byInstance = new Map<string, Map<string, Set<Series>>>();
  readonly #resources = new Interned<ProcessResource>(processResource, 4096);
  #bytes = 0;

  ingest(request: MetricsData): void {
    for (const { resource = {}, scopeMetrics = [] } of request.resourceMetrics ?? []) {
      const bytes = encode(resource, Resource);
      const process = this.#resources.get(bytes, 0, bytes.length);
      for (const { metrics = [] } of scopeMetrics) {
        for (const metric of metrics) this.#add(metric, process);
      }
    }
    this.#bound();
    this.version++;
  }

  /** The newest value of `name` that one process sent, as it sent it: of its series the sum. */
  latest(instanceId: string, name: string): number | undefined {
    let total: number | undefined;
    for (const { last } of this.#byInstance.get(instanceId)?.get(name) ?? []) {
      if (last !== undefined) total = (total ?? 0) + last.value;
    }
    return total;
  }

  clear(): void {
    this.instruments.clear();
    this.#series.clear();
    this.#byInstance.clear();
    this.#bytes = 0;
    this.goneMs = undefined;
    this.version++;
  }

  #add(metric: OtlpMetric, process: ProcessResource): void {
    const { name = '', unit = '', description = '' } = metric;
    const kind = kindOf(metric);
    let instrument = this.instruments.get(name);
    if (instrument === undefined || instrument.kind !== kind) {
      if (instrument !== undefined) for (const series of instrument.series.values()) this.#forget(series);
      if (this.instruments.size >= MAX_INSTRUMENTS && instrument === undefined) {
        this.dropped++;
        return;
      }
      instrument = { name, unit, description, kind, series: new Map() };
      this.instruments.set(name, instrument);
    }
    const { gauge, sum, histogram, exponentialHistogram, summary } = metric;
    const delta = (sum ?? histogram ?? exponentialHistogram)?.aggregationTemporality === DELTA;
    for (const point of (gauge ?? sum)?.dataPoints ?? []) {
      this.#take(this.#seriesOf(instrument, process, point, []), sentNumber(point), delta && kind === 'counter');
    }
    for (const point of histogram?.dataPoints ?? []) {
      const bounds = (point.explicitBounds ?? []).map(Number);
      this.#take(this.#seriesOf(instrument, process, point, bounds), sentHistogram(point), delta);
    }
    for (const point of exponentialHistogram?.dataPoints ?? []) {
      this.#take(this.#seriesOf(instrument, process, point, GRID), sentExponential(point), delta);
    }
    for (const point of summary?.dataPoints ?? []) {
      this.#take(this.#seriesOf(instrument, process, point, []), sentSummary(point), false);
    }
  }

  #seriesOf(
    instrument: Instrument,
    process: ProcessResource,
    { attributes = [] }: { attributes?: KeyValue[] },
    bounds: readonly number[],
  ): Series {
    const text = attributesText(attributes);
    const key = JSON.stringify([process.service, process.instanceId, process.host, text]);
    let series = instrument.series.get(key);
    if (series !== undefined && !sameBounds(series.bounds, bounds)) {
      this.#forget(series);
      series = undefined;
    }
    if (series === undefined) {
      const bytes = SERIES_BYTES + 4 * (text.length + key.length);
      series = { instrument, process, attributes, bounds, points: [], last: undefined, bytes };
      instrument.series.set(key, series);
      this.#bytes += bytes;
      const ofProcess = this.#byInstance.get(process.instanceId) ?? new Map<string, Set<Series>>();
      this.#byInstance.set(process.instanceId, ofProcess);
      const named = ofProcess.get(instrument.name) ?? new Set();
      ofProcess.set(instrument.name, named.add(series));
    }
    this.#series.delete(series);
    this.#series.add(series);
    return series;
  }

  #take(series: Series, sent: Sent, delta: boolean): void {
    const { last } = series;
    // Sent again, or late.
    if (last !== undefined && sent.timeMs <= last.timeMs) return;
    series.last = sent;
    series.points.push(pointOf(series.instrument.kind, sent, last, delta));
    const size = sizeOf(series.points.at(-1)!);
    series.bytes += size;
    this.#bytes += size;
    if (series.points.length > MAX_POINTS) this.#keep(series, MAX_POINTS * 0.9);
  }

  #keep(series: Series, count: number): void {
    for (const point of series.points.splice(0, series.points.length - Math.ceil(count))) {
      const size = sizeOf(point);
      series.bytes -= size;
      this.#bytes -= size;
      this.goneMs = Math.max(this.goneMs ?? 0, point.timeMs);
    }
  }

  #bound(): void {
    if (this.#bytes <= MAX_BYTES) return;
    for (const series of this.#series) this.#keep(series, series.points.length / 2);
    for (const series of this.#series) {
      if (this.#bytes <= MAX_BYTES) return;
      this.#forget(series);
      this.dropped++;
      this.goneMs = Math.max(this.goneMs ?? 0, series.last?.timeMs ?? 0);
    }
  }

  #forget(series: Series): void {
    this.#series.delete(series);
    this.#bytes -= series.bytes;
    const { instrument, process } = series;
    for (const [key, other] of instrument.series) if (other === series) instrument.series.delete(key);
    const ofProcess = this.#byInstance.get(process.instanceId);
    const named = ofProcess?.get(instrument.name);
    named?.delete(series);
    if (named?.size === 0) ofProcess!.delete(instrument.name);
    if (ofProcess?.size === 0) this.#byInstance.delete(process.instanceId);
  }
}

/** Of two series whose buckets can be added. */
export function sameBounds(a: readonly number[], b: readonly number[]): boolean {
  return a === b || (a.length === b.length && a.every((bound, at) => bound === b[at]));
}

function sizeOf({ buckets, quantiles }: Point): number {
  return POINT_BYTES + (buckets?.byteLength ?? 0) + (quantiles?.length ?? 0) * QUANTILE_BYTES;
}

function kindOf({ gauge, sum, histogram, exponentialHistogram, summary }: OtlpMetric): InstrumentKind {
  if (gauge !== undefined) return 'gauge';
  if (sum !== undefined) return sum.isMonotonic ? 'counter' : 'updown';
  if (summary !== undefined) return 'summary';
  return (histogram ?? exponentialHistogram) === undefined ? 'other' : 'histogram';
}

const milliseconds = (nanos: string | undefined) => Number(nanos ?? 0) / 1e6;

function sentNumber({ timeUnixNano, startTimeUnixNano, asInt, asDouble }: NumberDataPoint): Sent {
  return {
    timeMs: milliseconds(timeUnixNano) || Date.now(),
    startMs: milliseconds(startTimeUnixNano),
    value: Number(asInt ?? asDouble ?? 0),
    sum: 0,
    buckets: undefined,
    first: 0,
  };
}

function sentHistogram(point: HistogramDataPoint): Sent {
  return { ...sentCount(point), buckets: Float64Array.from(point.bucketCounts ?? [], Number), first: 0 };
}

function sentExponential(point: ExponentialHistogramDataPoint): Sent {
  const { first, counts } = onGrid(point);
  return { ...sentCount(point), buckets: counts, first };
}

function sentSummary(point: SummaryDataPoint): Sent {
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
function pointOf(kind: InstrumentKind, sent: Sent, last: Sent | undefined, delta: boolean): Point {
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
