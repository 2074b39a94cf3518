import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeepAliveLoad } from './keep-alive-load.js';
import { RunningCluster, until } from './running-cluster.js';

test('scaling up adds slots, scaling down drains the highest, and no request is lost', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 2 });
  const load = new KeepAliveLoad(cluster, 16, '/?ms=2');
  await cluster.ask('scale', 4);
  let stats = await cluster.stats();
  assert.deepEqual(
    stats.workers.map(({ slot, state }) => [slot, state]),
    [0, 1, 2, 3].map((slot) => [slot, 'ready']),
  );
  await cluster.ask('scale', 1);
  stats = await cluster.stats();
  assert.deepEqual(
    stats.workers.map(({ slot }) => slot),
    [0],
  );
  const served = load.served.length;
  await until('slot 0 serves alone', () => load.served.length > served + 100);
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert.deepEqual(
    cluster.hooks('onScale').map(({ args }) => args[0]),
    [
      { from: 2, to: 4 },
      { from: 4, to: 1 },
    ],
  );
  assert.ok(cluster.hooks('childExit').every(({ args }) => args[0].planned));
});

test('scaling to a number that makes no sense is refused', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1 });
  for (const wrong of [0, -1, 1.5, 'four', 1e9]) {
    await assert.rejects(cluster.ask('scale', wrong), { code: 'FORKTRACE_CONFIG_INVALID' });
  }
  assert.equal((await cluster.stats()).size, 1);
});

test('scaling up to workers that do not start says so, and the ones that serve go on', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1, supervise: { backoffMinMs: 50 } }, { behaviour: {} });
  cluster.behave({ slots: [1], boot: 'throw' });
  await assert.rejects(cluster.ask('scale', 2), { code: 'FORKTRACE_SCALE_FAILED' });
  cluster.behave({});
  await cluster.settled('the second is tried again', ({ ready }) => ready === 2);
});

test('scaling during a reload: the slots that stay are replaced', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 3 });
  const reload = cluster.ask<number[]>('reload');
  await cluster.ask('scale', 2);
  assert.deepEqual(await reload, [0, 1]);
  assert.equal((await cluster.stats()).ready, 2);
});
