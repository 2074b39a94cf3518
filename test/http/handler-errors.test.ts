import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { test } from 'node:test';
import { SpanStatusCode } from '@opentelemetry/api';
import { listen, until } from './traced-server.js';

interface Told {
  port?: number;
  events?: { name: string; message: unknown; attribute: unknown; status: number }[];
}

/** Asks the fixture's server for `path`; its spans, as it tells them when it dies of the error. */
async function crash(path: string): Promise<{ told: Told[]; code: number | null }> {
  const child = fork(new URL('../fixtures/crashing-server.js', import.meta.url), { stdio: 'ignore' });
  try {
    const told: Told[] = [];
    child.on('message', (message) => told.push(message as Told));
    await until(() => told.length > 0, 'the port');
    http.get({ host: '127.0.0.1', port: told[0]!.port, path, agent: false }).on('error', () => {});
    const [code] = await once(child, 'exit');
    return { told: told.slice(1), code };
  } finally {
    child.kill('SIGKILL');
  }
}

for (const path of ['/sync', '/rejection']) {
  test(`an error that ends the process is on the span of its request (${path.slice(1)}), and the process ends as it would`, async () => {
    const { told, code } = await crash(path);
    assert.equal(code, 1);
    assert.deepEqual(told, [
      {
        events: [
          {
            name: 'exception',
            message: `thrown in ${path}`,
            attribute: `thrown in ${path}`,
            status: SpanStatusCode.ERROR,
          },
        ],
      },
    ]);
  });
}

test('an error that the process survives stays with the request that is answered later', async (t) => {
  const server = http.createServer((_request, response) => {
    setImmediate(() => {
      response.statusCode = 500;
      response.end();
    });
    throw new RangeError('in handler');
  });
  const { request, span } = await listen(t, server);
  const traced = server.emit;
  // What a domain or an `uncaughtException` listener does for a real server.
  server.emit = function emit(this: typeof server, ...args: [string, ...unknown[]]) {
    try {
      return traced.apply(this, args as never);
    } catch {
      return true;
    }
  } as typeof server.emit;
  assert.equal((await request('/')).status, 500);
  const { attributes, status, events } = await span();
  assert.equal(attributes['error.type'], 'RangeError');
  assert.deepEqual(status, { code: SpanStatusCode.ERROR, message: 'in handler' });
  assert.equal(events[0]?.name, 'exception');
});
