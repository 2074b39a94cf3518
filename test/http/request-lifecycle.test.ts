import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { requestCounts } from '#src/http/request-counts.js';
import { listen, readUntil, until } from './traced-server.js';

const activeSpanId = () => trace.getActiveSpan()?.spanContext().spanId;

test('the span ends when the listeners of finish and close have run', async (t) => {
  const seen: [string, number][] = [];
  const { request, exporter, span } = await listen(t, (_request, response) => {
    const see = (when: string) => seen.push([when, exporter.getFinishedSpans().length]);
    response.on('close', () => see('close'));
    response.on('finish', () => see('finish'));
    response.end('hello');
    see('end');
  });
  await request('/');
  await span();
  assert.deepEqual(seen, [
    ['end', 0],
    ['finish', 0],
    ['close', 0],
  ]);
});

test('a response that is out is not aborted when its connection breaks before it finishes', async (t) => {
  const { connect, span } = await listen(t, (request, response) => {
    response.end('hello');
    request.socket.destroy();
  });
  const socket = await connect();
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const { attributes, status } = await span();
  assert.equal(attributes['http.response.status_code'], 200);
  assert.equal(attributes['error.type'], undefined);
  assert.equal(status.code, SpanStatusCode.UNSET);
});

test('a long download ends its span when the last byte is out, not when end() returns', async (t) => {
  let endedAtReturn = -1;
  const body = 'x'.repeat(32 * 1024 * 1024);
  const { request, exporter, span } = await listen(t, (_request, response) => {
    response.end(body);
    endedAtReturn = exporter.getFinishedSpans().length;
  });
  const { body: received } = await request('/');
  assert.equal(received.length, body.length);
  assert.equal(endedAtReturn, 0);
  assert.equal((await span()).attributes['http.response.status_code'], 200);
});

test('pipelined requests have a span each, though their responses wait for their turn', async (t) => {
  const { connect, spans } = await listen(t, (request, response) => {
    if (request.url === '/slow') setTimeout(() => response.end('slow'), 50);
    else response.end('fast');
  });
  const socket = await connect();
  socket.write('GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /fast HTTP/1.1\r\nHost: a\r\n\r\n');
  const received = await readUntil(socket, 'fast');
  assert.ok(received.indexOf('slow') < received.indexOf('fast'));
  const ended = await spans(2);
  assert.deepEqual(
    ended.map((span) => [span.attributes['url.path'], span.attributes['http.response.status_code']]),
    [
      ['/slow', 200],
      ['/fast', 200],
    ],
  );
});

test('a client that goes away ends the span with error.type aborted', async (t) => {
  const { connect, span } = await listen(t, () => {});
  const socket = await connect();
  const before = requestCounts.inFlight;
  socket.write('GET /never HTTP/1.1\r\nHost: a\r\n\r\n');
  await until(() => requestCounts.inFlight === before + 1, 'the request in flight');
  socket.destroy();
  const { attributes, status } = await span();
  assert.equal(attributes['error.type'], 'aborted');
  assert.equal(attributes['http.response.status_code'], undefined);
  assert.equal(status.code, SpanStatusCode.ERROR);
  assert.equal(requestCounts.inFlight, before);
});

test("listeners for a response's close run in the request's context, also when the client went away", async (t) => {
  let atClose: string | undefined;
  const { connect, span } = await listen(t, (_request, response) => {
    response.write('begun');
    response.on('close', () => {
      atClose = activeSpanId();
    });
  });
  const socket = await connect();
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await readUntil(socket, 'begun');
  socket.destroy();
  const ended = await span();
  await until(() => atClose !== undefined, 'close');
  assert.equal(atClose, ended.spanContext().spanId);
  assert.equal(ended.attributes['http.response.status_code'], 200);
});

test('server.timeout ends the span with error.type timeout', async (t) => {
  const server = http.createServer(({ socket }) => {
    // Not before: a busy machine could take as long for the request to come.
    socket.setTimeout(50);
  });
  server.timeout = 60_000;
  const { connect, span } = await listen(t, server);
  const socket = await connect();
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  assert.equal((await span()).attributes['error.type'], 'timeout');
});

test('events of the request body run in the context of the request', async (t) => {
  const seen: (string | undefined)[] = [];
  const { request, span } = await listen(t, (request, response) => {
    request.on('data', () => seen.push(activeSpanId()));
    request.on('end', () => {
      seen.push(activeSpanId());
      response.end();
    });
  });
  await request('/', { method: 'POST', body: 'some text' });
  const id = (await span()).spanContext().spanId;
  assert.deepEqual(seen, [id, id]);
});

test('server-sent events keep the span open until the stream ends', async (t) => {
  const { connect, exporter, span } = await listen(t, (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: one\n\n');
    setTimeout(() => response.end('data: two\n\n'), 30);
  });
  const socket = await connect();
  socket.write('GET /events HTTP/1.1\r\nHost: a\r\n\r\n');
  await readUntil(socket, 'data: one');
  assert.equal(exporter.getFinishedSpans().length, 0);
  await readUntil(socket, 'data: two');
  assert.equal((await span()).attributes['http.response.status_code'], 200);
});

test('HEAD and 304 have a span with their status', async (t) => {
  const { request, spans } = await listen(t, (request, response) => {
    response.statusCode = request.method === 'HEAD' ? 200 : 304;
    response.end('a body that is not sent');
  });
  await request('/', { method: 'HEAD' });
  await request('/');
  const ended = await spans(2);
  assert.deepEqual(
    ended.map(({ name, attributes }) => [name, attributes['http.response.status_code']]),
    [
      ['HEAD', 200],
      ['GET', 304],
    ],
  );
});

test('Expect: 100-continue has one span, with a listener that emits request and without', async (t) => {
  for (const withListener of [false, true]) {
    const server = http.createServer((request, response) => {
      request.resume();
      request.on('end', () => response.end('done'));
    });
    if (withListener) {
      server.on('checkContinue', (request, response) => {
        response.writeContinue();
        server.emit('request', request, response);
      });
    }
    const { connect, span } = await listen(t, server);
    const socket = await connect();
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n');
    await readUntil(socket, '100 Continue');
    socket.write('body');
    await readUntil(socket, 'done');
    assert.equal((await span()).attributes['http.response.status_code'], 200);
  }
});

test('a malformed request is answered with 400 by Node and has no span; the next one is served', async (t) => {
  const { connect, request, span } = await listen(t, (_request, response) => response.end());
  const socket = await connect();
  socket.write('NOT HTTP\r\n\r\n');
  await readUntil(socket, '400 Bad Request');
  assert.equal((await request('/')).status, 200);
  await span();
});

test('a request that is answered before its socket breaks has one span', async (t) => {
  const { connect, spans } = await listen(t, (_request, response) => response.end('ok'));
  const socket = await connect();
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await readUntil(socket, 'ok');
  socket.destroy();
  await once(socket, 'close');
  const ended = await spans(1);
  assert.equal(ended.length, 1);
  assert.equal(ended[0]!.attributes['error.type'], undefined);
});

test('an idle connection keeps neither message nor response of its last request', async (t) => {
  setFlagsFromString('--expose-gc');
  const gc = runInNewContext('gc') as () => void;
  const kept: WeakRef<object>[] = [];
  const { connect, spans } = await listen(t, (request, response) => {
    kept.push(new WeakRef(request), new WeakRef(response));
    response.end('hello');
  });
  const idle = await connect();
  // The server keeps what it has read last, so another connection comes after it.
  for (const socket of [idle, await connect()]) {
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await readUntil(socket, 'hello');
  }
  await spans(2);
  await until(
    () => {
      gc();
      return kept.slice(0, 2).every((each) => each.deref() === undefined);
    },
    'message and response are collected',
    5_000,
  );
  assert.equal(kept.length, 4);
  assert.equal(idle.destroyed, false);
});
