import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import { type TestContext, test } from 'node:test';
import { trace } from '@opentelemetry/api';
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
