import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNoopMeter, trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  type MetricData,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { Environment } from '#src/config/environment.js';
import { resolveHttp } from '#src/config/http.js';
import { httpMetrics } from '#src/http/http-metrics.js';
import { listen } from './traced-server.js';

function meterProvider() {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  return {
    provider,
    async collect(): Promise<Record<string, MetricData & { scope: string }>> {
      await provider.forceFlush();
      const metrics = exporter
        .getMetrics()
        .at(-1)!
        .scopeMetrics.flatMap(({ scope, metrics }) => metrics.map((metric) => ({ ...metric, scope: scope.name })));
      return Object.fromEntries(metrics.map((metric) => [metric.descriptor.name, metric]));
    },
  };
}

test('duration, active requests and body sizes by the semantic conventions', async (t) => {
  const { provider, collect } = meterProvider();
  t.after(() => provider.shutdown());
  const { request, spans } = await listen(
    t,
    (request, response) => {
      request.resume();
      request.on('end', () => {
        response.statusCode = 503;
        response.write('né');
        response.end('xyz');
      });
    },
    { meterProvider: provider },
  );
  await request('/', { method: 'POST', body: '12345' });
  await spans(1);
  const metrics = await collect();
  const duration = metrics['http.server.request.duration']!;
  assert.equal(duration.descriptor.unit, 's');
  assert.equal(duration.scope, 'forktrace');
  const [point] = duration.dataPoints as {
    attributes: object;
    value: { count: number; sum: number; buckets: { boundaries: number[] } };
  }[];
  assert.deepEqual(point!.attributes, {
    'http.request.method': 'POST',
    'url.scheme': 'http',
    'network.protocol.version': '1.1',
    'http.response.status_code': 503,
    'error.type': '503',
  });
  assert.equal(point!.value.count, 1);
  assert.ok(point!.value.sum > 0 && point!.value.sum < 10);
  assert.deepEqual(
    point!.value.buckets.boundaries,
    [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10],
  );
  assert.equal((metrics['http.server.request.body.size']!.dataPoints[0]!.value as { sum: number }).sum, 5);
  assert.equal((metrics['http.server.response.body.size']!.dataPoints[0]!.value as { sum: number }).sum, 6);
  assert.deepEqual(metrics['http.server.active_requests']!.dataPoints[0]!.attributes, {
    'http.request.method': 'POST',
    'url.scheme': 'http',
  });
  assert.equal(metrics['http.server.active_requests']!.dataPoints[0]!.value, 0);
});

test("measurements are made in the span's context, so that exemplars find it", async (t) => {
  const contexts: unknown[] = [];
  const instrument = {
    record: (_value: number, _attributes: object, context: never) =>
      contexts.push(trace.getSpan(context)?.spanContext().spanId),
    add() {},
  };
  const meter = {
    createCounter: () => instrument,
    createHistogram: () => instrument,
    createUpDownCounter: () => instrument,
  };
  const { request, span } = await listen(t, (_request, response) => response.end(), { meter: meter as never });
  await request('/');
  const { spanId } = (await span()).spanContext();
  assert.deepEqual(contexts, [spanId, spanId, spanId]);
});

test('an excluded request has no metric', async (t) => {
  const { provider, collect } = meterProvider();
  t.after(() => provider.shutdown());
  const { request, spans } = await listen(t, (_request, response) => response.end(), {
    meterProvider: provider,
    excludeUrls: ['/healthz'],
  });
  await request('/healthz');
  await request('/kept');
  await spans(1);
  const { value } = (await collect())['http.server.request.duration']!.dataPoints[0]!;
  assert.equal((value as { count: number }).count, 1);
});

test('without a meter there is nothing to record to', () => {
  assert.equal(httpMetrics(resolveHttp({}, new Environment({}))), undefined);
  assert.equal(httpMetrics(resolveHttp({ meter: createNoopMeter() }, new Environment({}))), undefined);
});
