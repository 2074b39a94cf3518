import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningCluster, until } from './running-cluster.js';

test('hooks come in the order of what happens, with their arguments', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 2 });
  const pids = (await cluster.stats()).workers.map(({ pid }) => pid);
  cluster.process.kill('SIGTERM');
  await cluster.end();
  const names = cluster.hooks().map(({ hook }) => hook);
  assert.equal(names[0], 'onStarting');
  assert.equal(names.at(-1), 'onExit');
  assert.deepEqual(
    names.filter((name) => name === 'onReady'),
    ['onReady'],
  );
  for (const slot of [0, 1]) {
    const own = cluster.hooks().filter(({ args }) => args[0]?.slot === slot);
    assert.deepEqual(
      own.map(({ hook }) => hook),
      ['preFork', 'onWorkerStart', 'onWorkerReady', 'childExit'],
    );
    assert.deepEqual(own[0]!.args[0], { slot, incarnation: 0 });
    assert.deepEqual(own[1]!.args[0], { slot, pid: pids[slot] });
    assert.deepEqual(own[2]!.args[0], { slot, pid: pids[slot] });
    assert.deepEqual(own[3]!.args[0], {
      slot,
      pid: pids[slot],
      code: 0,
      cause: 'stop',
      signal: null,
      planned: true,
      spansRecovered: 0,
      requestsInterrupted: 0,
    });
  }
  const at = (hook: string) => names.lastIndexOf(hook);
  assert.ok(at('onReady') > at('onWorkerReady'));
  assert.ok(at('onExit') > at('childExit'));
});

const every = ['onStarting', 'preFork', 'onWorkerStart', 'onWorkerReady', 'onReady', 'childExit', 'onReload', 'onExit'];

for (const fault of ['throw', 'hang'] as const) {
  test(`hooks that ${fault} are said with their names and take nothing down`, async (t) => {
    const env = Object.fromEntries(every.map((name) => [`HOOK_${name}`, fault]));
    const cluster = await RunningCluster.ready(t, { workers: 1, hooks: { timeoutMs: 200 } }, { env });
    await cluster.get();
    await cluster.ask('reload');
    await until('the old one is told of', () => cluster.hooks('childExit').length === 1);
    cluster.process.kill('SIGTERM');
    assert.deepEqual(await cluster.end(), { code: null, signal: 'SIGTERM' });
    for (const name of every) {
      const said =
        fault === 'throw'
          ? `Hook ${name} failed: Error: ${name} is broken`
          : `Hook ${name} did not finish within 200 ms`;
      assert.ok(cluster.output.includes(said), `${said}\n${cluster.output}`);
    }
  });
}

test('the worker’s hooks: postFork before the app, workerReady before ready, workerStopping with its reason, workerExit', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1 }, { fixture: 'worker-hooks' });
  await cluster.ask('reload');
  cluster.process.kill('SIGTERM');
  await cluster.end();
  for (const [incarnation, reason] of [
    [0, 'reload'],
    [1, 'shutdown'],
  ] as const) {
    assert.deepEqual(
      cluster.lines.filter((line) => line.incarnation === incarnation).map(({ worker, reason }) => [worker, reason]),
      [
        ['postFork', undefined],
        ['app', undefined],
        ['workerReady', undefined],
        ['workerStopping', reason],
        ['onShutdown', undefined],
        ['workerExit', undefined],
      ],
    );
  }
  const order = cluster.lines.map((line) => line.worker ?? line.hook);
  assert.ok(order.indexOf('workerReady') < order.indexOf('onWorkerReady'), 'ready means that workerReady has finished');
});
