import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import {
  AggregationTemporality,
  AggregationType,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import type { Page } from 'playwright-core';
import type { InstrumentsView, MetricView } from '#src/viewer/api-types/metrics.js';
import type { StateView } from '#src/viewer/api-types/state.js';
import { startViewer, type Viewer } from '#src/viewer/start.js';
import { MetricStore } from '#src/viewer/store/metric-store.js';
import type { HistogramDataPoint, NumberDataPoint, OtlpMetric } from '#src/wire/otlp-json.js';
import { axeFindings, type Browser, launch, noChromium } from './chromium.js';
import { workerResource } from './cluster-feed.js';
import { keyValues, type Plain } from './otlp-feed.js';

const DELTA = 1;
const CUMULATIVE = 2;
/** Long, so that the newest stays the newest while a busy machine takes its time. */
const INTERVAL_MS = 60_000;
const BOUNDS = [0.01, 0.1, 1];
const now = Date.now();
const start = now - 10 * INTERVAL_MS;

describe("the viewer's metrics", { skip: noChromium() }, () => {
  let viewer: Viewer;
  let browser: Browser;
  let page: Page;

  before(async () => {
    viewer = await startViewer({ httpPort: 0, grpcPort: 0 });
    for (const slot of [0, 1]) await feedWorker(slot);
    browser = await launch(viewer.otlpHttpUrl);
    page = await browser.open(`${viewer.otlpHttpUrl}/metrics`);
  });
  after(async () => {
    await browser.close();
    await viewer.close();
  });

  async function post(resource: Record<string, Plain>, metrics: OtlpMetric[]): Promise<void> {
    const response = await fetch(`${viewer.otlpHttpUrl}/v1/metrics`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        resourceMetrics: [{ resource: { attributes: keyValues(resource) }, scopeMetrics: [{ metrics }] }],
      }),
    });
    assert.equal(response.status, 200, await response.text());
  }

  const nanos = (ms: number) => `${Math.round(ms)}000000`;
  const at = (n: number, startMs = start) => ({
    startTimeUnixNano: nanos(startMs),
    timeUnixNano: nanos(start + n * INTERVAL_MS),
  });

  /** Ten exports: a slot serves 10 or 20 requests a second, one of ten in the bucket up to a second. */
  async function feedWorker(slot: number): Promise<void> {
    const perExport = 600 * (slot + 1);
    for (let n = 1; n <= 10; n++) {
      const requests = (route: string, share: number): HistogramDataPoint => {
        const count = perExport * share * n;
        return {
          ...at(n),
          count: String(count),
          sum: count * 0.05,
          bucketCounts: ['0', String(count * 0.9), String(count * 0.1), '0'],
          explicitBounds: BOUNDS,
          attributes: keyValues({ 'http.route': route, 'http.response.status_code': 200 }),
        };
      };
      const heap = (space: string, bytes: number): NumberDataPoint => ({
        ...at(n),
        asInt: String(bytes),
        attributes: keyValues({ 'v8js.heap.space.name': space }),
      });
      // The second half of the counter's life is another one's, which counts from zero.
      const counted = n <= 5 ? n * 300 : (n - 5) * 300;
      await post(workerResource({ slot, incarnation: 0, pid: 50 + slot }), [
        {
          name: 'http.server.request.duration',
          unit: 's',
          description: 'Duration of requests.',
          histogram: {
            aggregationTemporality: CUMULATIVE,
            dataPoints: [requests('/cart', 0.4), requests('/checkout', 0.6)],
          },
        },
        {
          name: 'v8js.memory.heap.used',
          unit: 'By',
          gauge: { dataPoints: [heap('new_space', 1024 * 1024), heap('old_space', 3 * 1024 * 1024)] },
        },
        {
          name: 'nodejs.eventloop.utilization',
          unit: '1',
          gauge: { dataPoints: [{ ...at(n), asDouble: 0.25 * (slot + 1) }] },
        },
        {
          name: 'jobs.done',
          unit: '{job}',
          sum: {
            aggregationTemporality: CUMULATIVE,
            isMonotonic: true,
            dataPoints: [{ ...at(n, n <= 5 ? start : start + 5 * INTERVAL_MS), asInt: String(counted) }],
          },
        },
        {
          name: 'jobs.delta',
          sum: {
            aggregationTemporality: DELTA,
            isMonotonic: true,
            dataPoints: [{ ...at(n, start + (n - 1) * INTERVAL_MS), asInt: '300' }],
          },
        },
      ]);
    }
  }

  const ask = async <View>(path: string) => (await (await fetch(`${viewer.otlpHttpUrl}${path}`)).json()) as View;
  /** The newest value of each line. */
  async function newest(query: Record<string, string>): Promise<Record<string, number>> {
    const view = await ask<MetricView>(`/api/metric?${new URLSearchParams({ window: '300000', ...query })}`);
    return Object.fromEntries(
      view.lines.map(({ label, values }) => [
        label,
        Number(values.findLast((value) => value !== null)!.toPrecision(9)),
      ]),
    );
  }
  const HTTP = 'http.server.request.duration';

  it('are by worker, by an attribute or all together, as rates, means and percentiles', async () => {
    assert.deepEqual(await newest({ name: HTTP, stat: 'rate' }), { 'shop · slot 0': 10, 'shop · slot 1': 20 });
    assert.deepEqual(await newest({ name: HTTP, stat: 'rate', by: 'all' }), { all: 30 });
    assert.deepEqual(await newest({ name: HTTP, stat: 'rate', by: 'http.route' }), { '/cart': 12, '/checkout': 18 });
    assert.deepEqual(await newest({ name: HTTP, stat: 'mean', by: 'all' }), { all: 0.05 });
    assert.deepEqual(await newest({ name: HTTP, stat: 'total', by: 'all' }), { all: 1.5 });
    // Nine of ten lie in 10–100 ms, the tenth in 0.1–1 s.
    assert.deepEqual(await newest({ name: HTTP, stat: 'p95', by: 'all' }), { all: 0.55 });
    assert.deepEqual(await newest({ name: HTTP, stat: 'p50', by: 'all' }), { all: 0.06 });
  });

  it('add what is part of a whole, and average what is a share', async () => {
    const mebi = 1024 * 1024;
    assert.deepEqual(await newest({ name: 'v8js.memory.heap.used', by: 'all' }), { all: 8 * mebi });
    assert.deepEqual(await newest({ name: 'v8js.memory.heap.used' }), {
      'shop · slot 0': 4 * mebi,
      'shop · slot 1': 4 * mebi,
    });
    assert.deepEqual(await newest({ name: 'nodejs.eventloop.utilization', by: 'all' }), { all: 0.375 });
  });

  it('are rates however a counter is sent, also over its restart', async () => {
    for (const name of ['jobs.done', 'jobs.delta']) {
      const view = await ask<MetricView>(`/api/metric?name=${name}&window=900000&by=all`);
      const values = view.lines[0]!.values.filter((value) => value !== null).map((value) => Math.round(value));
      assert.ok(values.length > 20);
      assert.deepEqual(
        [...new Set(values)].filter((value) => value !== 5 && value !== 10),
        [],
        `${name}: ${values}`,
      );
      assert.equal(values.at(-1), 10, name);
    }
  });

  it('are no burst when a first value is sent at once', async () => {
    const sum = (startMs: number) => ({
      aggregationTemporality: CUMULATIVE,
      isMonotonic: true,
      dataPoints: [{ startTimeUnixNano: nanos(startMs), timeUnixNano: nanos(now), asInt: '1' }],
    });
    await post(workerResource({ slot: 0, incarnation: 0, pid: 50 }), [{ name: 'jobs.first', sum: sum(now - 1) }]);
    assert.deepEqual(await newest({ name: 'jobs.first' }), { 'shop · slot 0': 1 });
  });

  it('come from the OpenTelemetry SDK, in either temporality', async () => {
    for (const temporalityPreference of [AggregationTemporality.CUMULATIVE, AggregationTemporality.DELTA]) {
      const reader = new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({ url: `${viewer.otlpHttpUrl}/v1/metrics`, temporalityPreference }),
        exportIntervalMillis: 3_600_000,
      });
      const provider = new MeterProvider({
        readers: [reader],
        resource: resourceFromAttributes({ 'service.name': `sdk-${temporalityPreference}` }),
      });
      const meter = provider.getMeter('test');
      const counter = meter.createCounter('sdk.counter');
      const histogram = meter.createHistogram('sdk.histogram', { unit: 's' });
      for (let n = 0; n < 2; n++) {
        counter.add(3);
        histogram.record(0.2);
        await provider.forceFlush();
      }
      await provider.shutdown();
    }
    const { instruments } = await ask<InstrumentsView>('/api/metrics');
    const counter = instruments.find(({ name }) => name === 'sdk.counter')!;
    assert.deepEqual([counter.kind, counter.series, counter.services], ['counter', 2, ['sdk-0', 'sdk-1']]);
    assert.equal(instruments.find(({ name }) => name === 'sdk.histogram')!.kind, 'histogram');
  });

  it('are exponential histograms of any scale, together', async () => {
    const exponential = (scale: number, offset: number, counts: number[], n: number) => ({
      ...at(n),
      count: String(n * counts.reduce((sum, count) => sum + count, 0)),
      sum: n * 60,
      scale,
      positive: { offset, bucketCounts: counts.map((count) => String(count * n)) },
    });
    const send = (slot: number, point: object) =>
      post(workerResource({ slot, incarnation: 0, pid: 50 + slot }), [
        {
          name: 'queue.wait',
          unit: 's',
          exponentialHistogram: { aggregationTemporality: CUMULATIVE, dataPoints: [point] },
        },
      ]);
    for (let n = 9; n <= 10; n++) {
      // 540 values in 1–2 and 60 in 2–4; then the same on a scale four times as fine.
      await send(0, exponential(0, 0, [540, 60], n));
      await send(1, exponential(2, 0, [135, 135, 135, 135, 15, 15, 15, 15], n));
    }
    assert.deepEqual(await newest({ name: 'queue.wait', stat: 'rate', by: 'all' }), { all: 20 });
    assert.deepEqual(await newest({ name: 'queue.wait', stat: 'mean', by: 'all' }), { all: 0.1 });
    for (const [stat, least, most] of [
      ['p50', 1, 2],
      ['p95', 2, 4],
    ] as const) {
      const values = Object.values(await newest({ name: 'queue.wait', stat }));
      assert.equal(values.length, 2);
      for (const value of values) assert.ok(value > least && value < most, `${stat} ${values}`);
    }
    const { instruments } = await ask<InstrumentsView>('/api/metrics');
    assert.equal(instruments.find(({ name }) => name === 'queue.wait')!.kind, 'histogram');
  });

  it('are those of the interval when an exponential histogram grows on either side', () => {
    const store = new MetricStore();
    const resource = { attributes: keyValues({ 'service.name': 'shop' }) };
    for (const [n, offset, counts] of [
      [1, 0, [10, 10]],
      [2, -1, [5, 10, 30, 5]],
    ] as const) {
      const positive = { offset, bucketCounts: counts.map(String) };
      const count = String(counts.reduce((sum, one) => sum + one, 0));
      const dataPoints = [{ ...at(n), count, sum: 0, scale: 2, positive }];
      const metrics = [{ name: 'x', exponentialHistogram: { aggregationTemporality: CUMULATIVE, dataPoints } }];
      store.ingest({ resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] });
    }
    const [series] = store.instruments.get('x')!.series.values();
    const { buckets, seconds } = series!.points.at(-1)!;
    assert.deepEqual(
      Array.from(buckets!, (perSecond) => Math.round(perSecond * seconds)),
      [5, 0, 20, 5],
    );
  });

  it('come as exponential histograms from the OpenTelemetry SDK', async () => {
    const reader = new PeriodicExportingMetricReader({
      exporter: new OTLPMetricExporter({ url: `${viewer.otlpHttpUrl}/v1/metrics` }),
      exportIntervalMillis: 3_600_000,
    });
    const aggregation = { type: AggregationType.EXPONENTIAL_HISTOGRAM } as const;
    const resource = resourceFromAttributes({ 'service.name': 'exponential' });
    const views = [{ instrumentName: '*', aggregation }];
    const provider = new MeterProvider({ readers: [reader], resource, views });
    const histogram = provider.getMeter('test').createHistogram('exponential.size', { unit: 'By' });
    for (let n = 1; n <= 100; n++) histogram.record(n * 1000);
    histogram.record(0);
    await provider.shutdown();
    const view = await ask<MetricView>('/api/metric?name=exponential.size&stat=p50&by=all&window=900000');
    const value = view.lines[0]!.values.findLast((one) => one !== null)!;
    assert.ok(value > 40_000 && value < 60_000, `${value}`);
  });

  it('are summaries: rates, means, and percentiles as they were sent', async () => {
    for (let n = 9; n <= 10; n++) {
      const quantileValues = [
        [0.5, 0.2],
        [0.9, 0.4],
        [0.99, 1.3],
      ].map(([quantile, value]) => ({ quantile, value }));
      const dataPoints = [{ ...at(n), count: String(n * 120), sum: n * 30, quantileValues }];
      await post(workerResource({ slot: 0, incarnation: 0, pid: 50 }), [{ name: 'rpc.time', summary: { dataPoints } }]);
    }
    const shown = async (stat: string) => (await newest({ name: 'rpc.time', stat }))['shop · slot 0'];
    assert.deepEqual(
      [await shown('rate'), await shown('mean'), await shown('p50'), await shown('p95'), await shown('p99')],
      [2, 0.25, 0.2, 0.9, 1.3],
    );
    await page.goto(`${viewer.otlpHttpUrl}/metrics?name=rpc.time&stat=p99`);
    await page.getByRole('region', { name: 'rpc.time' }).getByText('1.3').first().waitFor();
  });

  it('have a prepared page for HTTP and the runtime', async () => {
    await page.goto(`${viewer.otlpHttpUrl}/metrics?window=300000`);
    const chart = page.getByRole('region', { name: 'Requests per second, by worker' });
    await chart.getByRole('button', { name: 'shop · slot 1 20/s' }).waitFor();
    await page
      .getByRole('region', { name: '95th percentile of the duration, by route' })
      .getByRole('button', { name: '/checkout 550 ms' })
      .waitFor();
    await page.getByRole('region', { name: 'Event loop utilisation' }).getByText('50 %').waitFor();
    await page
      .getByRole('region', { name: 'Heap used' })
      .getByRole('button', { name: 'shop · slot 0 4 MiB' })
      .waitFor();
    // Drawn, not only listed.
    const colours = await chart.locator('canvas').evaluate((canvas) => {
      const { width, height } = canvas as unknown as { width: number; height: number };
      const context = (
        canvas as unknown as { getContext(kind: '2d'): { getImageData(...box: number[]): { data: number[] } } }
      ).getContext('2d');
      const { data } = context.getImageData(0, 0, width, height);
      const seen = new Set<string>();
      for (let at = 0; at < data.length; at += 4)
        if (data[at + 3] === 255) seen.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
      return seen.has('79,111,216') && seen.has('31,143,131');
    });
    assert.ok(colours, 'the lines of both slots');
  });

  it('say since when there are any: the viewer runs, or points had to go', async () => {
    const { startedMs } = (await (await fetch(`${viewer.otlpHttpUrl}/api/state`)).json()) as StateView;
    const timeOf = (ms: number) => new Date(ms).toTimeString().slice(0, 8);
    await page.goto(`${viewer.otlpHttpUrl}/metrics?window=900000`);
    const note = page.getByRole('note').filter({ hasText: 'since' });
    await note.getByText(`since ${timeOf(startedMs)}: the viewer has nothing older`).waitFor();
    const now = Date.now();
    const dataPoints = Array.from({ length: 721 }, (_, n) => ({ timeUnixNano: nanos(now + n * 1000), asInt: '1' }));
    await post({ 'service.name': 'often' }, [{ name: 'many', gauge: { dataPoints } }]);
    // A tenth went with the one that was too many.
    await note.getByText(`since ${timeOf(now + 72_000)}: memory has no older points`).waitFor();
    assert.equal((await fetch(`${viewer.otlpHttpUrl}/api/metric?name=many`)).status, 200);
  });

  it('are picked by instrument, and kept in the address', async () => {
    await page.goto(`${viewer.otlpHttpUrl}/metrics?window=300000`);
    await page.getByLabel('Instrument').selectOption(HTTP);
    await page.getByText('Duration of requests.').waitFor();
    await page.getByLabel('Show').selectOption('rate');
    await page.getByLabel('By', { exact: true }).selectOption('http.route');
    await page.getByRole('button', { name: '/cart 12/s' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: '/cart 12/s' }).click();
    await page.locator('.chart-legend [aria-pressed=false]').waitFor();
  });

  it('have no accessibility issue, and fit a phone', async () => {
    for (const [width, height] of [
      [1280, 800],
      [390, 844],
    ] as const) {
      await page.setViewportSize({ width, height });
      for (const path of ['/metrics?window=300000', `/metrics?window=300000&name=${HTTP}`]) {
        await page.goto(`${viewer.otlpHttpUrl}${path}`);
        await page.locator('.chart canvas').first().waitFor();
        assert.deepEqual(await axeFindings(page), [], path);
        const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
        assert.ok(wide <= 0, `${path} is ${wide} pixels too wide`);
      }
    }
  });

  it('broke no policy, logged no error, asked nobody else', () => {
    assert.deepEqual(browser.offences, []);
  });
});
