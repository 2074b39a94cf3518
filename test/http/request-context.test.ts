/** What is active while a request is served, and what is not any more when its handler has returned. */
import assert from 'node:assert/strict';
import { AsyncLocalStorage, createHook } from 'node:async_hooks';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { context, createContextKey, ROOT_CONTEXT, trace } from '@opentelemetry/api';
import { listen, until } from './traced-server.js';

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
