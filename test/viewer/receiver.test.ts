import assert from 'node:assert/strict';
import { request as httpRequest } from 'node:http';
import { createServer } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { OTLPTraceExporter as GrpcExporter } from '@opentelemetry/exporter-trace-otlp-grpc';
import { OTLPTraceExporter as ProtoExporter } from '@opentelemetry/exporter-trace-otlp-proto';
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base';
import { BasicTracerProvider, SimpleSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base';
import { startViewer, type Viewer } from '#src/viewer/start.js';
import { newTraceId, tracesData, tracesRequest } from './otlp-feed.js';

const anyPort = { httpPort: 0, grpcPort: 0 };

async function exportOne(exporter: SpanExporter, name: string): Promise<string> {
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const span = provider.getTracer('test').startSpan(name, { attributes: { 'http.route': '/x', list: ['a', 'b'] } });
  span.addEvent('event', { n: 1.5 });
  span.end();
  await provider.forceFlush();
  await provider.shutdown();
  return span.spanContext().traceId;
}

/** Unlike fetch, it sends any header. */
function statusOf(
  { otlpHttpUrl }: Viewer,
  headers: Record<string, string>,
  path = '/api/state',
  method = 'GET',
): Promise<number> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(otlpHttpUrl + path, { method, headers }, (response) => {
      response.resume();
      resolve(response.statusCode!);
    });
    request.on('error', reject).end();
  });
}

describe('the viewer receives OTLP', () => {
  let viewer: Viewer;
  before(async () => {
    viewer = await startViewer(anyPort);
  });
  after(() => viewer.close());

  const post = (body: string | Buffer, headers: Record<string, string>) =>
    fetch(`${viewer.otlpHttpUrl}/v1/traces`, { method: 'POST', headers, body });

  for (const compression of [CompressionAlgorithm.NONE, CompressionAlgorithm.GZIP]) {
    it(`over gRPC from the OpenTelemetry exporter, compression ${compression}`, async () => {
      const id = await exportOne(new GrpcExporter({ url: viewer.otlpGrpcUrl, compression }), 'by-grpc');
      assert.equal(viewer.store.traces.get(id)?.root.name, 'by-grpc');
      assert.equal(viewer.store.traces.get(id)?.root.route, '/x');
    });

    it(`over HTTP protobuf from the OpenTelemetry exporter, compression ${compression}`, async () => {
      const url = `${viewer.otlpHttpUrl}/v1/traces`;
      const id = await exportOne(new ProtoExporter({ url, compression }), 'by-http');
      assert.equal(viewer.store.traces.get(id)?.root.name, 'by-http');
    });
  }

  it('over HTTP JSON, gzipped or not', async () => {
    for (const gzip of [false, true]) {
      const traceId = newTraceId();
      const json = JSON.stringify(
        tracesData([{ traceId, name: 'by-json', attributes: { 'http.response.status_code': 204 } }]),
      );
      const response = await post(gzip ? gzipSync(json) : json, {
        'content-type': 'application/json',
        ...(gzip ? { 'content-encoding': 'gzip' } : {}),
      });
      assert.equal(response.status, 200);
      assert.deepEqual(await response.json(), {});
      assert.equal(viewer.store.traces.get(traceId)?.root.httpStatus, 204);
    }
  });

  it('and refuses with a reason what is malformed, taking nothing of it', async () => {
    const traceId = newTraceId();
    const cutOff = tracesRequest([{ traceId }, { traceId }]).subarray(0, -3);
    const before = viewer.store.counters.received;
    const proto = await post(cutOff, { 'content-type': 'application/x-protobuf' });
    assert.equal(proto.status, 400);
    assert.match(await proto.text(), /at byte \d+/);
    const badJson = tracesData([{ traceId }]);
    badJson.resourceSpans![0]!.scopeSpans![0]!.spans![0]!.traceId = 'not hex';
    const json = await post(JSON.stringify(badJson), { 'content-type': 'application/json' });
    assert.equal(json.status, 400);
    const { message } = (await json.json()) as { message: string };
    assert.match(message, /resourceSpans\[0\]\.scopeSpans\[0\]\.spans\[0\]\.traceId is "not hex", expected hex digits/);
    assert.equal((await post('{', { 'content-type': 'application/json' })).status, 400);
    assert.equal((await post('x', { 'content-type': 'text/plain' })).status, 415);
    assert.equal(
      (await post('not gzip', { 'content-type': 'application/json', 'content-encoding': 'gzip' })).status,
      400,
    );
    assert.equal(viewer.store.counters.received, before);
  });

  it('and bounds bodies as sent and as decompressed', async () => {
    const large = await post(Buffer.alloc(20 * 1024 * 1024 + 1), { 'content-type': 'application/x-protobuf' });
    assert.equal(large.status, 413);
    const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024));
    const decompressed = await post(bomb, { 'content-type': 'application/x-protobuf', 'content-encoding': 'gzip' });
    assert.equal(decompressed.status, 413);
  });

  it('but not from another origin, nor under another host name', async () => {
    const status = (headers: Record<string, string>) => statusOf(viewer, headers);
    const own = new URL(viewer.url).host;
    assert.equal(await status({ host: own }), 200);
    assert.equal(await status({ host: own, origin: `http://${own}` }), 200);
    assert.equal(await status({ host: own, origin: 'http://evil.example' }), 403);
    assert.equal(await status({ host: own, origin: 'null' }), 403);
    assert.equal(await status({ host: 'evil.example' }), 403);
    assert.equal(await status({ host: own, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }), 403);
  });
});

describe("the viewer's addresses", () => {
  it('move on when a port is taken, and the URLs say so', async () => {
    const first = await startViewer(anyPort);
    const httpPort = Number(new URL(first.otlpHttpUrl).port);
    const grpcPort = Number(new URL(first.otlpGrpcUrl).port);
    const second = await startViewer({ httpPort, grpcPort });
    try {
      assert.notEqual(second.otlpHttpUrl, first.otlpHttpUrl);
      assert.notEqual(second.otlpGrpcUrl, first.otlpGrpcUrl);
      const id = await exportOne(new GrpcExporter({ url: second.otlpGrpcUrl }), 'moved');
      assert.ok(second.store.traces.has(id));
      assert.ok(!first.store.traces.has(id));
    } finally {
      await first.close();
      await second.close();
    }
  });

  it('keep connections for longer than exporters wait between two exports', async () => {
    const viewer = await startViewer(anyPort);
    try {
      const response = await fetch(`${viewer.otlpHttpUrl}/api/state`);
      const [, seconds] = /timeout=(\d+)/.exec(response.headers.get('keep-alive') ?? '') ?? [];
      // The interval of metrics; that of spans is 5 s.
      assert.ok(Number(seconds) > 60, String(seconds));
    } finally {
      await viewer.close();
    }
  });

  it('are free again after close', async () => {
    const viewer = await startViewer(anyPort);
    const port = Number(new URL(viewer.otlpHttpUrl).port);
    await viewer.close();
    const server = createServer();
    await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve));
    await new Promise((resolve) => server.close(resolve));
  });

  it('need a token beyond loopback', async () => {
    await assert.rejects(startViewer({ ...anyPort, host: '0.0.0.0' }), { code: 'FORKTRACE_VIEWER_TOKEN' });
    const viewer = await startViewer({ ...anyPort, token: 'secret & more' });
    try {
      const get = (path: string, headers = {}) =>
        fetch(new URL(path, viewer.otlpHttpUrl), { headers, redirect: 'manual' });
      assert.equal((await get('/api/state')).status, 401);
      assert.equal((await get('/api/state', { authorization: 'Bearer wrong' })).status, 401);
      assert.equal((await get('/api/state', { authorization: 'Bearer secret & more' })).status, 200);
      const landing = await fetch(viewer.url, { redirect: 'manual' });
      assert.equal(landing.status, 303);
      assert.equal(landing.headers.get('location'), '/');
      const cookie = landing.headers.get('set-cookie')!.split(';')[0]!;
      assert.equal((await get('/api/state', { cookie })).status, 200);
      const own = new URL(viewer.otlpHttpUrl);
      for (const [status, headers] of [
        [200, { 'sec-fetch-site': 'same-origin' }],
        [200, { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
        [200, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }],
        [200, { origin: own.origin }],
        // By a proxy with a name of its own.
        [200, { origin: 'https://ops.example', 'x-forwarded-host': 'ops.example' }],
        // A page of another port has the same cookie, as cookies know no ports.
        [403, { 'sec-fetch-site': 'same-site', 'sec-fetch-mode': 'cors', origin: 'http://127.0.0.1:3000' }],
        [403, { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
        [403, { origin: 'http://127.0.0.1:3000' }],
        [403, { origin: 'null' }],
        [403, { origin: 'http://rebound.example' }],
      ] as const) {
        assert.equal(await statusOf(viewer, { cookie, ...headers }), status, JSON.stringify(headers));
      }
      // The name was pointed here after the page had been loaded from elsewhere: no cookie, no token.
      const rebound = { host: 'rebound.example', origin: 'http://rebound.example', 'sec-fetch-site': 'same-origin' };
      assert.equal(await statusOf(viewer, rebound), 401);
      assert.equal(await statusOf(viewer, { cookie, 'sec-fetch-site': 'same-site' }, '/api/clear', 'POST'), 403);
      assert.equal(await statusOf(viewer, { cookie, 'sec-fetch-site': 'same-origin' }, '/api/clear', 'POST'), 204);
      await assert.rejects(exportOne(new GrpcExporter({ url: viewer.otlpGrpcUrl }), 'no token'), (errors: unknown) =>
        /UNAUTHENTICATED/.test(String(errors)),
      );
    } finally {
      await viewer.close();
    }
  });
});
