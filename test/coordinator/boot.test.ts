import assert from 'node:assert/strict';
import { test } from 'node:test';
import { alive, RunningCluster } from './running-cluster.js';

test('N workers serve, each in its slot with incarnation 0 and the environment of preFork, with nothing leaked', async (t) => {
  const cluster = await RunningCluster.ready(
    t,
    { workers: 3 },
    {
      env: {
        TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
        OTEL_RESOURCE_ATTRIBUTES: 'service.instance.id=parent,deployment.environment.name=test,process.pid=1',
      },
    },
  );
  const seen = new Map<number, Awaited<ReturnType<typeof cluster.get>>>();
  for (let request = 0; request < 30; request++) {
    const served = await cluster.get();
    seen.set(served.slot, served);
  }
  assert.deepEqual([...seen.keys()].sort(), [0, 1, 2]);
  for (const { slot, incarnation, env } of seen.values()) {
    assert.equal(incarnation, 0);
    assert.equal(env.TRACEPARENT, undefined);
    assert.equal(env.FORKTRACE_SLOT, undefined, 'taken out before the app loads');
    assert.equal(env.OTEL_RESOURCE_ATTRIBUTES, 'deployment.environment.name=test');
    assert.equal(env.FROM_PRE_FORK, `slot ${slot}`);
  }
  const stats = await cluster.stats();
  assert.equal(stats.phase, 'running');
  assert.equal(stats.ready, 3);
});

test('WEB_CONCURRENCY is the number of workers when none is configured', async (t) => {
  const cluster = await RunningCluster.ready(t, {}, { env: { WEB_CONCURRENCY: '2' } });
  assert.equal((await cluster.stats()).size, 2);
});

test('an app that throws at first boot ends the cluster with its own error on the terminal', async (t) => {
  const cluster = await RunningCluster.start(t, { workers: 3 }, { behaviour: { boot: 'throw' } });
  const { code } = await cluster.end();
  assert.equal(code, 1);
  assert.match(cluster.output, /the app is broken/);
  assert.match(cluster.output, /FORKTRACE_WORKER_START/);
  assert.equal(cluster.hooks('preFork').length, 3, 'no fork bomb: each slot was forked once');
  for (const { args } of cluster.hooks('onWorkerStart')) assert.equal(alive(args[0].pid), false);
});

test('one worker that cannot start stops those that could, and its exit code is the coordinator’s', async (t) => {
  const cluster = await RunningCluster.start(t, { workers: 3 }, { behaviour: { slots: [1], boot: 'exit', code: 78 } });
  const { code } = await cluster.end();
  assert.equal(code, 78);
  assert.match(cluster.output, /Worker in slot 1 did not start: it exited with code 78/);
  assert.equal(cluster.hooks('preFork').length, 3);
  assert.equal(cluster.hooks('onExit').length, 1);
  for (const { args } of cluster.hooks('onWorkerStart')) assert.equal(alive(args[0].pid), false);
});

test('not ready in time is a failure', async (t) => {
  const cluster = await RunningCluster.start(
    t,
    { workers: 2, supervise: { readyTimeoutMs: 1500, shutdownTimeoutMs: 2000 } },
    { behaviour: { slots: [0], boot: 'block' } },
  );
  const { code } = await cluster.end();
  assert.equal(code, 1);
  assert.match(cluster.output, /slot \d did not start: it was not ready within 1500 ms/);
});
