import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningCluster, until } from './running-cluster.js';

const supervise = { heartbeatTimeoutMs: 0, backoffMinMs: 1000, backoffMaxMs: 1000 };

test('a connection on its way to a worker that dies is served by another one', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 2, supervise });
  const stopped = await cluster.pidOf(0);
  process.kill(stopped, 'SIGSTOP');
  // node:cluster deals in turn: one of these is handed to the stopped worker, and waits there.
  const requests = Array.from({ length: 6 }, () => cluster.get());
  let answered = 0;
  for (const request of requests) void request.then(() => answered++);
  await until('all but one are answered', () => answered === 5);
  process.kill(stopped, 'SIGKILL');
  for (const { slot } of await Promise.all(requests)) assert.equal(slot, 1);
});

test('also when the exit of the dead worker is known before the end of its channel', { timeout: 60_000 }, async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 2, supervise });
  const stopped = await cluster.pidOf(0);
  await cluster.get(`/hold-channel?hold=2000&pid=${stopped}`);
  await cluster.get(`/hold-channel?hold=2000&pid=${stopped}`);
  process.kill(stopped, 'SIGSTOP');
  const requests = Array.from({ length: 6 }, () => cluster.get());
  let answered = 0;
  for (const request of requests) void request.then(() => answered++);
  await until('all but one are answered', () => answered === 5);
  process.kill(stopped, 'SIGKILL');
  for (const { slot } of await Promise.all(requests)) assert.equal(slot, 1);
});

test('with nobody left to serve it, it is closed, and the client need not wait for ever', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1, supervise });
  const stopped = await cluster.pidOf(0);
  process.kill(stopped, 'SIGSTOP');
  const failed = cluster.get().catch((error) => error as Error);
  await new Promise((resolve) => setTimeout(resolve, 300));
  process.kill(stopped, 'SIGKILL');
  assert.ok((await failed) instanceof Error);
});

test('a worker that only starts does not count as somebody left to serve', async (t) => {
  const cluster = await RunningCluster.ready(
    t,
    { workers: 2, supervise: { ...supervise, backoffMinMs: 20, backoffMaxMs: 20 } },
    { behaviour: {} },
  );
  cluster.behave({ delay: 20_000 });
  process.kill(await cluster.pidOf(1), 'SIGKILL');
  await cluster.settled('a slow one starts', ({ workers }) => workers[1]!.state === 'starting' && !!workers[1]!.pid);
  const stopped = await cluster.pidOf(0);
  process.kill(stopped, 'SIGSTOP');
  const failed = cluster.get().catch((error) => error as Error);
  await new Promise((resolve) => setTimeout(resolve, 300));
  process.kill(stopped, 'SIGKILL');
  assert.ok((await failed) instanceof Error);
});
