import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { WebSocketServer } from 'ws';
import { BlockWatch } from '#src/coordinator/block-watch.js';
import type { WorkerProcess } from '#src/coordinator/worker-process.js';
import { InspectorLines } from '#src/forensics/inspector-lines.js';
import { waitFor } from '../process/wait-for.js';

type Answer = (call: { id: number }) => unknown;

/** An inspector that answers each call as it is told, and tells whose it was when the connection is over. */
async function inspector(t: TestContext, answer: Answer, looked: (slot: number) => void = () => {}) {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  t.after(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  await once(server, 'listening');
  server.on('connection', (socket, { url }) => {
    socket.on('error', () => {});
    socket.on('close', () => looked(Number(url!.slice(1))));
    socket.on('message', async (data) => {
      const said = await answer(JSON.parse(String(data)));
      if (said === 'close') socket.terminate();
      else if (said !== 'nothing') socket.send(typeof said === 'string' ? said : JSON.stringify(said));
    });
  });
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A worker whose heartbeats do not come, and whose inspector is somewhere else. */
function blockedWorker(slot: number, url: string): WorkerProcess {
  const lines = new InspectorLines(() => {});
  return {
    slot,
    pid: process.pid,
    peekable: true,
    debugged: false,
    heardAt: performance.now() - 10_000,
    stderr: { lines },
    kill: () => setImmediate(() => lines.filter(Buffer.from(`Debugger listening on ${url}/${slot}\n`))),
  } as unknown as WorkerProcess;
}

test('64 workers that are blocked at once: each has its stack, few are looked into at a time, all are told of', async (t) => {
  let [asked, most] = [0, 0];
  const answer: Answer = async ({ id }) => {
    most = Math.max(most, ++asked);
    await new Promise((resolve) => setTimeout(resolve, 10));
    asked--;
    return { id, result: { result: { value: { stack: '    at loop (/app.js:1:1)' } } } };
  };
  const url = await inspector(t, answer, (slot) => {
    // It goes on.
    workers[slot]!.heardAt = Number.POSITIVE_INFINITY;
    watch.heard(workers[slot]!);
  });
  const workers = Array.from({ length: 64 }, (_, slot) => blockedWorker(slot, url));
  const stacks: (string | undefined)[] = [];
  const told: string[][] = [];
  const watch = new BlockWatch(
    () => workers,
    (_, { stack }) => stacks.push(stack),
    (blocked) => told.push(blocked.map(({ state }) => state)),
  );
  watch.start();
  t.after(() => watch.stop());
  await waitFor(
    () => stacks.length === 64,
    () => `${stacks.length} of 64 have been looked into`,
  );
  assert.ok(stacks.every((stack) => stack?.includes('loop')));
  assert.equal(Math.max(...told.map(({ length }) => length)), 64);
  assert.ok(told.some((states) => states.includes('runs JavaScript')));
  assert.deepEqual(told.at(-1), [], 'they go on');
  assert.ok(most > 1 && most <= 4, `${most} at once`);
});

for (const [what, answer] of [
  ['says nothing', () => 'nothing'],
  ['closes', () => 'close'],
  ['says no JSON', () => '}{'],
  ['answers other calls', ({ id }) => ({ id: id + 7, result: {} })],
  ['answers null', () => 'null'],
  ['answers with an error', ({ id }) => ({ id, error: { message: 7 } })],
  ['answers with a number for a stack', ({ id }) => ({ id, result: { result: { value: { stack: 7 } } } })],
  ['answers without a result', ({ id }) => ({ id })],
  ['answers with a text for a result', ({ id }) => ({ id, result: 'x' })],
] as [string, Answer][]) {
  test(`a worker that ${what} when it is looked into: its restart waits for half a second at most`, async (t) => {
    const url = await inspector(t, answer);
    const worker = blockedWorker(0, url);
    const watch = new BlockWatch(
      () => [worker],
      () => {},
    );
    const startedAt = performance.now();
    await watch.beforeKill(worker);
    const tookMs = performance.now() - startedAt;
    assert.ok(tookMs < 500 + LOADED_MS, `${tookMs} ms`);
    assert.equal(watch.take(worker)?.stack, undefined);
  });
}

/** The timer of a process on a machine under load comes late. */
const LOADED_MS = 250;
