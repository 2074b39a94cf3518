import assert from 'node:assert/strict';
import { EventEmitter } from 'node:events';
import http, { type IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { watchRoutes } from 'forktrace';
import { listen } from './traced-server.js';

/**
 * Emits what adapters of serverless platforms and injecting test tools make up, and says which of it the
 * handler has seen.
 */
const ODD: Record<string, () => [unknown, unknown]> = {
  'no socket at all': () => {
    const message = new http.IncomingMessage(undefined as never);
    Object.assign(message, { method: 'GET', url: '/odd', headers: { host: 'a.example' } });
    return [message, new ServerResponse(message)];
  },
  'a socket that is a plain object': () => {
    const message = new http.IncomingMessage({ encrypted: true, remoteAddress: '10.0.0.1', readable: false } as never);
    Object.assign(message, { method: 'GET', url: '/odd', headers: { host: 'a.example' } });
    return [message, new ServerResponse(message)];
  },
  'a socket that is a stream': () => {
    const socket = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const message = new http.IncomingMessage(socket as never);
    Object.assign(message, { method: 'GET', url: '/odd' });
    const response = new ServerResponse(message);
    response.assignSocket(socket as never);
    return [message, response];
  },
  'a socket that was never connected': () => {
    const message = new http.IncomingMessage(new Socket());
    Object.assign(message, { method: 'GET', url: '/odd' });
    return [message, new ServerResponse(message)];
  },
  'plain objects': () => {
    const response = Object.assign(new EventEmitter(), { statusCode: 200, end() {} });
    return [{ method: 'GET', url: '/odd', headers: {} }, response];
  },
  'a response of another request': () => {
    const message = new http.IncomingMessage(new Socket());
    Object.assign(message, { method: 'GET', url: '/odd' });
    return [message, new ServerResponse({ method: 'GET' } as never)];
  },
};

for (const [what, make] of Object.entries(ODD)) {
  test(`a request with ${what} is served and traced`, async (t) => {
    let served = 0;
    const server = http.createServer((_request, response) => {
      served++;
      response.statusCode = 202;
      response.end('ok');
    });
    const { spans } = await listen(t, server);
    const [message, response] = make();
    server.emit('request', message as IncomingMessage, response as never);
    (response as ServerResponse).emit('finish');
    const [span] = await spans(1);
    assert.equal(served, 1);
    assert.equal(span!.attributes['url.path'], '/odd');
    assert.equal(span!.attributes['http.response.status_code'], 202);
    assert.equal(span!.attributes['error.type'], undefined);
  });
}

test('events about sockets that are missing or odd do not throw', async (t) => {
  const server = http.createServer();
  await listen(t, server);
  server.on('clientError', () => {});
  server.on('timeout', () => {});
  for (const socket of [undefined, null, {}, new Duplex()]) {
    server.emit('clientError', new Error('odd'), socket as never);
    server.emit('clientError', undefined as never, socket as never);
    server.emit('timeout', socket as never);
    server.emit('connect', {} as never, socket as never, Buffer.alloc(0));
  }
});

test('a request whose parts throw when they are read is served untraced, and that is said once', async (t) => {
  const warnings: string[] = [];
  const heard = (warning: NodeJS.ErrnoException) => void warnings.push(warning.code!);
  process.on('warning', heard);
  t.after(() => process.off('warning', heard));
  let served = 0;
  const server = http.createServer(() => void served++);
  const { request, span } = await listen(t, server);
  const throwing = new Proxy(
    {},
    {
      get: () => {
        throw new Error('not to be read');
      },
    },
  );
  server.emit('request', throwing as never, throwing as never);
  server.emit('request', throwing as never, throwing as never);
  assert.equal(served, 2);
  server.removeAllListeners('request');
  server.on('request', (_request, response) => response.end());
  await request('/');
  assert.equal((await span()).attributes['http.response.status_code'], 200);
  assert.deepEqual(warnings, ['FORKTRACE_HTTP_UNTRACED']);
});

test('an app whose parts throw when they are read is left alone', () => {
  watchRoutes(
    new Proxy(() => {}, {
      get: () => {
        throw new Error('not to be read');
      },
    }),
  );
  watchRoutes(
    new Proxy(
      {},
      {
        get: () => {
          throw new Error('not to be read');
        },
      },
    ),
  );
});
