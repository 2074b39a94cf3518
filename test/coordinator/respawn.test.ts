import assert from 'node:assert/strict';
import { test } from 'node:test';
import { GROUP_SIGNAL_MS } from '#src/coordinator/losses.js';
import { RunningCluster, until } from './running-cluster.js';

const supervise = { backoffMinMs: 50, backoffMaxMs: 20_000, breakerDeaths: 100 };

interface Way {
  name: string;
  path: string;
  code: number | null;
  signal: NodeJS.Signals | null;
}

const ways: Way[] = [
  { name: 'exits with 0', path: '/exit?code=0', code: 0, signal: null },
  { name: 'exits with 3', path: '/exit?code=3', code: 3, signal: null },
  { name: 'throws', path: '/throw', code: 1, signal: null },
  { name: 'is killed', path: '/kill?signal=SIGKILL', code: null, signal: 'SIGKILL' },
  { name: 'aborts', path: '/kill?signal=SIGABRT', code: null, signal: 'SIGABRT' },
  { name: 'runs out of memory', path: '/oom', code: null, signal: 'SIGABRT' },
];

test('a worker that dies is respawned once, in its slot, as the next incarnation', async (t) => {
  const cluster = await RunningCluster.ready(
    t,
    { workers: 2, supervise: { ...supervise, backoffMinMs: 10 } },
    { execArgv: ['--max-old-space-size=48'] },
  );
  const other = await cluster.pidOf(1);
  for (const [index, { name, path, code, signal }] of ways.entries()) {
    await t.test(`a worker that ${name}`, async () => {
      const victim = await cluster.pidOf(0);
      const request = `${path}${path.includes('?') ? '&' : '?'}pid=${victim}`;
      await until('slot 0 has got the request', async () => {
        // The primary deals connections out in turn, and out again when a worker dies: some reach the other
        // slot.
        await cluster.get(request).catch(() => undefined);
        const { workers } = await cluster.stats();
        return !workers.some(({ pid }) => pid === victim);
      });
      const death = await cluster.death(victim);
      assert.deepEqual(
        { code: death.code, signal: death.signal, planned: death.planned, slot: death.slot },
        { code, signal, planned: false, slot: 0 },
      );
      const stats = await cluster.settled('both are ready', ({ ready }) => ready === 2);
      const [first, second] = stats.workers;
      assert.equal(first!.incarnation, index + 1);
      assert.equal(first!.restarts, index + 1);
      assert.equal(second!.pid, other);
      assert.equal(cluster.hooks('onWorkerStart').length, 2 + index + 1, 'acted on once');
      assert.equal(cluster.output.match(/FORKTRACE_WORKER_DIED/g)?.length, index + 1);
    });
  }
});

test('a worker that calls worker.disconnect() is replaced at once and leaves with 0', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1, supervise });
  const pid = await cluster.pidOf(0);
  await cluster.get('/disconnect');
  const death = await cluster.death(pid);
  assert.deepEqual({ code: death.code, signal: death.signal }, { code: 0, signal: null });
  const stats = await cluster.settled('the next one is ready', ({ ready }) => ready === 1);
  assert.equal(stats.workers[0]!.incarnation, 1);
  assert.equal(cluster.hooks('onWorkerStart').length, 2);
});

test('a worker that somebody sends SIGTERM drains and is replaced', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1, supervise });
  const pid = await cluster.pidOf(0);
  const slow = cluster.get('/?ms=500');
  await cluster.says('arrived');
  process.kill(pid, 'SIGTERM');
  assert.equal((await slow).pid, pid);
  const death = await cluster.death(pid);
  assert.deepEqual({ signal: death.signal, planned: death.planned }, { signal: 'SIGTERM', planned: false });
  await cluster.settled('the next one is ready', ({ ready }) => ready === 1);
});

test('deaths in a row are followed by growing waits', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1, supervise });
  for (let death = 0; death < 4; death++) {
    await cluster.settled('ready', ({ ready }) => ready === 1);
    const before = performance.now();
    await cluster.get('/exit?code=1').catch(() => undefined);
    await until('the next one is forked', () => cluster.hooks('onWorkerStart').length === death + 2);
    const waited = performance.now() - before;
    assert.ok(waited >= 25 * 2 ** death, `fork ${death + 1} came ${waited} ms after the request that kills`);
  }
  const said = [...cluster.output.matchAll(/Next try in (\d+) ms/g)].map((match) => Number(match[1]));
  assert.equal(said.length, 4);
  for (const [death, wait] of said.entries()) {
    const full = 50 * 2 ** death;
    const since = full / 2 - GROUP_SIGNAL_MS;
    assert.ok(wait >= since && wait <= full, `wait ${death} is ${wait} ms, expected ${since}..${full}`);
  }
});

test('a crash loop opens the breaker, which is said; it tries one worker, and closes when that one is ready', async (t) => {
  const cluster = await RunningCluster.ready(
    t,
    {
      workers: 2,
      supervise: { backoffMinMs: 10, backoffMaxMs: 20, breakerDeaths: 4, breakerWindowMs: 30_000, breakerOpenMs: 1500 },
    },
    { behaviour: {} },
  );
  cluster.behave({ boot: 'exit', code: 1 });
  for (const { pid } of (await cluster.stats()).workers) process.kill(pid!, 'SIGKILL');
  const open = await cluster.settled('the breaker opens', ({ breaker }) => breaker === 'open');
  assert.equal(open.ready, 0);
  const forks = () => cluster.hooks('onWorkerStart').length;
  const before = forks();
  await until('one is tried', () => /Trying one worker/.test(cluster.output));
  await until(
    'its death opens the breaker again',
    () => (cluster.output.match(/Workers keep dying/g) ?? []).length === 2,
  );
  assert.equal(forks(), before + 1, 'one was tried, no more');
  cluster.behave({});
  const healed = await cluster.settled('all are ready again', ({ ready }) => ready === 2);
  assert.equal(healed.breaker, 'closed');
  assert.match(cluster.output, /FORKTRACE_CRASH_LOOP_OVER/);
});
