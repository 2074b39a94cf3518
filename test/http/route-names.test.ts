import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setRoute } from '#src/http/active-request.js';
import { listen } from './traced-server.js';

test('a route that several methods have is named by the method of each request', async (t) => {
  const { connect, spans } = await listen(t, (_request, response) => {
    setRoute('/items/:id');
    response.end('ok');
  });
  const socket = await connect();
  const methods = ['GET', 'POST', 'GET', 'POST'];
  socket.write(methods.map((method) => `${method} /items/1 HTTP/1.1\r\nHost: a\r\n\r\n`).join(''));
  const names = (await spans(4)).map(({ name }) => name);
  assert.deepEqual(names, ['GET /items/:id', 'POST /items/:id', 'GET /items/:id', 'POST /items/:id']);
});
