/**
 * What processes measured: the newest points of each series, ready to be drawn.
 *
 * @module
 */

import { attributesText } from '../../wire/attribute-text.js';
import { encode } from '../../wire/encode.js';
import { Resource } from '../../wire/otlp.js';
import type { KeyValue, MetricsData, OtlpMetric } from '../../wire/otlp-json.js';
import { GRID } from './exponential-grid.js';
import { Interned } from './interned.js';
import {
  type InstrumentKind,
  kindOf,
  type Point,
  pointOf,
  type Sent,
  sentExponential,
  sentHistogram,
  sentNumber,
  sentSummary,
} from './metric-points.js';
import { type ProcessResource, processResource } from './process-resource.js';

export interface Instrument {
  name: string;
  unit: string;
  description: string;
  kind: InstrumentKind;
  /** By process and attributes. */
  series: Map<string, Series>;
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

const DELTA = 1;

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
