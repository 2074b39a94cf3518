import assert from 'node:assert/strict';
import http from 'node:http';
import type { Duplex } from 'node:stream';
import { test } from 'node:test';
import type { Link } from '@opentelemetry/api';
import { requestLink } from 'forktrace';
import WebSocket, { WebSocketServer } from 'ws';
import { listen, readUntil, until } from './traced-server.js';

test("a WebSocket's span ends with the handshake; later work can link to it", async (t) => {
  const server = http.createServer();
  const wss = new WebSocketServer({ server });
  let link: Link | undefined;
  wss.on('connection', (socket) => {
    link = requestLink();
    socket.on('message', (text) => socket.send(`echo ${text}`));
  });
  const { port, span } = await listen(t, server);
  t.after(() => wss.close());
  const client = new WebSocket(`ws://127.0.0.1:${port}/chat`);
  t.after(() => client.terminate());
  await new Promise((resolve) => client.once('open', resolve));
  const ended = await span();
  assert.equal(ended.name, 'GET');
  assert.equal(ended.attributes['http.response.status_code'], 101);
  assert.equal(ended.attributes['url.path'], '/chat');
  assert.equal(link?.context.spanId, ended.spanContext().spanId);
  client.send('hello');
  const answer = await new Promise((resolve) => client.once('message', (data) => resolve(String(data))));
  assert.equal(answer, 'echo hello');
  await span();
});

test('an upgrade that is refused has its status', async (t) => {
  const server = http.createServer();
  server.on('upgrade', (_request, socket) => socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n'));
  const { connect, span } = await listen(t, server);
  const socket = await connect();
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await readUntil(socket, '401');
  assert.equal((await span()).attributes['http.response.status_code'], 401);
});

test('an upgrade that is never answered is aborted when its socket closes', async (t) => {
  const server = http.createServer();
  let upgraded = false;
  server.on('upgrade', (_request, socket) => {
    upgraded = true;
    socket.on('error', () => {});
    socket.resume();
  });
  const { connect, span } = await listen(t, server);
  const socket = await connect();
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
  await until(() => upgraded, 'upgrade');
  socket.resetAndDestroy();
  assert.equal((await span()).attributes['error.type'], 'aborted');
});

test('an upgrade whose socket the app destroys does not blame the client; one whose client has left does', async (t) => {
  const server = http.createServer();
  server.on('upgrade', ({ url }, socket) => {
    socket.on('error', () => {});
    if (url === '/left') socket.on('end', () => socket.destroy()).resume();
    else socket.destroy(url === '/error' ? new RangeError('full') : undefined);
  });
  const { connect, spans } = await listen(t, server);
  const causes: unknown[] = [];
  for (const path of ['/', '/error', '/left']) {
    const socket = await connect();
    socket.on('error', () => {});
    socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`);
    if (path === '/left') socket.end();
    causes.push((await spans(causes.length + 1)).at(-1)!.attributes['error.type']);
  }
  assert.deepEqual(causes, ['closed_by_server', 'RangeError', 'aborted']);
});

test('CONNECT has a span that ends with the answer', async (t) => {
  const server = http.createServer();
  server.on('connect', (_request, socket) => socket.write('HTTP/1.1 200 Connection Established\r\n\r\n'));
  const { connect, span } = await listen(t, server);
  const socket = await connect();
  socket.write('CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n\r\n');
  await readUntil(socket, '200');
  const { name, attributes } = await span();
  assert.equal(name, 'CONNECT');
  assert.equal(attributes['http.response.status_code'], 200);
});

test('an upgrade is answered by a string, by bytes of any view, or by what tells no status', async (t) => {
  const refused = 'HTTP/1.1 403 Forbidden\r\nConnection: close\r\n\r\n';
  const bytes = new Uint8Array([0, ...Buffer.from(refused)]).subarray(1);
  const ANSWERS: [answer: (socket: Duplex) => void, status: number | undefined][] = [
    [(socket) => socket.write(refused, () => socket.end()), 403],
    [(socket) => socket.write(bytes, () => socket.end()), 403],
    [(socket) => socket.end('not HTTP at all\r\n'), undefined],
    [(socket) => socket.end(), undefined],
  ];
  for (const [answer, status] of ANSWERS) {
    const server = http.createServer();
    server.on('upgrade', (_request, socket) => answer(socket));
    const { connect, span } = await listen(t, server);
    const socket = await connect();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const { attributes } = await span();
    assert.deepEqual([attributes['http.response.status_code'], attributes['error.type']], [status, undefined]);
  }
});
