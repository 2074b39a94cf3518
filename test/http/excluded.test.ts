// What is excluded has no span, whichever way it comes in, and what its handler does is not traced either.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2, { type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Stream } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { isSpanContextValid, trace } from '@opentelemetry/api';
import { listen, readUntil } from './traced-server.js';

const excluded = { excludeUrls: ['/health'] };
const isActive = () =>
  isSpanContextValid(trace.getActiveSpan()?.spanContext() ?? { traceId: '', spanId: '', traceFlags: 0 });

async function get(t: TestContext, port: number, path: string): Promise<void> {
  const session = http2.connect(`http://127.0.0.1:${port}`);
  t.after(() => session.destroy());
  const stream = session.request({ ':path': path });
  stream.resume();
  await once(stream, 'close');
}

/** Either API's listener. */
type Answer = (first: ServerHttp2Stream & Http2ServerRequest, second: Http2ServerResponse) => void;

const apis: [name: string, event: string, answer: Answer][] = [
  ['compatibility API', 'request', (_request, response) => void response.end()],
  [
    "stream's own API",
    'stream',
    (stream) => {
      stream.respond();
      stream.end();
    },
  ],
];

for (const [api, event, answer] of apis) {
  test(`HTTP/2, ${api}: an excluded stream is served without a span`, async (t) => {
    const active: boolean[] = [];
    const server = http2.createServer();
    server.on(event, (...args: Parameters<Answer>) => {
      active.push(isActive());
      answer(...args);
    });
    const { port, span } = await listen(t, server, excluded);
    await get(t, port, '/health');
    await get(t, port, '/work');
    assert.equal((await span()).attributes['url.path'], '/work');
    assert.deepEqual(active, [false, true]);
  });

  test(`HTTP/2, ${api}: with parents asked for, a stream without one has no span`, async (t) => {
    const server = http2.createServer();
    server.on(event, answer);
    const { port, exporter } = await listen(t, server, { requireParentforIncomingSpans: true });
    await get(t, port, '/work');
    assert.deepEqual(exporter.getFinishedSpans(), []);
  });
}

for (const [what, head] of [
  ['an upgrade', 'GET /health HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: tea\r\n\r\n'],
  ['CONNECT', 'CONNECT health:80 HTTP/1.1\r\nHost: health:80\r\n\r\n'],
]) {
  test(`${what} that is excluded has no span`, async (t) => {
    const active: boolean[] = [];
    const server = http.createServer((_request, response) => response.end());
    for (const event of ['upgrade', 'connect']) {
      server.on(event, (_request, socket) => {
        active.push(isActive());
        socket.end('HTTP/1.1 418 No Tea\r\n\r\n');
      });
    }
    const { connect, request, span } = await listen(t, server, { excludeUrls: ['health'] });
    const socket = await connect();
    socket.write(head!);
    await readUntil(socket, '418');
    await request('/work');
    assert.equal((await span()).attributes['url.path'], '/work');
    assert.deepEqual(active, [false]);
  });
}

test('what Node.js itself answers, and is excluded, has no span', async (t) => {
  const { connect, request, span } = await listen(t, (_request, response) => response.end(), excluded);
  const socket = await connect();
  socket.write('GET /health HTTP/1.1\r\n\r\n');
  await readUntil(socket, '400');
  await request('/work');
  assert.equal((await span()).attributes['url.path'], '/work');
});
