import assert from 'node:assert/strict';
import { once } from 'node:events';
import { chmodSync, existsSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { resolveConfig } from '#src/config/resolve.js';
import type { ResolvedExport } from '#src/config/resolved.js';
import { receiveDestinations, removeDeadSockets, sendDestination } from '#src/shipper/destination-messages.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

const target: ResolvedExport = resolveConfig({}, { FORKTRACE_EXPORT: 'otlp-grpc' }).export;
const socketIn = (dir: string) => readdirSync(dir).find((name) => name.endsWith('.sock'));

test('the shipper takes a destination that is whole, from whoever, and nothing else', async (t) => {
  const dir = await tempDir(t);
  chmodSync(dir, 0o700);
  const heard: string[] = [];
  const end = receiveDestinations(dir, (one, at) => heard.push(`${one.to} ${at}`));
  // A second time, too: what it has closed then may be somebody else's by now.
  t.after(end);
  await waitFor(
    () => socketIn(dir) !== undefined,
    () => 'a socket',
  );
  const client = connect(join(dir, socketIn(dir)!));
  client.on('error', () => {});
  t.after(() => client.destroy());
  await once(client, 'connect');
  const say = (message: unknown) =>
    client.write(`${typeof message === 'string' ? message : JSON.stringify(message)}\n`);
  const of = (more: object, at: unknown = 1) => ({ type: 'destination', export: { ...target, ...more }, at });
  const WRONG = [
    ...['no JSON', '7', 'null', '{}', { type: 'other', export: target, at: 1 }, of({}, 'now'), of({}, null)],
    ...[{ type: 'destination', export: null, at: 1 }, of({ to: 'ftp' }), of({ to: 7 }), of({ url: 7 })],
    ...[of({ headers: null }), of({ headers: [] }), of({ tls: 'x' }), of({ compression: 'br' })],
    ...[of({ timeoutMs: 'x' }), of({ maxRequestBytes: 0.5 }), of({ gatherMs: 'x' }), of({ logs: { to: 'otlp-grpc' } })],
  ];
  for (const message of WRONG) say(message);
  say(of({ to: 'otlp-http', url: 'http://c:4318', gatherMs: 5, maxRequestBytes: 1, logs: target }, 42));
  say(of({ to: 'none' }, 43));
  await waitFor(
    () => heard.length >= 2,
    () => `two are heard: ${heard}`,
  );
  assert.deepEqual(heard, ['otlp-http 42', 'none 43']);

  // A message without end.
  const closed = new Promise((resolve) => client.once('close', resolve));
  client.write('x'.repeat(8 * 1024 * 1024));
  await closed;
  end();
  await waitFor(
    () => socketIn(dir) === undefined,
    () => 'the socket is gone',
  );
});

test('a writer tells every shipper that follows, each word once, and the newest when it changes', async (t) => {
  const dir = await tempDir(t);
  chmodSync(dir, 0o700);
  writeFileSync(join(dir, 'shipper-1-1.sock'), '');
  const heard: (string | undefined)[] = [];
  t.after(receiveDestinations(dir, ({ url }) => heard.push(url)));
  assert.ok(!existsSync(join(dir, 'shipper-1-1.sock')), 'what a dead shipper left is removed');
  const next = sendDestination(dir, undefined);
  t.after(() => next(undefined));
  next({ ...target, url: 'http://first' });
  await waitFor(
    () => heard.length >= 1,
    () => 'the first',
  );
  next({ ...target, url: 'http://second' });
  await waitFor(
    () => heard.includes('http://second'),
    () => `the second: ${heard}`,
  );
  assert.deepEqual(heard, ['http://first', 'http://second']);
  next(undefined);
  // Nothing to say: it connects and is silent.
  sendDestination(dir, undefined)(undefined);
});

test('a directory of somebody else, a link, or none holds no socket of ours', async (t) => {
  const dir = await tempDir(t);
  mkdirSync(join(dir, 'real'), { mode: 0o700 });
  symlinkSync(join(dir, 'real'), join(dir, 'link'));
  mkdirSync(join(dir, 'open'));
  chmodSync(join(dir, 'open'), 0o777);
  for (const name of ['missing', 'link', 'open']) {
    const place = join(dir, name);
    receiveDestinations(place, () => assert.fail('heard'))();
    sendDestination(place, target)(undefined);
    removeDeadSockets(place);
  }
  assert.deepEqual(
    ['real', 'open'].map((name) => readdirSync(join(dir, name))),
    [[], []],
  );
});
