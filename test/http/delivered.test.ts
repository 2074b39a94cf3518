import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createReadStream, writeFileSync } from 'node:fs';
import http, { type ServerResponse } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { tempDir } from '../process/temp-dir.js';
import { listen, readUntil, until } from './traced-server.js';

const BODY = Buffer.alloc(3 * 1024 * 1024, 'x');

test('a client that leaves as soon as it has all that Content-Length announced is no failure', async (t) => {
  const file = join(await tempDir(t), 'download');
  writeFileSync(file, BODY);
  const answers: Record<string, (response: ServerResponse) => void> = {
    '/stream': (response) => void createReadStream(file).pipe(response),
    '/late-end': (response) => {
      response.write(BODY);
      response.on('close', () => response.end());
    },
    '/pieces': (response) => {
      for (let at = 0; at < BODY.length; at += 65_536) response.write(BODY.subarray(at, at + 65_536));
    },
  };
  const { port, spans, exporter } = await listen(t, (request, response) => {
    response.writeHead(200, { 'content-length': BODY.length });
    answers[request.url!]!(response);
  });
  for (const path of Object.keys(answers)) {
    for (let i = 0; i < 10; i++) {
      const outgoing = http.get({ host: '127.0.0.1', port, path, agent: false });
      const [response] = (await once(outgoing, 'response')) as [http.IncomingMessage];
      let received = 0;
      response.on('data', (chunk: Buffer) => {
        received += chunk.length;
        if (received === BODY.length) response.socket.destroy();
      });
      response.on('error', () => {});
      const [span] = await spans(1);
      exporter.reset();
      assert.equal(span!.attributes['error.type'], undefined, path);
      assert.equal(span!.attributes['http.response.status_code'], 200);
    }
  }
});

test('a client that leaves before the last byte is aborted, with Content-Length and without', async (t) => {
  for (const headers of [{ 'content-length': 2 * BODY.length }, {}]) {
    const { connect, span } = await listen(t, (_request, response) => {
      response.writeHead(200, headers);
      response.write(BODY);
    });
    const socket = await connect();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await readUntil(socket, 'xxxx');
    socket.destroy();
    assert.equal((await span()).attributes['error.type'], 'aborted');
  }
});

test('a client that closes its half of the connection before the response is aborted', async (t) => {
  const server = http.createServer(() => {});
  const { connect, span } = await listen(t, server);
  const socket = await connect();
  socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  await once(server, 'request');
  socket.end();
  assert.equal((await span()).attributes['error.type'], 'aborted');
});

test('a response that the server destroys does not blame the client', async (t) => {
  const ways: Record<string, (response: ServerResponse) => void> = {
    'response.destroy()': (response) => void response.destroy(),
    'response.destroy(error)': (response) => void response.destroy(new RangeError('too much')),
    'request.destroy()': (response) => void response.req.destroy(),
    'socket.destroy()': (response) => void response.socket!.destroy(),
  };
  for (const [way, destroy] of Object.entries(ways)) {
    const { connect, span } = await listen(t, (_request, response) => {
      response.on('error', () => {});
      response.write('begun');
      destroy(response);
    });
    const socket = await connect();
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const { attributes } = await span();
    assert.equal(attributes['error.type'], way.includes('error') ? 'RangeError' : 'closed_by_server', way);
  }
});

test('what was sent counts: a status code set after the head has left is not one', async (t) => {
  const { request, spans, exporter } = await listen(t, (request, response) => {
    if (request.url === '/head') response.writeHead(201);
    else response.write('begun');
    response.statusCode = 500;
    response.end();
  });
  for (const [path, status] of [
    ['/head', 201],
    ['/body', 200],
  ] as const) {
    await request(path);
    const [span] = await spans(1);
    exporter.reset();
    assert.equal(span!.attributes['http.response.status_code'], status);
    assert.equal(span!.attributes['error.type'], undefined);
  }
});

test('responses that node:http gives by itself have spans: 503 for one request too many, 417, 400 without a Host', async (t) => {
  const server = http.createServer((_request, response) => response.end('ok'));
  server.maxRequestsPerSocket = 1;
  const { connect, spans, exporter } = await listen(t, server);
  const socket = await connect();
  socket.write('GET /one HTTP/1.1\r\nHost: a\r\n\r\nGET /two HTTP/1.1\r\nHost: a\r\n\r\n');
  await readUntil(socket, '503');
  const seen = async (count: number) => {
    const ended = await spans(count);
    exporter.reset();
    return ended.map(({ attributes }) => [attributes['url.path'], attributes['http.response.status_code']]);
  };
  assert.deepEqual(await seen(2), [
    ['/one', 200],
    ['/two', 503],
  ]);
  const expecting = await connect();
  expecting.write('GET /three HTTP/1.1\r\nHost: a\r\nExpect: the-impossible\r\n\r\n');
  await readUntil(expecting, '417');
  assert.deepEqual(await seen(1), [['/three', 417]]);
  const nameless = await connect();
  nameless.write('GET /four HTTP/1.1\r\n\r\n');
  await readUntil(nameless, '400');
  assert.deepEqual(await seen(1), [['/four', 400]]);
  await until(() => exporter.getFinishedSpans().length === 0, 'no more spans');
});
