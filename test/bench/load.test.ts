import assert from 'node:assert/strict';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type TestContext, test } from 'node:test';
import { type FlatOut, guarded, Load, latencyOf } from '#bench/load.js';
import { waitFor } from '../process/wait-for.js';

async function listen(t: TestContext, onRequest: RequestListener) {
  const server = createServer(onRequest);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const load = new Load();
  t.after(async () => {
    await load.stop();
    server.closeAllConnections();
    server.close();
  });
  return { server, load, target: { port: (server.address() as AddressInfo).port, path: '/' } };
}

async function serve(t: TestContext, onRequest: (n: number) => number | undefined) {
  let requests = 0;
  const { load, target } = await listen(t, (_, response) => {
    const delayMs = onRequest(++requests);
    const answer = () => response.setHeader('content-length', 2).end('ok');
    if (delayMs === undefined) answer();
    else setTimeout(answer, delayMs);
  });
  return { load, target, requests: () => requests };
}

test('each connection has had a response before a run, and a run sends what it is told', async (t) => {
  const { load, target, requests } = await serve(t, () => undefined);
  await load.connect({ ...target, connections: 150 });
  assert.equal(requests(), 150);
  const { done, perSecond } = await load.flatOut(1000);
  assert.equal(done, 1000);
  assert.equal(requests(), 1150);
  assert.ok(perSecond > 0);
});

test('connections stay open between runs when they are to be kept', async (t) => {
  const { load, target, requests } = await serve(t, () => undefined);
  await load.connect({ ...target, connections: 3 });
  await load.flatOut(100, true);
  await load.atRate(100, 100, true);
  await load.flatOut(100);
  assert.equal(requests(), 213, 'each connection has had one first request');
});

test('a stalled server cannot hide it: latency counts from when a request was due', async (t) => {
  // One of 200 requests is held for half a second, and with it the only connection.
  const { load, target } = await serve(t, (n) => (n === 50 ? 500 : undefined));
  await load.connect({ ...target, connections: 1 });
  const { latencies, answeredAt, isLate } = await load.atRate(200, 1000);
  assert.equal(latencies.length, 200);
  assert.equal(isLate.length, 200);
  assert.equal(answeredAt.length, 200);
  const { p50, p99 } = latencyOf(latencies);
  assert.ok(p99 > 400, `p99 ${p99} ms`);
  // About a hundred requests were due while it was held; measured from when they were sent, only one would be
  // slow.
  assert.ok(p50 > 1, `p50 ${p50} ms`);
});

test('requests that meet a generator that is held up are known', async (t) => {
  const { load, target } = await serve(t, () => undefined);
  await load.connect({ ...target, connections: 4 });
  // On a busy machine it may be held up at any time.
  await waitFor(async () => (await load.atRate(500, 200, true)).isLate.includes(false), 'a request in time');
  const running = load.atRate(500, 1500);
  await new Promise((resolve) => setTimeout(resolve, 500));
  load.signal('SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 200));
  load.signal('SIGCONT');
  const { latencies, isLate } = await running;
  const slow = isLate.filter((_, index) => latencies[index]! > 50);
  assert.ok(slow.length > 10, `${slow.length} were due while it was stopped`);
  assert.ok(slow.every((late) => late));
});

test('a connection that the server closes ends the run, and the next one', async (t) => {
  let requests = 0;
  const { server, load, target } = await listen(t, (_, response) => {
    if (++requests === 50) server.closeAllConnections();
    else response.setHeader('content-length', 2).end('ok');
  });
  await load.connect({ ...target, connections: 3 });
  await assert.rejects(load.flatOut(100_000, true), /the server has closed a connection/);
  await assert.rejects(load.atRate(100, 1000, true), /the server has closed a connection/);
});

test('a request that is not answered with 200 fails the run', async (t) => {
  const { load, target } = await listen(t, (_, response) => response.writeHead(500, { 'content-length': 0 }).end());
  await load.connect({ ...target, connections: 1 });
  await assert.rejects(load.flatOut(10), /10 of 10 requests failed/);
});

test('a run in which start-up shows is repeated, and fails when it always does', async () => {
  const shares = [0.2, 0.08, 0.07];
  const runs: FlatOut[] = [];
  const run = async () => {
    runs.push({ done: 1, seconds: 1, perSecond: 1, startUpShare: shares[runs.length] ?? 0.2 });
    return runs.at(-1)!;
  };
  assert.equal((await guarded(run)).startUpShare, 0.07);
  assert.equal(runs.length, 3);
  await assert.rejects(guarded(run), /start-up took 20\.0 % of each of 4 runs; at most 7 % is sound/);
});
