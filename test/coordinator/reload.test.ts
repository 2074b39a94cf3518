import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeepAliveLoad } from './keep-alive-load.js';
import { RunningCluster, until } from './running-cluster.js';

test('a reload under keep-alive load replaces every worker and refuses or resets no request', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 2 }, { behaviour: { version: 'old' } });
  const before = (await cluster.stats()).workers.map(({ pid }) => pid);
  const load = new KeepAliveLoad(cluster, 64, '/?ms=100');
  await until('the load has begun', () => load.served.length > 200);
  cluster.behave({ version: 'new' });
  assert.deepEqual(await cluster.ask('reload'), [0, 1]);
  const served = load.served.length;
  await until('the new workers serve', () => load.served.length > served + 200);
  await load.stop();
  assert.deepEqual(load.failures, []);
  assert.ok(load.served.slice(-100).every(({ version }) => version === 'new'));
  const after = (await cluster.stats()).workers;
  assert.ok(after.every(({ pid, incarnation }) => !before.includes(pid) && incarnation === 1));
  assert.deepEqual(
    cluster.hooks('childExit').map(({ args }) => [args[0].slot, args[0].planned, args[0].code]),
    [0, 1].map((slot) => [slot, true, 0]),
    'one slot at a time, in order',
  );
});

test('a new worker is ready before its old one is told to stop, one slot at a time', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 2 });
  await cluster.ask('reload');
  await until('both old ones are gone', () => cluster.hooks('childExit').length === 2);
  const order = cluster
    .hooks()
    .map(({ hook, args }) => `${hook} ${args[0]?.slot ?? ''}`.trim())
    .slice(cluster.hooks().findIndex(({ hook }) => hook === 'onReload'));
  // When the old worker is gone depends on the load; the next slot does not wait for that.
  const starts = (slot: number) => [`preFork ${slot}`, `onWorkerStart ${slot}`, `onWorkerReady ${slot}`];
  const ends = ['childExit 0', 'childExit 1'];
  assert.deepEqual(
    order.filter((event) => !ends.includes(event)),
    ['onReload', ...starts(0), ...starts(1)],
  );
  for (const slot of [0, 1]) assert.ok(order.indexOf(`onWorkerReady ${slot}`) < order.indexOf(`childExit ${slot}`));
});

for (const boot of ['throw', 'hang'] as const) {
  test(`a reload stops and keeps the old workers when a new one fails (${boot})`, async (t) => {
    const cluster = await RunningCluster.ready(
      t,
      // What hangs costs the test this time; less, and a busy machine has no three workers ready in it.
      { workers: 3, supervise: { readyTimeoutMs: boot === 'hang' ? 8000 : 30_000 } },
      { behaviour: {} },
    );
    const before = (await cluster.stats()).workers.map(({ pid }) => pid);
    cluster.behave({ slots: [1], boot });
    await assert.rejects(cluster.ask('reload'), { code: 'FORKTRACE_RELOAD_ABORTED' });
    const stats = await cluster.settled('three serve', ({ ready, phase }) => ready === 3 && phase === 'running');
    assert.notEqual(stats.workers[0]!.pid, before[0], 'slot 0 had been replaced');
    assert.equal(stats.workers[1]!.pid, before[1]);
    assert.equal(stats.workers[2]!.pid, before[2]);
    assert.equal(stats.restarts, 0);
    cluster.behave({});
    assert.deepEqual(await cluster.ask('reload'), [0, 1, 2], 'the next reload is not affected');
  });
}

test('SIGHUP reloads; one during a reload is followed by another reload', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 2 });
  cluster.process.kill('SIGHUP');
  await until('a reload has begun', () => cluster.hooks('onReload').length === 1);
  cluster.process.kill('SIGHUP');
  cluster.process.kill('SIGHUP');
  const stats = await cluster.settled(
    'both were replaced twice',
    ({ workers, phase }) => phase === 'running' && workers.every(({ incarnation }) => incarnation === 2),
  );
  assert.equal(stats.ready, 2);
  assert.equal(cluster.hooks('onReload').length, 2);
});

test('a worker that dies during a reload is respawned, and the reload goes on', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 3, supervise: { backoffMinMs: 20 } });
  const victim = await cluster.pidOf(2);
  const reload = cluster.ask<number[]>('reload');
  process.kill(victim, 'SIGKILL');
  assert.deepEqual(await reload, [0, 1, 2]);
  const stats = await cluster.settled('all serve', ({ ready }) => ready === 3);
  assert.ok(stats.workers.every(({ pid }) => pid !== victim));
});

test('a termination signal during a reload ends the cluster', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 2 }, { behaviour: {} });
  cluster.behave({ delay: 20_000 });
  const reload = assert.rejects(cluster.ask('reload'), { code: 'FORKTRACE_RELOAD_ABORTED' });
  await until('a new worker starts', () => cluster.hooks('onWorkerStart').length === 3);
  cluster.process.kill('SIGTERM');
  await reload;
  assert.deepEqual(await cluster.end(), { code: null, signal: 'SIGTERM' });
});
