import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { type Attributes, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-proto';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as HttpExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics';
import {
  BasicTracerProvider,
  InMemorySpanExporter,
  type ReadableSpan,
  SimpleSpanProcessor,
  type SpanExporter,
} from '@opentelemetry/sdk-trace-base';
import { waitFor } from '../process/wait-for.js';
import { OtlpEndpoint } from './endpoint.js';

const traceId = '0af7651916cd43dd8448eb211c80319c';
const spanId = 'b7ad6b7169203331';

function makeSpans(count: number, attributes: Attributes = {}): ReadableSpan[] {
  const memory = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({ 'service.name': 'bench', 'process.pid': 7 }),
    spanProcessors: [new SimpleSpanProcessor(memory)],
  });
  const tracer = provider.getTracer('bench-scope', '1.2.3');
  for (let n = 0; n < count; n++) {
    const span = tracer.startSpan(`span ${n}`, {
      kind: SpanKind.SERVER,
      attributes,
      startTime: [1_700_000_000, 123_456_789],
      links: [{ context: { traceId, spanId, traceFlags: TraceFlags.SAMPLED }, attributes: { why: 'test' } }],
    });
    span.addEvent('happened', { n }, [1_700_000_000, 200_000_000]);
    span.setStatus({ code: SpanStatusCode.ERROR, message: 'bad' });
    span.end([1_700_000_001, 1]);
  }
  return memory.getFinishedSpans();
}

function exporter(t: TestContext, made: SpanExporter) {
  t.after(() => made.shutdown());
  return (spans: ReadableSpan[]) => new Promise<ExportResult>((resolve) => made.export(spans, resolve));
}

const grpc = (t: TestContext, endpoint: OtlpEndpoint, timeoutMillis = 10_000) =>
  exporter(t, new GrpcExporter({ url: endpoint.grpcUrl, credentials: credentials.createInsecure(), timeoutMillis }));

const http = (t: TestContext, endpoint: OtlpEndpoint, options: { compression?: 'gzip'; timeoutMillis?: number } = {}) =>
  exporter(t, new HttpExporter({ url: endpoint.httpUrl, ...(options as object), headers: { 'x-tenant': 'a' } }));

test('a span keeps every field over gRPC', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const attributes = { text: 'é', whole: 42, real: 0.5, yes: true, list: ['a', 'b'] };
  const [sent] = makeSpans(1, attributes);
  assert.equal((await grpc(t, endpoint)([sent!])).code, ExportResultCode.SUCCESS);
  const [span] = await endpoint.waitForSpans(1);
  assert.deepEqual(span, {
    resource: { 'service.name': 'bench', 'process.pid': 7 },
    scope: { name: 'bench-scope', version: '1.2.3', attributes: {} },
    schemaUrl: '',
    traceId: sent!.spanContext().traceId,
    spanId: sent!.spanContext().spanId,
    parentSpanId: '',
    traceState: '',
    name: 'span 0',
    kind: 2,
    start: 1_700_000_000_123_456_789n,
    end: 1_700_000_001_000_000_001n,
    attributes,
    status: { code: 2, message: 'bad' },
    events: [{ name: 'happened', time: 1_700_000_000_200_000_000n, attributes: { n: 0 }, droppedAttributesCount: 0 }],
    links: [
      {
        traceId,
        spanId,
        traceState: '',
        flags: span!.links[0]!.flags,
        attributes: { why: 'test' },
        droppedAttributesCount: 0,
      },
    ],
    flags: span!.flags,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  });
  assert.equal(span!.flags & 1, 1);
});

test('spans arrive over HTTP, plain and compressed, with their headers', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  await http(t, endpoint)(makeSpans(2));
  await http(t, endpoint, { compression: 'gzip' })(makeSpans(3));
  await endpoint.waitForSpans(5);
  const [plain, compressed] = endpoint.requests;
  assert.equal(plain!.protocol, 'http');
  assert.equal(plain!.headers['x-tenant'], 'a');
  assert.equal(plain!.headers['content-encoding'], undefined);
  assert.equal(compressed!.headers['content-encoding'], 'gzip');
  assert.deepEqual(
    endpoint.received().map((span) => span.name),
    ['span 0', 'span 1', 'span 0', 'span 1', 'span 2'],
  );
});

test('metrics arrive with their resource and points', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const reader = new PeriodicExportingMetricReader({
    exporter: new OTLPMetricExporter({ url: `${endpoint.httpBaseUrl}/v1/metrics` }),
    exportIntervalMillis: 60_000,
  });
  const provider = new MeterProvider({ resource: resourceFromAttributes({ 'service.name': 'm' }), readers: [reader] });
  t.after(() => provider.shutdown());
  const meter = provider.getMeter('meter');
  meter.createCounter('served', { unit: '{request}' }).add(3, { route: '/' });
  meter.createHistogram('duration', { unit: 's' }).record(0.25);
  await provider.forceFlush();
  const metrics = await endpoint.waitForMetrics((received) => received.length >= 2);
  const [served, duration] = metrics;
  assert.deepEqual(served!.resource, { 'service.name': 'm' });
  assert.equal(served!.type, 'sum');
  assert.equal(served!.unit, '{request}');
  assert.equal(served!.points[0]!.value, 3);
  assert.deepEqual(served!.points[0]!.attributes, { route: '/' });
  assert.equal(duration!.points[0]!.count, 1);
  assert.equal(duration!.points[0]!.sum, 0.25);
});

test('an error is answered as often as asked, and nothing is kept of what it refused', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const send = grpc(t, endpoint);
  endpoint.answerWith({ answer: 'invalid-argument' }, 2);
  for (const expected of [status.INVALID_ARGUMENT, status.INVALID_ARGUMENT]) {
    const result = await send(makeSpans(1));
    assert.equal(result.code, ExportResultCode.FAILED);
    assert.equal((result.error as unknown as { code: number }).code, expected);
  }
  assert.equal((await send(makeSpans(1))).code, ExportResultCode.SUCCESS);
  assert.equal(endpoint.received().length, 1);
  assert.deepEqual(
    endpoint.requests.map((request) => request.answer),
    ['invalid-argument', 'invalid-argument', 'ok'],
  );
});

test('429 and 503 with Retry-After make the official exporter wait that long', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  for (const answer of ['resource-exhausted', 'unavailable'] as const) {
    endpoint.clear();
    endpoint.answerWith({ answer, retryAfterMs: 1000 }, 1);
    assert.equal((await http(t, endpoint)(makeSpans(1))).code, ExportResultCode.SUCCESS);
    const [first, second] = endpoint.requests;
    assert.ok(second!.at - first!.at >= 950, `${second!.at - first!.at} ms`);
  }
});

test('gRPC errors carry their code, and RetryInfo when it is asked for', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  // The official gRPC exporter retries nothing, and says why only in the error.
  const fail = async () => {
    const { error } = await grpc(t, endpoint)(makeSpans(1));
    const { code, metadata } = error as unknown as ServiceError;
    return { code, details: metadata.get('grpc-status-details-bin')[0] as Buffer | undefined };
  };
  endpoint.answerWith({ answer: 'unavailable' }, 1);
  assert.deepEqual(await fail(), { code: status.UNAVAILABLE, details: undefined });
  endpoint.answerWith({ answer: 'resource-exhausted', retryAfterMs: 2500 }, 1);
  const { code, details } = await fail();
  assert.equal(code, status.RESOURCE_EXHAUSTED);
  assert.ok(details!.includes('type.googleapis.com/google.rpc.RetryInfo'));
  // RetryInfo.retry_delay = Duration { seconds: 2, nanos: 500000000 }
  assert.ok(details!.toString('hex').endsWith('0a08' + '0802' + '1080cab5ee01'), details!.toString('hex'));
});

test('a partial success keeps the rest', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  endpoint.answerWith({ answer: 'partial-success', rejected: 2 });
  await grpc(t, endpoint)(makeSpans(5));
  await http(t, endpoint)(makeSpans(5));
  assert.equal(endpoint.received().length, 6);
});

test('a slow endpoint answers late, a hanging one never', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  endpoint.answerWith({ answer: 'slow', delayMs: 200 }, 1);
  const before = performance.now();
  assert.equal((await http(t, endpoint)(makeSpans(1))).code, ExportResultCode.SUCCESS);
  assert.ok(performance.now() - before >= 199);
  endpoint.answerWith({ answer: 'hang' });
  assert.equal((await grpc(t, endpoint, 300)(makeSpans(1))).code, ExportResultCode.FAILED);
  assert.equal(endpoint.received().length, 1);
});

test('a stopped endpoint refuses connections and comes back on the same ports', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const { grpcUrl, httpUrl } = endpoint;
  await grpc(t, endpoint)(makeSpans(1));
  await endpoint.stop();
  await assert.rejects(fetch(httpUrl, { method: 'POST' }));
  assert.equal((await grpc(t, endpoint, 300)(makeSpans(1))).code, ExportResultCode.FAILED);
  await endpoint.restart();
  assert.deepEqual([endpoint.grpcUrl, endpoint.httpUrl], [grpcUrl, httpUrl]);
  // A gRPC channel that was refused waits a second before it tries again.
  const send = grpc(t, endpoint);
  await waitFor(async () => (await send(makeSpans(1))).code === ExportResultCode.SUCCESS, 'a gRPC export');
  assert.equal((await http(t, endpoint)(makeSpans(1))).code, ExportResultCode.SUCCESS);
  assert.equal(endpoint.received().length, 3);
});

test('what is not OTLP is refused and remembered', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const post = (body: string, type = 'application/x-protobuf') =>
    fetch(endpoint.httpUrl, { method: 'POST', body, headers: { 'content-type': type } });
  assert.equal((await post('\u000a\u00ff\u00ff')).status, 400);
  assert.equal((await post('{}', 'application/json')).status, 200);
  assert.equal((await post('{}', 'text/plain')).status, 415);
  assert.equal((await fetch(`${endpoint.httpBaseUrl}/v2`, { method: 'POST' })).status, 404);
  assert.equal(endpoint.malformed.length, 1);
  endpoint.malformed.length = 0;
});
