import { valueText } from '../../wire/attribute-text.js';
import type { InstrumentsView, InstrumentView, MetricLineView, MetricView } from '../api-types/metrics.js';
import type { Point } from '../store/metric-points.js';
import { type Instrument, type MetricStore, type Series, sameBounds } from '../store/metric-store.js';
import { preparedCharts } from './prepared-charts.js';

const DEFAULT_WINDOW_MS = 15 * 60_000;
/** Columns of a plot: about one in four pixels. */
const COLUMNS = 240;
const LEAST_STEP_MS = 1000;
/** Lines that can be told apart, more or less; those with the highest values stay. */
const MAX_LINES = 32;
/** A point stands for so many of its intervals, unless another comes: an export may be late. */
const INTERVALS = 2.5;
/** Of a first point, whose interval is not known yet. */
const UNKNOWN_SECONDS = 10;

/** What has been measured. */
export function instrumentsView(store: MetricStore): InstrumentsView {
  const instruments = [...store.instruments.values()].map((instrument): InstrumentView => {
    const { name, unit, description, kind, series } = instrument;
    const attributes = new Set<string>();
    const services = new Set<string>();
    for (const one of series.values()) {
      services.add(one.process.service);
      for (const { key = '' } of one.attributes) attributes.add(key);
    }
    return {
      name,
      unit,
      description,
      kind,
      series: series.size,
      attributes: [...attributes].sort(),
      services: [...services].sort(),
    };
  });
  const prepared = preparedCharts((name) => store.instruments.has(name));
  const { dropped, goneMs } = store;
  return { prepared, instruments: instruments.sort((a, b) => (a.name < b.name ? -1 : 1)), dropped, goneMs };
}

type Stat = MetricView['stat'];
const SHARES: Partial<Record<Stat, number>> = { p50: 0.5, p95: 0.95, p99: 0.99 };

/**
 * One instrument over time as lines: `by` worker (the default), `all`, or the key of an attribute; of a
 * histogram or summary `stat` p50, p95, p99, mean, rate or total; of the last `window` milliseconds.
 *
 * @returns undefined when there is no such instrument
 */
export function metricView(store: MetricStore, query: URLSearchParams, now = Date.now()): MetricView | undefined {
  const instrument = store.instruments.get(query.get('name') ?? '');
  if (instrument === undefined) return undefined;
  const windowMs = Math.max(60_000, Number(query.get('window')) || DEFAULT_WINDOW_MS);
  const service = query.get('service') || undefined;
  const by = query.get('by') || 'worker';
  const stat = statOf(instrument, query.get('stat'));
  const stepMs = Math.max(LEAST_STEP_MS, windowMs / COLUMNS);
  const toMs = Math.ceil(now / stepMs) * stepMs;
  const times = Array.from({ length: Math.round(windowMs / stepMs) + 1 }, (_, n) => toMs - windowMs + n * stepMs);

  const groups = new Map<string, { slot: number | undefined; series: Series[] }>();
  for (const series of instrument.series.values()) {
    if (service !== undefined && series.process.service !== service) continue;
    const label = labelOf(series, by);
    const group = groups.get(label);
    if (group === undefined) {
      groups.set(label, { slot: by === 'worker' ? series.process.slot : undefined, series: [series] });
    } else group.series.push(series);
  }
  const lines: MetricLineView[] = [];
  for (const [label, { slot, series }] of groups) {
    const values = lineOf(instrument, stat, series, { times, stepMs, now });
    if (values.some((value) => value !== null)) lines.push({ label, slot, values });
  }
  const highest = ({ values }: MetricLineView) => Math.max(...values.map((value) => value ?? Number.NEGATIVE_INFINITY));
  const shown = lines.length <= MAX_LINES ? lines : lines.sort((a, b) => highest(b) - highest(a)).slice(0, MAX_LINES);
  const { name, unit, description, kind } = instrument;
  return {
    name,
    unit,
    description,
    kind,
    stat,
    perSecond: stat === 'rate' || stat === 'total',
    times,
    lines: shown.sort((a, b) => a.label.localeCompare(b.label, 'en', { numeric: true })),
    hidden: lines.length - shown.length,
  };
}

function statOf({ kind }: Instrument, wanted: string | null): Stat {
  if (kind === 'counter') return 'rate';
  if (kind !== 'histogram' && kind !== 'summary') return 'value';
  return (['p50', 'p95', 'p99', 'mean', 'rate', 'total'] as const).find((one) => one === wanted) ?? 'p95';
}

function labelOf({ process, attributes }: Series, by: string): string {
  if (by === 'all') return 'all';
  if (by !== 'worker') return valueText(attributes.find(({ key }) => key === by)?.value) || '(none)';
  const { service, slot, pid, instanceId } = process;
  if (slot !== undefined) return `${service} · slot ${slot}`;
  return pid === undefined ? `${service} ${instanceId}`.trim() : `${service} · pid ${pid}`;
}

/** The value of several series together, at each of `times`; null where none has one. */
function lineOf(
  instrument: Instrument,
  stat: Stat,
  all: Series[],
  { times, stepMs, now }: { times: number[]; stepMs: number; now: number },
): (number | null)[] {
  const cursors = all.map(() => -1);
  return times.map((timeMs) => {
    if (timeMs > now + stepMs) return null;
    const points: Point[] = [];
    let bounds: readonly number[] = [];
    for (const [index, series] of all.entries()) {
      let at = cursors[index]!;
      while (at + 1 < series.points.length && series.points[at + 1]!.timeMs <= timeMs) at++;
      cursors[index] = at;
      const point = series.points[at];
      if (point === undefined) continue;
      const stands = Math.max(INTERVALS * (point.seconds || UNKNOWN_SECONDS) * 1000, INTERVALS * stepMs);
      if (timeMs - point.timeMs > stands) continue;
      // Other bounds cannot be added to these.
      if (points.length > 0 && !sameBounds(series.bounds, bounds)) continue;
      points.push(point);
      bounds = series.bounds;
    }
    return points.length === 0 ? null : together(instrument, stat, points, bounds);
  });
}

function together(instrument: Instrument, stat: Stat, points: Point[], bounds: readonly number[]): number | null {
  const total = points.reduce((sum, { value }) => sum + value, 0);
  if (stat === 'rate') return total;
  const sum = () => points.reduce((all, point) => all + (point.sum ?? 0), 0);
  if (stat === 'total') return sum();
  if (stat === 'value') return isAdditive(instrument) ? total : total / points.length;
  // Nothing happened: no duration.
  if (total === 0) return null;
  if (stat === 'mean') return sum() / total;
  // Summaries cannot be added: the highest of them is what none exceeds.
  const ofSummaries = points.flatMap(({ quantiles = [] }) => quantileShare(quantiles, SHARES[stat]!) ?? []);
  if (instrument.kind === 'summary') return ofSummaries.length === 0 ? null : Math.max(...ofSummaries);
  const buckets = new Float64Array(bounds.length + 1);
  for (const point of points) {
    for (const [at, count] of (point.buckets ?? []).entries()) buckets[at + point.first]! += count;
  }
  return bucketShare(buckets, bounds, SHARES[stat]!);
}

/** Parts of one thing may be added, as bytes of several heaps; shares and temperatures may not. */
function isAdditive({ kind, unit }: Instrument): boolean {
  return kind === 'updown' || unit === 'By' || /^\{.+\}$/.test(unit);
}

/** Between two quantiles that were sent, values are taken to lie evenly; beyond them nothing is known. */
function quantileShare(quantiles: readonly [share: number, value: number][], share: number): number | undefined {
  const above = quantiles.findIndex(([sent]) => sent >= share);
  const [high, highValue] = quantiles[above] ?? [];
  if (high === undefined || highValue === undefined) return undefined;
  const [low, lowValue] = quantiles[above - 1] ?? [];
  if (high === share || low === undefined || lowValue === undefined) return high === share ? highValue : undefined;
  return lowValue + (highValue - lowValue) * ((share - low) / (high - low));
}

/**
 * Within its bucket a value is taken to be anywhere with equal likelihood; above the last bound it is that.
 */
function bucketShare(buckets: Float64Array, bounds: readonly number[], share: number): number | null {
  const total = buckets.reduce((sum, count) => sum + count, 0);
  if (total === 0 || bounds.length === 0) return null;
  let left = total * share;
  for (const [at, count] of buckets.entries()) {
    if (left > count || count === 0) {
      left -= count;
      continue;
    }
    const high = bounds[at];
    if (high === undefined) return bounds.at(-1)!;
    const low = at === 0 ? Math.min(0, high) : bounds[at - 1]!;
    return low + (high - low) * (left / count);
  }
  return bounds.at(-1)!;
}
