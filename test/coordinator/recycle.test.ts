import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeepAliveLoad } from './keep-alive-load.js';
import { RunningCluster } from './running-cluster.js';

test('a worker is recycled after maxRequests, its successor ready first, and no request is lost', async (t) => {
  const cluster = await RunningCluster.ready(t, {
    workers: 2,
    supervise: { maxRequests: 300, heartbeatTimeoutMs: 2000 },
  });
  const load = new KeepAliveLoad(cluster, 8, '/?ms=1');
  await cluster.settled('both were recycled', ({ workers }) => workers.every(({ incarnation }) => incarnation! >= 1));
  await load.stop();
  assert.deepEqual(load.failures, []);
  const stats = await cluster.stats();
  assert.equal(stats.restarts, 0, 'a planned end is no death');
  assert.ok(cluster.hooks('childExit').every(({ args }) => args[0].planned));
});

test('a worker that holds more than maxMemory is recycled', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1, supervise: { maxMemory: 300 * 2 ** 20 } });
  const pid = await cluster.pidOf(0);
  await cluster.get(`/grow?bytes=${300 * 2 ** 20}`);
  assert.equal((await cluster.death(pid)).planned, true);
  const stats = await cluster.settled('the next serves', ({ ready }) => ready === 1);
  assert.equal(stats.workers[0]!.incarnation, 1);
});
