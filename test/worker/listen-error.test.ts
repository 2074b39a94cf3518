import assert from 'node:assert/strict';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { test } from 'node:test';
import { ForktraceError } from '#src/errors.js';
import { holderOf, listenError } from '#src/worker/listen-error.js';

const failed = (code: string) => Object.assign(new Error(`listen ${code}`), { code });

test('why a server cannot listen: the address as it was asked for, and what the code means', () => {
  const cases: [code: string, address: object, message: RegExp][] = [
    ['EADDRINUSE', { path: '/run/app.sock' }, /\/run\/app\.sock.*it is in use \(EADDRINUSE\)/],
    ['EACCES', { port: 80 }, /port 80.*this user may not \(EACCES\); ports below 1024 need a privilege/],
    ['EADDRNOTAVAIL', { host: '203.0.113.9', port: 80 }, /203\.0\.113\.9:80.*no such address \(EADDRNOTAVAIL\)/],
    ['ENOTFOUND', { host: 'nowhere.invalid', port: 80 }, /nowhere\.invalid:80.*the host is not known \(ENOTFOUND\)/],
  ];
  for (const [code, address, message] of cases) {
    const cause = failed(code);
    const error = listenError(cause, address);
    assert.ok(error instanceof ForktraceError, code);
    assert.deepEqual([error.code, error.cause], ['FORKTRACE_LISTEN', cause]);
    assert.match(error.message, message);
  }
  const other = failed('EMFILE');
  assert.equal(listenError(other, { port: 80 }), other, 'an error that is not about the address is as it was');
});

test('who has a port is named, where this user may see it', async (t) => {
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const holder = holderOf(port)!;
  assert.ok(holder.endsWith(` (pid ${process.pid})`), holder);
  assert.ok(holder.length <= 80 + ` (pid ${process.pid})`.length, 'a long command is cut');
  const error = listenError(failed('EADDRINUSE'), { port }) as Error;
  assert.ok(error.message.includes(`it is in use by ${holder} (EADDRINUSE)`), error.message);
  server.close();
  await once(server, 'close');
  assert.equal(holderOf(port), undefined);
  assert.match((listenError(failed('EADDRINUSE'), { port }) as Error).message, /it is in use \(EADDRINUSE\)/);
});
