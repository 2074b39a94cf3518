import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alive, RunningCluster } from './running-cluster.js';

const supervise = { heartbeatTimeoutMs: 1500, backoffMinMs: 20 };

test('a worker whose event loop is blocked is killed and replaced', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1, supervise });
  const pid = await cluster.pidOf(0);
  const blocked = cluster.get('/block?ms=600000').catch((error) => error as Error);
  assert.equal((await cluster.death(pid)).signal, 'SIGKILL');
  assert.ok((await blocked) instanceof Error);
  await cluster.settled('the next one is ready', ({ ready, workers }) => ready === 1 && workers[0]!.incarnation === 1);
  assert.match(cluster.output, /its event loop was blocked for 1500 ms/);
});

test('a worker that is stopped by SIGSTOP is killed and replaced', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1, supervise });
  const pid = await cluster.pidOf(0);
  process.kill(pid, 'SIGSTOP');
  assert.equal((await cluster.death(pid)).signal, 'SIGKILL');
  await cluster.settled('the next one is ready', ({ ready }) => ready === 1);
});

test('a worker with a debugger open may stand still', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1, supervise });
  const { pid } = await cluster.get('/inspect');
  await cluster.settled('the coordinator knows', ({ workers }) => workers[0]!.debugged);
  await cluster.get('/block?ms=3500');
  assert.ok(alive(pid));
  assert.equal((await cluster.stats()).workers[0]!.pid, pid);
  assert.equal(cluster.hooks('childExit').length, 0);
});

test('a coordinator that was itself suspended does not kill its workers for it', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 2, supervise });
  const before = (await cluster.stats()).workers.map(({ pid }) => pid);
  // The whole group, as a frozen container or a closed laptop would.
  process.kill(-cluster.pid, 'SIGSTOP');
  await new Promise((resolve) => setTimeout(resolve, 2500));
  process.kill(-cluster.pid, 'SIGCONT');
  await cluster.settled('heartbeats again', ({ uptimeMs }) => uptimeMs > 3500);
  assert.deepEqual(
    (await cluster.stats()).workers.map(({ pid }) => pid),
    before,
  );
  assert.equal(cluster.hooks('childExit').length, 0);
});
