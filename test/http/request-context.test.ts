/** What is active while a request is served, and what is not any more when its handler has returned. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { createServer, IncomingMessage, type RequestListener, ServerResponse } from 'node:http';
import https from 'node:https';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import tls from 'node:tls';
import { context, createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { traceServer } from '#src/http/trace-server.js';
import { cert, key } from './certificate.js';
import { listen, until } from './traced-server.js';

/** What is entered ends with the callback: since Node.js 24. */
const hasFrames = Number(process.versions.node.split('.')[0]) >= 24;

test('pipelined requests have a context each, and what one enters in a storage of its own stays its own', async (t) => {
  const own = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const { connect, spans } = await listen(t, async (request, response) => {
    own.enterWith(request.url!);
    const first = trace.getActiveSpan();
    await new Promise((resolve) => setImmediate(resolve));
    seen.push([request.url, own.getStore(), trace.getActiveSpan() === first && first !== undefined]);
    response.end('ok');
  });
  const socket = await connect();
  socket.write(
    'GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nHost: x\r\n\r\nGET /c HTTP/1.1\r\nHost: x\r\n\r\n',
  );
  const found = await spans(3);
  assert.deepEqual(seen, [
    ['/a', '/a', true],
    ['/b', '/b', true],
    ['/c', '/c', true],
  ]);
  assert.equal(new Set(found.map((span) => span.spanContext().traceId)).size, 3);
});

test('a request that is emitted by hand has what its emitter has in storages, whose context is back afterwards', async (t) => {
  const own = new AsyncLocalStorage<string>();
  let seen: unknown[] = [];
  const { server } = await listen(t, (_request, response) => {
    seen = [own.getStore(), trace.getActiveSpan() !== undefined];
    response.end();
  });
  const emit = () => {
    const message = new IncomingMessage(new Socket());
    message.url = '/';
    message.method = 'GET';
    message.headers.host = 'x';
    server.emit('request', message, new ServerResponse(message));
  };
  const emitter = ROOT_CONTEXT.setValue(createContextKey('emitter'), true);
  context.with(emitter, () =>
    own.run('its own', () => {
      emit();
      assert.equal(context.active(), emitter);
      assert.equal(own.getStore(), 'its own');
    }),
  );
  assert.deepEqual(seen, ['its own', true]);
});

test('a handler that throws leaves nothing active', async (t) => {
  const { server } = await listen(t, () => {
    throw new Error('by design');
  });
  const message = new IncomingMessage(new Socket());
  message.url = '/';
  message.method = 'GET';
  message.headers.host = 'x';
  assert.throws(() => server.emit('request', message, new ServerResponse(message)), /by design/);
  assert.equal(trace.getActiveSpan(), undefined);
});

test('whoever counts async resources by their destruction is told of each of ours', async (t) => {
  const alive = new Set<number>();
  const hook = createHook({
    init: (id, type) => void (type.startsWith('forktrace') && alive.add(id)),
    destroy: (id) => void alive.delete(id),
  }).enable();
  t.after(() => hook.disable());
  const { request, spans } = await listen(t, (_request, response) => response.end('ok'));
  for (let n = 0; n < 5; n++) await request('/');
  await spans(5);
  await until(() => alive.size === 0, 'the end of all resources');
});

test('a request leaves nothing active for what comes after it in the same packet', async (t) => {
  const seen: unknown[] = [];
  const { server, connect } = await listen(
    t,
    (request, response) => {
      seen.push([request.url, trace.getActiveSpan() !== undefined]);
      response.end('ok');
    },
    { excludeUrls: ['/excluded'] },
  );
  server.on('clientError', (_error: Error, socket: Socket) => {
    seen.push(['clientError', trace.getActiveSpan() !== undefined]);
    socket.destroy();
  });
  const socket = await connect();
  socket.write('GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /excluded HTTP/1.1\r\nHost: x\r\n\r\nno request\r\n\r\n');
  await until(() => seen.length === 3, 'all of the packet');
  assert.deepEqual(seen, [
    ['/a', true],
    ['/excluded', false],
    ['clientError', false],
  ]);
});

test('a connection has nothing of one request active in the next', async (t) => {
  const own = new AsyncLocalStorage<string>();
  const seen: unknown[] = [];
  const { connect } = await listen(t, (request, response) => {
    seen.push([request.url, own.getStore()]);
    own.enterWith(request.url!);
    response.end('ok');
  });
  const socket = await connect();
  for (const [index, path] of ['/a', '/b', '/c'].entries()) {
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`);
    await until(() => seen.length > index, path);
  }
  // Without frames, what is entered belongs to the connection's parser.
  if (hasFrames)
    assert.deepEqual(
      seen,
      ['/a', '/b', '/c'].map((path) => [path, undefined]),
    );
});

/** Two ends of a stream that is the program's own; `wrote` is told what was active before and after. */
function ends(wrote: (before: unknown, after: unknown) => void): [Duplex, Duplex] {
  const end = (other: () => Duplex): Duplex =>
    new Duplex({
      read() {},
      write(chunk, _encoding, done) {
        const before = context.active();
        other().push(chunk);
        wrote(before, context.active());
        done();
      },
    });
  const one: Duplex = end(() => two);
  const two: Duplex = end(() => one);
  return [one, two];
}

for (const scheme of ['http', 'https'] as const) {
  test(`${scheme} on a stream of the program's own: who writes to it has its context back`, async (t) => {
    const served: boolean[] = [];
    const handler: RequestListener = (_request, response) => {
      served.push(trace.getActiveSpan() !== undefined);
      response.end('ok');
    };
    const server = scheme === 'http' ? createServer(handler) : https.createServer({ key, cert }, handler);
    traceServer(server);
    const changed: unknown[] = [];
    const [near, far] = ends((before, after) => before !== after && changed.push(after));
    server.emit('connection', far);
    const socket = scheme === 'http' ? near : tls.connect({ socket: near, rejectUnauthorized: false });
    t.after(() => {
      for (const stream of [socket, near, far]) stream.destroy();
    });
    let answer = '';
    socket.on('data', (chunk) => {
      answer += chunk;
    });
    for (let count = 1; count <= 2; count++) {
      socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      await until(() => answer.split('\r\n\r\nok').length > count, 'the answer');
      assert.equal(context.active(), ROOT_CONTEXT);
    }
    assert.deepEqual([served, changed], [[true, true], []]);
  });
}
