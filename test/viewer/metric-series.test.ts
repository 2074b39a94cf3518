// What the viewer makes of metrics as they arrive: series, their bounds, and lines over time.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MetricStore } from '#src/viewer/store/metric-store.js';
import { instrumentsView, metricView } from '#src/viewer/views/metrics-view.js';

const START_MS = 1_700_000_000_000;
const nanos = (ms: number) => `${BigInt(ms) * 1_000_000n}`;
const at = (second: number) => START_MS + second * 1000;
const DELTA = 1;
const CUMULATIVE = 2;

type Metrics = Parameters<MetricStore['ingest']>[0];
type Metric = NonNullable<
  NonNullable<NonNullable<Metrics['resourceMetrics']>[number]['scopeMetrics']>[number]['metrics']
>[number];

const text = (key: string, stringValue: string) => ({ key, value: { stringValue } });
function ingest(store: MetricStore, metric: Metric, resource: Record<string, string> = {}): void {
  const attributes = Object.entries({ 'service.name': 'shop', ...resource }).map(([key, value]) => text(key, value));
  store.ingest({ resourceMetrics: [{ resource: { attributes }, scopeMetrics: [{ metrics: [metric] }] }] });
}
const times = (second: number) => ({ timeUnixNano: nanos(at(second)), startTimeUnixNano: nanos(at(0)) });
const gauge = (
  name: string,
  second: number,
  asDouble: number,
  attributes = [] as ReturnType<typeof text>[],
): Metric => ({
  name,
  gauge: { dataPoints: [{ ...times(second), asDouble, attributes }] },
});
const counter = (second: number, asInt: string, aggregationTemporality = CUMULATIVE): Metric => ({
  name: 'orders',
  sum: { isMonotonic: true, aggregationTemporality, dataPoints: [{ ...times(second), asInt }] },
});
const histogram = (second: number, bucketCounts: string[], explicitBounds: number[], sum = 0): Metric => ({
  name: 'duration',
  unit: 's',
  histogram: {
    aggregationTemporality: CUMULATIVE,
    dataPoints: [
      {
        ...times(second),
        count: String(bucketCounts.reduce((all, one) => all + Number(one), 0)),
        sum,
        bucketCounts,
        explicitBounds,
      },
    ],
  },
});
/** The last value of each line, by its label, at `second`. */
function lines(store: MetricStore, query: string, second: number): Record<string, number | null> {
  const view = metricView(store, new URLSearchParams(query), at(second))!;
  return Object.fromEntries(
    view.lines.map(({ label, values }) => [label, values.findLast((value) => value !== null)!]),
  );
}

describe('rates', () => {
  test('a cumulative sum is the growth between two exports, and begins anew with its process', () => {
    const store = new MetricStore();
    ingest(store, counter(10, '100'));
    assert.deepEqual(lines(store, 'name=orders', 10), { shop: 10 });
    ingest(store, counter(20, '150'));
    assert.deepEqual(lines(store, 'name=orders', 20), { shop: 5 });
    ingest(store, counter(30, '20'));
    assert.deepEqual(lines(store, 'name=orders', 30), { shop: 2 });
  });

  test('a delta is what it says, since the export before it', () => {
    const store = new MetricStore();
    ingest(store, counter(10, '100', DELTA));
    ingest(store, counter(20, '30', DELTA));
    assert.deepEqual(lines(store, 'name=orders', 20), { shop: 3 });
  });

  test('what comes twice, or late, changes nothing', () => {
    const store = new MetricStore();
    ingest(store, counter(20, '200'));
    ingest(store, counter(20, '999'));
    ingest(store, counter(10, '999'));
    assert.deepEqual(lines(store, 'name=orders', 20), { shop: 10 });
    assert.equal(store.latest('', 'orders'), 200);
  });

  test('without any time a point is of now', () => {
    const store = new MetricStore();
    ingest(store, { name: 'orders', sum: { isMonotonic: true, dataPoints: [{ asInt: '3' }] } });
    ingest(store, { name: 'empty', gauge: { dataPoints: [{}] } });
    const [series] = store.instruments.get('orders')!.series.values();
    assert.ok(Math.abs(series!.points[0]!.timeMs - Date.now()) < 60_000);
    assert.equal(store.latest('', 'empty'), 0);
  });
});

describe('histograms', () => {
  test('percentiles, mean, rate and total', () => {
    const store = new MetricStore();
    ingest(store, histogram(10, ['10', '0', '10'], [1, 2], 30));
    const value = (stat: string) => lines(store, `name=duration&stat=${stat}`, 10).shop;
    assert.equal(value('p50'), 1);
    assert.equal(value('p99'), 2, 'above the last bound it is that');
    assert.equal(value('mean'), 1.5);
    assert.equal(value('rate'), 2);
    assert.equal(value('total'), 3);
    assert.equal(value('nonsense'), value('p95'));
  });

  test('nothing happened: no duration; no bounds: no percentile', () => {
    const store = new MetricStore();
    ingest(store, histogram(10, ['0', '0'], [1]));
    assert.deepEqual(lines(store, 'name=duration', 10), {});
    const other = new MetricStore();
    ingest(other, histogram(10, ['5'], []));
    assert.deepEqual(lines(other, 'name=duration&stat=p95', 10), {});
    assert.deepEqual(lines(other, 'name=duration&stat=rate', 10), { shop: 0.5 });
  });

  test('other bounds begin another series, and are not added to those of others', () => {
    const store = new MetricStore();
    ingest(store, histogram(10, ['1', '0'], [1]));
    ingest(store, histogram(20, ['0', '2'], [5]));
    assert.equal(store.instruments.get('duration')!.series.size, 1);
    ingest(store, histogram(20, ['4', '0'], [1]), { 'service.instance.id': 'other' });
    assert.deepEqual(lines(store, 'name=duration&by=all&stat=p50', 20), { all: 5 });
  });
});

describe('lines', () => {
  test('by worker, pid or instance, by an attribute, and all together', () => {
    const store = new MetricStore();
    const heap = (resource: Record<string, string>, space: string, value: number) =>
      ingest(store, { ...gauge('heap', 10, value, [text('space', space)]), unit: 'By' }, resource);
    heap({ 'cluster.worker.slot': '2' }, 'new', 1);
    heap({ 'process.pid': '77', 'service.instance.id': 'a' }, 'old', 2);
    heap({ 'service.instance.id': 'b' }, '', 4);
    const found = (by: string) => lines(store, `name=heap&by=${by}`, 10);
    assert.equal(Object.keys(found('worker')).length, 3);
    assert.equal(found('worker')['shop b'], 4);
    assert.deepEqual(found('space'), { '(none)': 4, new: 1, old: 2 });
    assert.deepEqual(found('all'), { all: 7 });
    assert.deepEqual(lines(store, 'name=heap&service=other', 10), {});
  });

  test('shares are not added: their mean is shown', () => {
    const store = new MetricStore();
    for (const [id, value] of [
      ['a', 0.2],
      ['b', 0.4],
    ] as const)
      ingest(store, { ...gauge('utilization', 10, value), unit: '1' }, { 'service.instance.id': id });
    assert.ok(Math.abs(lines(store, 'name=utilization&by=all', 10).all! - 0.3) < 1e-9);
  });

  test('the highest are shown when there are many, and how many are not', () => {
    const store = new MetricStore();
    for (let n = 0; n < 40; n++) ingest(store, gauge('load', 10, n, [text('core', `c${n}`)]));
    const view = metricView(store, new URLSearchParams('name=load&by=core'), at(10))!;
    assert.deepEqual([view.lines.length, view.hidden], [32, 8]);
    assert.ok(!view.lines.some(({ label }) => label === 'c7') && view.lines.some(({ label }) => label === 'c8'));
  });

  test('a line ends when its series has fallen silent, and an unknown instrument has none', () => {
    const store = new MetricStore();
    ingest(store, gauge('load', 10, 1));
    assert.deepEqual(lines(store, 'name=load&window=60000', 10), { shop: 1 });
    assert.deepEqual(lines(store, 'name=load&window=60000', 600), {});
    assert.equal(metricView(store, new URLSearchParams('name=nothing')), undefined);
    assert.equal(metricView(store, new URLSearchParams()), undefined);
  });
});

describe('bounds', () => {
  test('a name that comes with another kind begins anew', () => {
    const store = new MetricStore();
    ingest(store, gauge('orders', 10, 5));
    ingest(store, counter(20, '9'));
    assert.equal(store.instruments.get('orders')!.kind, 'counter');
    assert.equal(store.instruments.get('orders')!.series.size, 1);
    ingest(store, { name: 'summary' });
    assert.equal(store.instruments.get('summary')!.kind, 'other');
  });

  test('instruments beyond a thousand find no room, and older points of a series go first', () => {
    const store = new MetricStore();
    for (let n = 0; n < 1002; n++) ingest(store, gauge(`m${n}`, 10, n));
    assert.deepEqual([store.instruments.size, store.dropped], [1000, 2]);
    for (let second = 11; second < 800; second++) ingest(store, gauge('m0', second, second));
    const { points } = [...store.instruments.get('m0')!.series.values()][0]!;
    assert.ok(points.length <= 720 && points.at(-1)!.value === 799);
    const { instruments, dropped } = instrumentsView(store);
    assert.deepEqual([instruments.length, dropped], [1000, 2]);
    store.clear();
    assert.deepEqual([store.instruments.size, store.latest('', 'm0')], [0, undefined]);
  });

  test('series that have fallen silent go when all points that can be spared are gone', () => {
    const store = new MetricStore();
    const long = 'x'.repeat(2000);
    for (let n = 0; n < 1200; n++) ingest(store, gauge('load', 10, n, [text('id', `${n}${long}`)]));
    assert.ok(store.dropped > 0);
    const kept = store.instruments.get('load')!.series;
    assert.equal(kept.size, 1200 - store.dropped);
    assert.ok(
      [...kept.keys()].some((key) => key.includes('1199x')) && ![...kept.keys()].some((key) => key.includes('id=0x')),
    );
  });
});

test('what a point leaves out is nothing, and one without a time is of now', () => {
  const store = new MetricStore();
  store.ingest({});
  store.ingest({ resourceMetrics: [{}, { scopeMetrics: [{}] }] });
  const before = Date.now();
  ingest(store, { name: 'h', histogram: { aggregationTemporality: DELTA, dataPoints: [{}] } });
  ingest(store, { name: 's', summary: { dataPoints: [{ quantileValues: [{}] }, {}] } });
  ingest(store, { name: 'g', gauge: { dataPoints: [{}] } });
  ingest(store, { name: 'nothing' });
  const of = (name: string) => [...store.instruments.get(name)!.series.values()].flatMap(({ points }) => points);
  for (const name of ['h', 's', 'g']) {
    const [point] = of(name);
    assert.equal(point!.value, 0, name);
    assert.ok(point!.timeMs >= before && point!.timeMs <= Date.now(), name);
  }
  assert.deepEqual(of('s')[0]!.quantiles, [[0, 0]]);
  assert.deepEqual([store.instruments.get('nothing')!.kind, of('nothing')], ['other', []]);
});
