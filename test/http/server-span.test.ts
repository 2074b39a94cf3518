import assert from 'node:assert/strict';
import { test } from 'node:test';
import { context, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import { listen, readUntil } from './traced-server.js';

test('a request has one SERVER span with the stable attributes', async (t) => {
  const { request, span, port } = await listen(t, (_request, response) => response.end('ok'));
  const { status } = await request('/cart/items?page=2', { headers: { 'user-agent': 'test/1.0' } });
  assert.equal(status, 200);
  const { name, kind, attributes, status: spanStatus } = await span();
  assert.equal(name, 'GET');
  assert.equal(kind, SpanKind.SERVER);
  assert.equal(spanStatus.code, SpanStatusCode.UNSET);
  const { 'network.peer.port': peerPort, ...rest } = attributes;
  assert.equal(typeof peerPort, 'number');
  assert.deepEqual(rest, {
    'http.request.method': 'GET',
    'url.scheme': 'http',
    'url.path': '/cart/items',
    'url.query': 'page=2',
    'server.address': '127.0.0.1',
    'server.port': port,
    'client.address': '127.0.0.1',
    'network.peer.address': '127.0.0.1',
    'network.protocol.version': '1.1',
    'user_agent.original': 'test/1.0',
    'http.response.status_code': 200,
  });
});

test("the span continues the caller's trace and is active in the handler, before and after an await", async (t) => {
  const seen: (string | undefined)[] = [];
  const { request, span } = await listen(t, async (_request, response) => {
    seen.push(trace.getSpan(context.active())?.spanContext().spanId);
    await new Promise((resolve) => setImmediate(resolve));
    seen.push(trace.getActiveSpan()?.spanContext().spanId);
    response.end();
  });
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  await request('/', { headers: { traceparent, tracestate: 'a=b' } });
  const ended = await span();
  assert.equal(ended.spanContext().traceId, '0af7651916cd43dd8448eb211c80319c');
  assert.equal(ended.parentSpanContext?.spanId, 'b7ad6b7169203331');
  assert.equal(ended.spanContext().traceState?.serialize(), 'a=b');
  assert.deepEqual(seen, [ended.spanContext().spanId, ended.spanContext().spanId]);
});

test('a malformed traceparent starts a new trace', async (t) => {
  const { request, span } = await listen(t, (_request, response) => response.end());
  await request('/', { headers: { traceparent: '00-0000-zzzz-01' } });
  assert.equal((await span()).parentSpanContext, undefined);
});

test('5xx is an error with the status code as error.type, 4xx is not', async (t) => {
  const { request, spans } = await listen(t, (request, response) => {
    response.statusCode = Number(request.url!.slice(1));
    response.end();
  });
  await request('/404');
  await request('/503');
  const [notFound, unavailable] = await spans(2);
  assert.equal(notFound!.status.code, SpanStatusCode.UNSET);
  assert.equal(notFound!.attributes['error.type'], undefined);
  assert.equal(unavailable!.status.code, SpanStatusCode.ERROR);
  assert.equal(unavailable!.attributes['error.type'], '503');
});

test('requests of one keep-alive connection have a span each, in traces of their own', async (t) => {
  const { connect, spans } = await listen(t, (request, response) => response.end(request.url));
  const socket = await connect();
  for (const path of ['/first', '/second']) {
    socket.write(`GET ${path} HTTP/1.1\r\nHost: example.org\r\n\r\n`);
    await readUntil(socket, path);
  }
  const [first, second] = await spans(2);
  assert.equal(first!.attributes['url.path'], '/first');
  assert.equal(second!.attributes['url.path'], '/second');
  assert.notEqual(first!.spanContext().traceId, second!.spanContext().traceId);
  assert.equal(second!.attributes['server.address'], 'example.org');
  assert.equal(second!.attributes['server.port'], 80);
});
