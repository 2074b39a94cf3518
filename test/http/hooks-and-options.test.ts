import assert from 'node:assert/strict';
import http from 'node:http';
import { test } from 'node:test';
import { SpanKind } from '@opentelemetry/api';
import { ForktraceError, traceServer } from 'forktrace';
import { listen } from './traced-server.js';

test('excluded URLs have no span: from code, from the environment, by key', async (t) => {
  process.env.OTEL_NODE_EXCLUDED_URLS = 'never-read-when-the-key-is-set';
  process.env.OTEL_NODE_SHOP_EXCLUDED_URLS = '/healthz$, ^http://127[.]0[.]0[.]1:\\d+/metrics';
  t.after(() => {
    delete process.env.OTEL_NODE_EXCLUDED_URLS;
    delete process.env.OTEL_NODE_SHOP_EXCLUDED_URLS;
  });
  const { request, spans } = await listen(t, (_request, response) => response.end(), {
    excludeUrlsEnvKey: 'SHOP',
    excludeUrls: ['/static/', /\.PNG$/gi],
  });
  for (const path of ['/healthz', '/metrics?x', '/static/a.js', '/cat.png', '/cat.png', '/kept']) await request(path);
  assert.deepEqual(
    (await spans(1)).map((span) => span.attributes['url.path']),
    ['/kept'],
  );
});

test('a pattern that is no regular expression stops the start with the option and the value', () => {
  assert.throws(
    () => traceServer(http.createServer(), { excludeUrls: ['('] }),
    (error) => error instanceof ForktraceError && error.message.startsWith('Option http.excludeUrls[0]: got "("'),
  );
  assert.throws(
    () => traceServer(http.createServer(), { trustProxy: ['not-an-address'] }),
    (error) => error instanceof ForktraceError && error.message.includes('http.trustProxy[0]'),
  );
  assert.throws(
    () => traceServer(http.createServer(), { captureHeaders: { sanitize: ['['] } }),
    (error) => error instanceof ForktraceError && error.message.includes('http.captureHeaders.sanitize[0]'),
  );
  assert.throws(() => traceServer((() => {}) as never), { code: 'FORKTRACE_CONFIG_INVALID' });
});

test('spanDetails names the span and adds attributes; the request hook gets span and request', async (t) => {
  const { request, span } = await listen(t, (_request, response) => response.end(), {
    spanDetails: (request) => ({ name: `shop ${request.url}`, attributes: { 'shop.tenant': 't1' } }),
    serverRequestHook: (span, request) => void span.setAttribute('hook.saw', request.method!),
  });
  await request('/x');
  const { name, attributes } = await span();
  assert.equal(name, 'shop /x');
  assert.equal(attributes['shop.tenant'], 't1');
  assert.equal(attributes['hook.saw'], 'GET');
});

test('hooks that throw or reject are recorded on the span, and the request is served', async (t) => {
  const { request, span } = await listen(t, (_request, response) => void setImmediate(() => response.end('fine')), {
    spanDetails: () => {
      throw new Error('details');
    },
    serverRequestHook: (async () => {
      throw new Error('request hook');
    }) as never,
  });
  assert.equal((await request('/')).body, 'fine');
  const { events } = await span();
  assert.deepEqual(
    events.map((event) => event.attributes?.['exception.message']),
    ['details', 'request hook'],
  );
});

test('message spans: one per body chunk received, the response start, and one per chunk sent, with their hooks', async (t) => {
  const received: unknown[] = [];
  const sent: unknown[] = [];
  const { connect, spans } = await listen(
    t,
    (request, response) => {
      request.resume();
      request.on('end', () => {
        response.write('one');
        response.end('two');
      });
    },
    {
      messageSpans: true,
      clientRequestHook: (_span, _request, message) => void received.push(message),
      clientResponseHook: (span, _response, message) => {
        sent.push(message);
        span.setAttribute('hook', true);
        throw new Error('a hook may throw');
      },
    },
  );
  const socket = await connect();
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nbody');
  const ended = await spans(5);
  assert.deepEqual(
    ended.map((span) => [span.name, span.kind, span.attributes['http.message.type']]),
    [
      ['POST http receive', SpanKind.INTERNAL, 'http.request'],
      ['POST http send', SpanKind.INTERNAL, 'http.response.start'],
      ['POST http send', SpanKind.INTERNAL, 'http.response.body'],
      ['POST http send', SpanKind.INTERNAL, 'http.response.body'],
      ['POST', SpanKind.SERVER, undefined],
    ],
  );
  const server = ended.at(-1)!;
  for (const span of ended.slice(0, -1)) assert.equal(span.parentSpanContext?.spanId, server.spanContext().spanId);
  assert.deepEqual(received, [{ type: 'http.request', body: Buffer.from('body') }]);
  assert.equal(sent.length, 3);
  assert.equal(ended[1]!.events[0]?.attributes?.['exception.message'], 'a hook may throw');
});

test('no message spans by default', async (t) => {
  const { request, span } = await listen(t, (request, response) => {
    request.resume();
    request.on('end', () => response.end('x'));
  });
  await request('/', { method: 'POST', body: 'b' });
  await span();
});

test('an untrusted caller starts a new trace with a link to its own', async (t) => {
  const { request, span } = await listen(t, (_request, response) => response.end(), { trustIncomingContext: false });
  await request('/', { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } });
  const ended = await span();
  const { parentSpanContext, links } = ended;
  assert.equal(parentSpanContext, undefined);
  assert.equal(links[0]?.context.traceId, '0af7651916cd43dd8448eb211c80319c');
  assert.equal(links[0]?.context.spanId, 'b7ad6b7169203331');
  assert.notEqual(ended.spanContext().traceId, '0af7651916cd43dd8448eb211c80319c');
});

for (const header of ['traceresponse', 'traceparent'] as const) {
  test(`the response carries ${header} when asked to`, async (t) => {
    const { request, span } = await listen(t, (_request, response) => response.end(), { responseHeader: header });
    const { headers } = await request('/');
    const { traceId, spanId } = (await span()).spanContext();
    assert.equal(headers[header], `00-${traceId}-${spanId}-01`);
  });
}

test("the caller's own tracer provider is used", async (t) => {
  const { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } = await import(
    '@opentelemetry/sdk-trace-base'
  );
  const own = new InMemorySpanExporter();
  const { request, exporter } = await listen(t, (_request, response) => response.end(), {
    tracerProvider: new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(own)] }),
  });
  await request('/');
  assert.equal(own.getFinishedSpans().length, 1);
  assert.equal(exporter.getFinishedSpans().length, 0);
});
