import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { test } from 'node:test';
import { SpanStatusCode } from '@opentelemetry/api';
import { until } from './traced-server.js';

interface Told {
  port?: number;
  events?: { name: string; message: unknown; attribute: unknown; status: number }[];
  errorTypes?: unknown[];
}

/** Asks the fixture's server for `path`; its spans, as it tells them when it dies of the error. */
async function crash(path: string): Promise<{ told: Told[]; code: number | null; stderr: string }> {
  const child = fork(new URL('../fixtures/crashing-server.js', import.meta.url), {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let stderr = '';
  child.stderr!.setEncoding('utf8').on('data', (text) => {
    stderr += text;
  });
  try {
    const told: Told[] = [];
    child.on('message', (message) => told.push(message as Told));
    await until(() => told.length > 0, 'the port');
    http.get({ host: '127.0.0.1', port: told[0]!.port, path, agent: false }).on('error', () => {});
    const [code] = await once(child, 'close');
    return { told: told.slice(1), code, stderr };
  } finally {
    child.kill('SIGKILL');
  }
}

const event = (path: string) => ({
  name: 'exception',
  message: `thrown in ${path}`,
  attribute: `thrown in ${path}`,
  status: SpanStatusCode.ERROR,
});

for (const path of ['/sync', '/rejection']) {
  test(`an error that ends the process is on the span of its request (${path.slice(1)}), and the process ends as it would`, async () => {
    const { told, code } = await crash(path);
    assert.equal(code, 1);
    assert.deepEqual(told, [{ events: [event(path)], errorTypes: [null] }]);
  });
}

test('an error that the process survives stays with the request that is answered later', async () => {
  const { told, code } = await crash('/survived');
  assert.equal(code, 0);
  assert.deepEqual(told, [{ events: [event('/survived')], errorTypes: ['Error'] }]);
});

test('above the stack of an error that ends the process stands the line of the handler', async () => {
  const { stderr } = await crash('/sync');
  assert.match(stderr, /^\S+crashing-server\.[jt]s:\d+\n\s+throw new Error\(/);
});
