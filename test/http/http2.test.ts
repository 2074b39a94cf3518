import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { trace } from '@opentelemetry/api';
import {
  AggregationTemporality,
  type Histogram,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { listen } from './traced-server.js';

async function get(t: TestContext, port: number, headers: http2.OutgoingHttpHeaders, body?: string) {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  t.after(() => session.destroy());
  const stream = session.request(headers, { endStream: body === undefined });
  if (body !== undefined) stream.end(body);
  let text = '';
  let received: http2.IncomingHttpHeaders = {};
  stream.setEncoding('utf8');
  stream.on('response', (headers) => {
    received = headers;
  });
  stream.on('data', (chunk) => {
    text += chunk;
  });
  await once(stream, 'close');
  return { headers: received, text, session };
}

const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('the compatibility API: attributes, parent, context in the handler and in body events', async (t) => {
  const active: (string | undefined)[] = [];
  const server = http2.createServer((request, response) => {
    active.push(trace.getActiveSpan()?.spanContext().spanId);
    request.on('end', () => active.push(trace.getActiveSpan()?.spanContext().spanId));
    request.resume();
    request.on('end', () => {
      response.statusCode = 201;
      response.end('done');
    });
  });
  const { port, span } = await listen(t, server, { responseHeader: 'traceresponse' });
  const { text, headers } = await get(t, port, { ':method': 'POST', ':path': '/a?b=c', traceparent }, 'body');
  assert.equal(text, 'done');
  const ended = await span();
  assert.equal(ended.parentSpanContext?.spanId, 'b7ad6b7169203331');
  assert.deepEqual(active, [ended.spanContext().spanId, ended.spanContext().spanId]);
  assert.equal(headers.traceresponse, `00-0af7651916cd43dd8448eb211c80319c-${ended.spanContext().spanId}-01`);
  assert.equal(ended.name, 'POST');
  const { attributes } = ended;
  assert.equal(attributes['network.protocol.version'], '2');
  assert.equal(attributes['url.path'], '/a');
  assert.equal(attributes['url.query'], 'b=c');
  assert.equal(attributes['url.scheme'], 'http');
  assert.equal(attributes['server.address'], '127.0.0.1');
  assert.equal(attributes['server.port'], port);
  assert.equal(attributes['client.address'], '127.0.0.1');
  assert.equal(attributes['http.response.status_code'], 201);
  assert.equal(attributes['error.type'], undefined);
});

test('the stream API has a span per stream', async (t) => {
  const server = http2.createServer();
  let active: string | undefined;
  server.on('stream', (stream) => {
    active = trace.getActiveSpan()?.spanContext().spanId;
    stream.respond({ ':status': 503 });
    stream.end('busy');
  });
  const { port, span } = await listen(t, server);
  await get(t, port, { ':path': '/stream' });
  const ended = await span();
  assert.equal(active, ended.spanContext().spanId);
  assert.equal(ended.attributes['http.response.status_code'], 503);
  assert.equal(ended.attributes['error.type'], '503');
});

test('streams of one session are told apart, and one that the client resets is aborted', async (t) => {
  const server = http2.createServer((request, response) => {
    if (request.url !== '/never') response.end(request.url);
  });
  const { port, spans } = await listen(t, server);
  const session = http2.connect(`http://127.0.0.1:${port}`);
  t.after(() => session.destroy());
  const never = session.request({ ':path': '/never' });
  const one = session.request({ ':path': '/one' });
  one.resume();
  await once(one, 'close');
  never.close(http2.constants.NGHTTP2_CANCEL);
  const ended = await spans(2);
  assert.deepEqual(
    ended.map(({ attributes }) => [attributes['url.path'], attributes['error.type']]),
    [
      ['/one', undefined],
      ['/never', 'aborted'],
    ],
  );
});

for (const api of ['compatibility', 'stream'] as const) {
  test(`the ${api} API: request hook, message spans with their hooks, and metrics`, async (t) => {
    const metricExporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
    const meterProvider = new MeterProvider({
      readers: [new PeriodicExportingMetricReader({ exporter: metricExporter, exportIntervalMillis: 3_600_000 })],
    });
    t.after(() => meterProvider.shutdown());
    const received: unknown[] = [];
    const sent: unknown[] = [];
    const server =
      api === 'compatibility'
        ? http2.createServer((request, response) => {
            request.resume().on('end', () => {
              response.statusCode = 202;
              response.write('one');
              response.end('three');
            });
          })
        : http2.createServer().on('stream', (stream) => {
            stream.resume().on('end', () => {
              stream.respond({ ':status': 202 });
              stream.write('one');
              stream.end('three');
            });
          });
    const { port, spans } = await listen(t, server, {
      meterProvider,
      messageSpans: true,
      serverRequestHook: (span, request) =>
        void span.setAttribute('hooked', api === 'compatibility' ? (request as { url: string }).url : 'a stream'),
      clientRequestHook: (_span, _request, message) => void received.push(message),
      clientResponseHook: (_span, _response, message) => void sent.push(message),
    });
    await get(t, port, { ':method': 'POST', ':path': '/up' }, 'body');
    const ended = await spans(5);
    assert.deepEqual(
      ended.map((span) => [span.name, span.attributes['http.message.type']]),
      [
        ['POST http receive', 'http.request'],
        ['POST http send', 'http.response.start'],
        ['POST http send', 'http.response.body'],
        ['POST http send', 'http.response.body'],
        ['POST', undefined],
      ],
    );
    const last = ended.at(-1)!;
    for (const span of ended.slice(0, -1)) assert.equal(span.parentSpanContext?.spanId, last.spanContext().spanId);
    assert.equal(last.attributes.hooked, api === 'compatibility' ? '/up' : 'a stream');
    assert.deepEqual(received, [{ type: 'http.request', body: Buffer.from('body') }]);
    assert.deepEqual(sent, [
      { type: 'http.response.start', status: 202 },
      { type: 'http.response.body', body: 'one' },
      { type: 'http.response.body', body: 'three' },
    ]);

    await meterProvider.forceFlush();
    const metrics = new Map(
      metricExporter
        .getMetrics()
        .at(-1)!
        .scopeMetrics.flatMap((scope) => scope.metrics)
        .map((metric) => [metric.descriptor.name, metric.dataPoints[0]!]),
    );
    assert.deepEqual(metrics.get('http.server.request.duration')!.attributes, {
      'http.request.method': 'POST',
      'url.scheme': 'http',
      'network.protocol.version': '2',
      'http.response.status_code': 202,
    });
    assert.equal(metrics.get('http.server.active_requests')!.value, 0);
    assert.equal((metrics.get('http.server.request.body.size')!.value as Histogram).sum, 4);
    assert.equal((metrics.get('http.server.response.body.size')!.value as Histogram).sum, 8);
  });
}

test('a file that is sent by respondWithFile has its status and ends with the stream', async (t) => {
  const server = http2.createServer().on('stream', (stream) => {
    stream.respondWithFile(fileURLToPath(import.meta.url), { 'content-type': 'text/javascript' });
  });
  const { port, span } = await listen(t, server);
  const { text } = await get(t, port, { ':path': '/file' });
  assert.ok(text.length > 0);
  const { attributes } = await span();
  assert.equal(attributes['http.response.status_code'], 200);
  assert.equal(attributes['error.type'], undefined);
});

test('CONNECT: a stream without a path, whose span ends with the stream', async (t) => {
  const server = http2.createServer().on('stream', (stream) => {
    stream.respond({ ':status': 200 });
    stream.end('tunnel');
  });
  const { port, span } = await listen(t, server);
  const { text } = await get(t, port, { ':method': 'CONNECT', ':authority': 'example.com:443' });
  assert.equal(text, 'tunnel');
  const ended = await span();
  assert.equal(ended.name, 'CONNECT');
  assert.equal(ended.attributes['http.response.status_code'], 200);
});

test('streams that are reset, aborted, destroyed or thrown in before a response have no status code, and end', async (t) => {
  type Stream = http2.ServerHttp2Stream;
  const { NGHTTP2_CANCEL, NGHTTP2_INTERNAL_ERROR } = http2.constants;
  const ways: Record<string, [(stream: Stream) => void, unknown]> = {
    'close(2)': [(stream) => stream.close(NGHTTP2_INTERNAL_ERROR), 'closed_by_server'],
    'destroy(error)': [(stream) => void stream.destroy(new RangeError('too much')), 'RangeError'],
    'destroy()': [(stream) => void stream.destroy(), 'closed_by_server'],
    'session.destroy()': [(stream) => stream.session!.destroy(), 'closed_by_server'],
    'the client resets': [() => {}, 'aborted'],
    'the client leaves': [() => {}, 'aborted'],
  };
  for (const api of ['stream', 'compatibility'] as const) {
    for (const [way, [act, errorType]] of Object.entries(ways)) {
      for (const body of [false, true]) {
        const server = http2.createServer();
        server.on('sessionError', () => {});
        const serve = (stream: Stream) => {
          stream.on('error', () => {});
          // An app that answers late.
          stream.on('close', () => setImmediate(() => stream.end()));
          act(stream);
        };
        if (api === 'stream') server.on('stream', serve);
        else server.on('request', (_request, response) => serve(response.stream));
        const { port, span } = await listen(t, server);
        const session = http2.connect(`http://127.0.0.1:${port}`);
        session.on('error', () => {});
        t.after(() => session.destroy());
        const stream = session.request({ ':path': '/', ':method': body ? 'POST' : 'GET' }, { endStream: !body });
        stream.on('error', () => {});
        stream.on('close', () => {});
        if (way.startsWith('the client')) {
          await once(server, api === 'stream' ? 'stream' : 'request');
          if (way === 'the client resets') stream.close(NGHTTP2_CANCEL);
          else session.destroy();
        }
        const { attributes } = await span();
        const what = `${api}, ${way}, ${body ? 'with' : 'without'} a body`;
        assert.equal(attributes['http.response.status_code'], undefined, what);
        assert.equal(attributes['error.type'], errorType, what);
      }
    }
  }
});
