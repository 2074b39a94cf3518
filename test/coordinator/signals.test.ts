import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { SECOND_SIGNAL_AFTER_MS } from '#src/process/termination-signals.js';
import { alive, RunningCluster, until } from './running-cluster.js';

async function pids(cluster: RunningCluster): Promise<number[]> {
  return (await cluster.stats()).workers.map(({ pid }) => pid!);
}

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal} lets requests finish, and the coordinator dies of it as an untraced process would`, async (t) => {
    const cluster = await RunningCluster.ready(t, { workers: 2 });
    const workers = await pids(cluster);
    const slow = cluster.get('/?ms=700');
    await cluster.says('arrived');
    cluster.process.kill(signal);
    assert.ok((await slow).pid);
    assert.deepEqual(await cluster.end(), { code: null, signal });
    for (const pid of workers) assert.equal(alive(pid), false);
    assert.equal(cluster.hooks('onExit').length, 1);
    assert.deepEqual(
      cluster.hooks('childExit').map(({ args }) => args[0].planned),
      [true, true],
    );
  });
}

test('Ctrl-C reaches the whole process group: nothing is respawned, nothing is forced', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 2 });
  const slow = cluster.get('/?ms=500');
  await cluster.says('arrived');
  process.kill(-cluster.pid, 'SIGINT');
  assert.ok((await slow).pid);
  assert.deepEqual(await cluster.end(), { code: null, signal: 'SIGINT' });
  assert.equal(cluster.hooks('onWorkerStart').length, 2);
});

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  test(`${signal} to the whole process group, at any time: no death is reported, none is respawned`, async (t) => {
    for (const when of ['serving', 'starting', 'reloading'] as const) {
      const start = when === 'starting' ? 'start' : 'ready';
      const cluster = await RunningCluster[start](t, { workers: 4 }, { behaviour: { delay: 300 } });
      if (when === 'starting') await until('workers start', () => cluster.hooks('onWorkerStart').length === 4);
      const reload = when === 'reloading' ? cluster.ask('reload').catch((error: Error) => error) : undefined;
      if (reload) await until('a successor starts', () => cluster.hooks('onWorkerStart').length > 4);
      const forked = cluster.hooks('onWorkerStart').length;
      process.kill(-cluster.pid, signal);
      assert.deepEqual(await cluster.end(), { code: null, signal }, when);
      const warnings = cluster.output.split('\n').filter((line) => line.includes('FORKTRACE_'));
      assert.ok(
        warnings.every((line) => line.includes('the cluster is stopping')),
        `${when}: ${cluster.output}`,
      );
      assert.equal(cluster.hooks('onWorkerStart').length, forked, when);
      const exits = cluster.hooks('childExit').map(({ args }) => args[0]);
      assert.ok(
        exits.every(({ planned, cause }) => planned && cause === 'stop'),
        JSON.stringify(exits),
      );
    }
  });
}

test('a signal that comes twice at once is one; a second one, later, forces the exit', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 2 });
  const workers = await pids(cluster);
  const hanging = cluster.get('/?ms=60000').catch((error) => error as NodeJS.ErrnoException);
  await cluster.says('arrived');
  cluster.process.kill('SIGTERM');
  await until('the drain has begun', async () =>
    (await cluster.stats()).workers.some(({ state }) => state === 'draining'),
  );
  cluster.process.kill('SIGTERM');
  await sleep(SECOND_SIGNAL_AFTER_MS);
  assert.ok(
    (await cluster.stats()).workers.some(({ state }) => state === 'draining'),
    'the first two were one',
  );
  const before = performance.now();
  cluster.process.kill('SIGTERM');
  assert.deepEqual(await cluster.end(), { code: null, signal: 'SIGTERM' });
  assert.ok(performance.now() - before < 5000, 'it did not wait for the deadline');
  assert.ok((await hanging) instanceof Error);
  await until('all workers are gone', () => !workers.some(alive));
});

test('one deadline for all: what hangs, and what is stopped, climbs the ladder to SIGKILL within it', async (t) => {
  const cluster = await RunningCluster.ready(t, {
    workers: 2,
    supervise: { shutdownTimeoutMs: 3000, heartbeatTimeoutMs: 0 },
  });
  const stopped = await cluster.pidOf(0);
  const hanging = Array.from({ length: 4 }, () => cluster.get('/?ms=60000').catch(() => undefined));
  await until(
    'requests are in flight in both',
    () => new Set(cluster.lines.filter((line) => 'arrived' in line).map(({ at }) => at)).size === 2,
  );
  process.kill(stopped, 'SIGSTOP');
  const before = performance.now();
  cluster.process.kill('SIGTERM');
  assert.deepEqual(await cluster.end(), { code: null, signal: 'SIGTERM' });
  const took = performance.now() - before;
  assert.ok(took < 3000 + 1500, `${took} ms`);
  await Promise.all(hanging);
  assert.equal((await cluster.death(stopped)).signal, 'SIGKILL');
  const other = cluster.hooks('childExit').find(({ args }) => args[0].pid !== stopped)!;
  assert.equal(other.args[0].code, 0, 'one that hangs in a request leaves by itself');
});

test('an app that listens to SIGTERM itself decides how the coordinator ends', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1 }, { env: { OWN_SIGTERM: '1' } });
  cluster.process.kill('SIGTERM');
  assert.deepEqual(await cluster.end(), { code: 0, signal: null });
  assert.match(cluster.output, /the app heard SIGTERM/);
  assert.equal(cluster.hooks('childExit').length, 1);
});

test('shutdown() stops the workers and leaves the process to its own end', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 2 });
  await cluster.ask('shutdown');
  assert.deepEqual(await cluster.end(), { code: 0, signal: null });
});

for (const signal of ['SIGKILL', 'SIGABRT'] as const) {
  test(`when the coordinator dies of ${signal}, its workers finish their requests and exit`, async (t) => {
    const cluster = await RunningCluster.ready(t, { workers: 2 });
    const workers = await pids(cluster);
    const slow = cluster.get('/?ms=700');
    await cluster.says('arrived');
    cluster.process.kill(signal);
    assert.ok((await slow).pid, 'the request is answered although the coordinator is gone');
    await until('all workers are gone', () => !workers.some(alive));
  });
}

test('SIGTERM during the first boot ends the cluster by SIGTERM', async (t) => {
  const cluster = await RunningCluster.start(t, { workers: 2 }, { behaviour: { delay: 20_000 } });
  await until('workers start', () => cluster.hooks('onWorkerStart').length === 2);
  cluster.process.kill('SIGTERM');
  assert.deepEqual(await cluster.end(), { code: null, signal: 'SIGTERM' });
  assert.equal(cluster.hooks('onExit').length, 1);
});
