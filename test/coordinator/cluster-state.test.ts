import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { backoffMs } from '#src/coordinator/backoff.js';
import { stepWaitMs } from '#src/coordinator/incarnation.js';
import { GROUP_SIGNAL_MS } from '#src/coordinator/losses.js';
import { policy, SimulatedCluster } from './simulated-cluster.js';

function booted(
  size: number,
  ...rest: ConstructorParameters<typeof SimulatedCluster> extends [number, ...infer R] ? R : []
) {
  const cluster = new SimulatedCluster(size, ...rest);
  cluster.dispatch({ type: 'start' });
  cluster.run(1000);
  assert.equal(cluster.actions('booted').length, 1);
  return cluster;
}

test('first boot: all slots are forked at once, and the cluster is up when the last is ready', () => {
  const cluster = new SimulatedCluster(3);
  cluster.dispatch({ type: 'start' });
  assert.equal(cluster.actions('fork').length, 3);
  assert.equal(cluster.state.phase, 'booting');
  cluster.run(100);
  assert.equal(cluster.state.phase, 'running');
  assert.equal(cluster.actions('booted')[0]!.at, 100);
});

test('first boot: a death before ready stops everything, and nothing is forked again', () => {
  const cluster = new SimulatedCluster(3);
  cluster.nature = { boot: 5000, drain: 10 };
  cluster.dispatch({ type: 'start' });
  cluster.run(50);
  cluster.kill(1);
  cluster.run(60_000);
  assert.equal(cluster.state.phase, 'stopped');
  assert.deepEqual(
    cluster.actions('boot-failed').map(({ slot }) => slot),
    [1],
  );
  assert.equal(cluster.actions('fork').length, 3);
  assert.equal(cluster.processes.size, 0);
});

test('first boot: not ready in time is SIGKILL, and a failure', () => {
  const cluster = new SimulatedCluster(1);
  cluster.nature = {};
  cluster.dispatch({ type: 'start' });
  cluster.run(policy.readyTimeoutMs - 1);
  assert.equal(cluster.actions('signal').length, 0);
  cluster.run(60_000);
  assert.equal(cluster.actions('signal')[0]!.signal, 'SIGKILL');
  assert.equal(cluster.actions('signal')[0]!.at, policy.readyTimeoutMs);
  assert.equal(cluster.state.phase, 'stopped');
});

test('the backoff doubles from the least to the most, half of it random', () => {
  for (const [failures, full] of [
    [1, 100],
    [2, 200],
    [3, 400],
    [8, 10_000],
    [1000, 10_000],
  ] as const) {
    assert.equal(backoffMs(failures, policy, 0), full / 2);
    assert.equal(backoffMs(failures, policy, 0.999999), full);
  }
});

test('a worker that served long enough starts its count of failures anew', () => {
  const cluster = booted(1);
  for (let death = 0; death < 3; death++) {
    cluster.kill(0);
    cluster.run(1000);
  }
  assert.equal(cluster.state.slots[0]!.failures, 3);
  cluster.run(policy.backoffMaxMs);
  cluster.kill(0);
  assert.equal(cluster.state.slots[0]!.failures, 1);
});

test('disconnect and exit of one process are one death', () => {
  const cluster = booted(2);
  cluster.kill(0);
  cluster.run(5000);
  assert.equal(cluster.actions('worker-lost').length, 1);
  assert.equal(cluster.actions('fork').length, 3);
});

test('a process that closes its channel and lives is replaced at once, then climbs the ladder', () => {
  const cluster = booted(1, { backoffMinMs: 10 });
  cluster.block(0);
  cluster.tell(0, 0, { type: 'disconnect' });
  cluster.run(2000);
  assert.equal(cluster.state.slots[0]!.current, 1);
  assert.equal(cluster.ready, 1);
  assert.equal(cluster.processes.size, 2, 'the old one drains');
  cluster.run(policy.shutdownTimeoutMs);
  assert.equal(cluster.processes.size, 1);
  assert.equal(cluster.actions('worker-lost').length, 1);
});

test('the ladder: message, disconnect, SIGTERM, SIGKILL, each after its own wait and all before the deadline', () => {
  const cluster = booted(1);
  cluster.nature = {};
  cluster.block(0);
  const start = cluster.now;
  cluster.dispatch({ type: 'shutdown' });
  cluster.run(20_000);
  const steps = cluster.log
    .filter(({ at, type }) => at >= start && ['send-stop', 'disconnect', 'signal'].includes(type))
    .map((action) => [action.at - start, 'signal' in action ? action.signal : action.type]);
  const message = stepWaitMs('message', policy);
  const disconnect = message + stepWaitMs('disconnect', policy);
  const sigterm = disconnect + stepWaitMs('sigterm', policy);
  assert.deepEqual(steps, [
    [0, 'send-stop'],
    [message, 'disconnect'],
    [disconnect, 'SIGTERM'],
    [sigterm, 'SIGKILL'],
  ]);
  assert.ok(cluster.actions('stopped')[0]!.at - start < policy.shutdownTimeoutMs);
});

test('the watchdog kills what is silent for too long, unless the coordinator itself slept', () => {
  const cluster = booted(2);
  cluster.block(0);
  cluster.run(policy.heartbeatTimeoutMs - 1500);
  assert.equal(cluster.actions('signal').length, 0);
  cluster.dispatch({ type: 'missed-time' });
  cluster.run(policy.heartbeatTimeoutMs - 1);
  assert.equal(cluster.actions('signal').length, 0);
  cluster.run(2);
  assert.deepEqual(
    cluster.actions('signal').map(({ slot, signal }) => [slot, signal]),
    [[0, 'SIGKILL']],
  );
  cluster.run(1000);
  assert.equal(cluster.ready, 2);
});

test('the breaker opens, tries one slot when its time is up, and closes when that is ready', () => {
  const cluster = booted(4);
  cluster.nature = { bootDeath: 10 };
  for (const slot of [0, 1, 2, 3]) cluster.kill(slot);
  cluster.run(20_000);
  const [opened] = cluster.actions('breaker-opened');
  assert.ok(opened);
  const forks = cluster.actions('fork').length;
  cluster.run(opened.at + policy.breakerOpenMs - 1 - cluster.now);
  assert.equal(cluster.actions('fork').length, forks, 'nothing is forked while it is open');
  cluster.run(200);
  assert.equal(cluster.actions('fork').length, forks + 1, 'one is tried');
  assert.equal(cluster.actions('breaker-opened').length, 2);
  cluster.nature = { boot: 100, drain: 50, heartbeats: true };
  cluster.run(policy.breakerOpenMs + 20_000);
  assert.equal(cluster.actions('breaker-closed').length, 1);
  assert.equal(cluster.ready, 4);
});

test('a reload replaces one slot at a time; when a new worker fails the rest stay', () => {
  const cluster = booted(3);
  cluster.dispatch({ type: 'reload' });
  assert.equal(cluster.processes.size, 4, 'one more than there were');
  cluster.run(149);
  assert.equal(cluster.actions('fork').length, 4, 'the second slot waits until the first has drained');
  cluster.run(10_000);
  assert.deepEqual(cluster.actions('reload-done')[0]!.slots, [0, 1, 2]);
  assert.equal(cluster.mostPerSlot, 2);

  cluster.dispatch({ type: 'reload' });
  cluster.run(160);
  cluster.nature = { bootDeath: 10 };
  cluster.run(10_000);
  const [aborted] = cluster.actions('reload-aborted');
  assert.deepEqual(aborted!.slots, [0, 1]);
  assert.equal(cluster.ready, 3);
  assert.equal(cluster.state.slots[2]!.restarts, 0);
});

test('a reload mends a slot that is down, and closes an open breaker', () => {
  const cluster = booted(2, { breakerDeaths: 2 });
  cluster.nature = { bootDeath: 10 };
  cluster.kill(1);
  cluster.run(5000);
  assert.equal(cluster.state.breaker.state, 'open');
  cluster.nature = { boot: 100, drain: 50, heartbeats: true };
  cluster.dispatch({ type: 'reload' });
  cluster.run(5000);
  assert.deepEqual(cluster.actions('reload-done')[0]!.slots, [0, 1]);
  assert.equal(cluster.ready, 2);
});

test('recycling takes turns, successor first, and does not come back at once when the successor fails', () => {
  const cluster = booted(2, { maxRequests: 1000 }, () => 0.9);
  cluster.nature = { bootDeath: 10 };
  const worn = {
    requests: 2000,
    inFlight: 0,
    failed: 0,
    p99Ms: 0,
    cpu: 0,
    utilization: 0,
    rss: 0,
    spansJournaled: 0,
    spansLost: 0,
  };
  const beat = (slot: number) => cluster.tell(slot, 0, { type: 'heartbeat', stats: worn, debugged: false });
  beat(0);
  beat(1);
  assert.equal(cluster.processes.size, 3, 'one at a time');
  cluster.run(11 + GROUP_SIGNAL_MS);
  assert.equal(cluster.actions('recycle-failed').length, 1);
  beat(0);
  assert.deepEqual(
    cluster.state.replacements.map(({ slot }) => slot),
    [1],
    'slot 0 waits for its backoff',
  );

  cluster.nature = { boot: 100, drain: 50, heartbeats: true };
  cluster.run(2000);
  beat(0);
  beat(1);
  cluster.run(2000);
  assert.deepEqual(
    cluster.state.slots.map(({ current }) => current! > 0),
    [true, true],
  );
  assert.equal(cluster.ready, 2);
});

/** Everything that can happen to a cluster. */
const happening = fc.oneof(
  fc.record({ do: fc.constant('kill' as const), slot: fc.nat(5) }),
  fc.record({ do: fc.constant('block' as const), slot: fc.nat(5) }),
  fc.record({ do: fc.constant('disconnect' as const), slot: fc.nat(5) }),
  fc.record({ do: fc.constant('reload' as const) }),
  fc.record({ do: fc.constant('scale' as const), to: fc.integer({ min: 1, max: 6 }) }),
  fc.record({
    do: fc.constant('nature' as const),
    nature: fc.constantFrom(
      { boot: 100, drain: 50, heartbeats: true },
      { boot: 3000, drain: 3000, heartbeats: true },
      { bootDeath: 20 },
      { boot: 100, heartbeats: true },
      {},
    ),
  }),
);

function happen(cluster: SimulatedCluster, event: typeof happening extends fc.Arbitrary<infer T> ? T : never): void {
  switch (event.do) {
    case 'kill':
      cluster.kill(event.slot);
      return;
    case 'block':
      cluster.block(event.slot);
      return;
    case 'disconnect': {
      const current = cluster.state.slots[event.slot]?.current;
      if (current !== undefined) cluster.tell(event.slot, current, { type: 'disconnect' });
      return;
    }
    case 'reload':
      cluster.dispatch({ type: 'reload' });
      return;
    case 'scale':
      cluster.dispatch({ type: 'scale', to: event.to });
      return;
    case 'nature':
      cluster.nature = event.nature;
  }
}

test('whatever happens, a cluster whose app is sound again comes back to its size, and stops when told', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ event: happening, wait: fc.nat(20_000) }), { maxLength: 30 }),
      fc.infiniteStream(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })),
      (events, random) => {
        const cluster = booted(3, {}, () => random.next().value);
        for (const { event, wait } of events) {
          happen(cluster, event);
          cluster.run(wait);
        }
        cluster.nature = { boot: 100, drain: 50, heartbeats: true };
        cluster.run(300_000);
        assert.equal(cluster.state.phase, 'running');
        assert.equal(cluster.ready, cluster.state.size);
        assert.equal(cluster.state.slots.length, cluster.state.size);
        assert.equal(cluster.processes.size, cluster.state.size, 'nobody is forgotten');
        assert.equal(
          cluster.actions('reload-started').length,
          cluster.actions('reload-done').length + cluster.actions('reload-aborted').length,
          'every reload has an outcome',
        );
        assert.equal(cluster.state.scaling, undefined, 'every scaling has an outcome');

        cluster.dispatch({ type: 'shutdown' });
        cluster.run(policy.shutdownTimeoutMs);
        assert.equal(cluster.state.phase, 'stopped');
        assert.equal(cluster.processes.size, 0);
      },
    ),
    { numRuns: 300 },
  );
});

test('whatever is going on, a shutdown ends within its deadline', () => {
  fc.assert(
    fc.property(fc.array(fc.record({ event: happening, wait: fc.nat(3000) }), { maxLength: 20 }), (events) => {
      const cluster = booted(3);
      for (const { event, wait } of events) {
        happen(cluster, event);
        cluster.run(wait);
      }
      cluster.dispatch({ type: 'shutdown' });
      // What was told to stop earlier is on its way already; a tenth for the last SIGKILL to take effect.
      cluster.run(policy.shutdownTimeoutMs);
      assert.equal(cluster.state.phase, 'stopped');
      assert.equal(cluster.processes.size, 0);
    }),
    { numRuns: 300 },
  );
});

test('scaling down again while new workers fail forgets the slots that are gone', () => {
  const cluster = booted(3);
  cluster.nature = {};
  cluster.dispatch({ type: 'scale', to: 5 });
  cluster.dispatch({ type: 'scale', to: 4 });
  cluster.nature = { boot: 100, drain: 50, heartbeats: true };
  cluster.run(60_000);
  assert.equal(cluster.actions('scale-failed').length, 1);
  assert.equal(cluster.state.slots.length, 4);
  assert.equal(cluster.ready, 4);
});

test('a loss that the coordinator’s own stop follows at once is none: nothing is reported and nothing is forked', () => {
  for (const during of ['running', 'booting', 'reloading'] as const) {
    const cluster = during === 'booting' ? new SimulatedCluster(3) : booted(3);
    if (during === 'booting') cluster.dispatch({ type: 'start' });
    if (during === 'reloading') {
      cluster.dispatch({ type: 'reload' });
      cluster.tell(0, 1, { type: 'exit' });
      cluster.processes.delete('0.1');
    }
    const forks = cluster.actions('fork').length;
    for (const slot of [0, 1, 2]) cluster.kill(slot);
    cluster.run(GROUP_SIGNAL_MS - 1);
    cluster.dispatch({ type: 'shutdown' });
    cluster.run(60_000);
    assert.equal(cluster.state.phase, 'stopped', during);
    assert.equal(cluster.actions('worker-lost').length, 0, during);
    assert.equal(cluster.actions('boot-failed').length, 0, during);
    assert.equal(cluster.actions('fork').length, forks, during);
    // A reload that the stop interrupts says so, and blames no worker.
    assert.ok(cluster.actions('reload-aborted').every(({ incarnation }) => incarnation === undefined));
  }
});

test('a loss with no stop behind it is reported after the same moment', () => {
  const cluster = booted(2);
  const at = cluster.now;
  cluster.kill(0);
  cluster.run(1000);
  assert.deepEqual(
    cluster.actions('worker-lost').map((action) => action.at - at),
    [GROUP_SIGNAL_MS],
  );
});

test('64 workers are forked as fast as they become ready, and no more than some start at once', () => {
  const cluster = new SimulatedCluster(64, {}, () => 0.5, 4);
  let most = 0;
  cluster.dispatch({ type: 'start' });
  for (let step = 0; step < 400; step++) {
    most = Math.max(most, cluster.state.slots.filter(({ phase }) => phase === 'starting').length);
    cluster.run(10);
  }
  assert.equal(most, 4);
  assert.equal(cluster.ready, 64);
  assert.equal(cluster.actions('booted')[0]!.at, (64 / 4) * 100);
});

test('what comes while the cluster stops, has stopped, or of what is not there changes nothing', () => {
  const cluster = booted(2);
  const running = cluster.state;
  cluster.tell(7, 0, { type: 'exit' });
  cluster.tell(0, 99, { type: 'disconnect' });
  assert.deepEqual(cluster.state, running);
  cluster.nature = { boot: 100, drain: 5000, heartbeats: true };
  cluster.dispatch({ type: 'shutdown' });
  const forked = cluster.actions('fork').length;
  for (const event of [{ type: 'reload' }, { type: 'scale', to: 5 }, { type: 'shutdown' }] as const) {
    cluster.dispatch(event);
    assert.deepEqual([cluster.state.phase, cluster.state.size], ['stopping', 2], event.type);
  }
  cluster.kill(0);
  cluster.run(60_000);
  const stopped = cluster.state;
  assert.equal(stopped.phase, 'stopped');
  for (const event of [{ type: 'start' }, { type: 'wake' }, { type: 'missed-time' }, { type: 'force' }] as const)
    cluster.dispatch(event);
  assert.equal(cluster.state, stopped);
  assert.equal(cluster.actions('fork').length, forked);
  assert.deepEqual(cluster.actions('worker-lost'), []);
});

test('the slot that tries for all is taken away while it tries: the next that asks may', () => {
  const cluster = booted(2, { breakerDeaths: 4 });
  const breaker = () => cluster.state.breaker.state;
  const passUntil = (state: string) => {
    for (let i = 0; i < 1000 && breaker() !== state; i++) cluster.run(100);
    assert.equal(breaker(), state);
  };
  cluster.nature = { bootDeath: 10 };
  cluster.kill(1);
  passUntil('open');
  cluster.nature = {};
  passUntil('half-open');
  cluster.nature = { boot: 100, drain: 50, heartbeats: true };
  cluster.dispatch({ type: 'scale', to: 1 });
  assert.equal(breaker(), 'open');
  cluster.dispatch({ type: 'scale', to: 2 });
  cluster.run(120_000);
  assert.deepEqual([cluster.ready, breaker()], [2, 'closed']);
});

/** Enough requests for any share of 10 %. */
const WORN = {
  ...{ requests: 1000, inFlight: 0, failed: 0, p99Ms: 0, cpu: 0, utilization: 0, rss: 0 },
  ...{ spansJournaled: 0, spansLost: 0 },
};

test('a worker that is worn while the cluster boots or stops is not recycled', () => {
  const cluster = new SimulatedCluster(2, { maxRequests: 100 }, () => 0.5, 1);
  const wear = () => cluster.tell(0, 0, { type: 'heartbeat', stats: WORN, debugged: false });
  cluster.dispatch({ type: 'start' });
  cluster.run(150);
  assert.equal(cluster.state.phase, 'booting');
  wear();
  assert.deepEqual(cluster.state.replacements, []);
  cluster.run(1000);
  cluster.dispatch({ type: 'shutdown' });
  wear();
  cluster.run(60_000);
  assert.equal(cluster.state.phase, 'stopped');
  assert.equal(cluster.actions('fork').length, 2);
});

test('a worker that waits to be recycled and dies is not recycled once more', () => {
  const cluster = booted(2, { maxRequests: 100 });
  for (const slot of [0, 1]) cluster.tell(slot, 0, { type: 'heartbeat', stats: WORN, debugged: false });
  assert.deepEqual(
    cluster.state.replacements.map(({ slot }) => slot),
    [0, 1],
  );
  cluster.kill(1);
  cluster.run(60_000);
  const forks = cluster.actions('fork').map(({ slot }) => slot);
  assert.deepEqual([forks.filter((slot) => slot === 0).length, forks.filter((slot) => slot === 1).length], [2, 2]);
  assert.deepEqual(cluster.state.replacements, []);
});

test('a slot that is scaled away while it waits for its reload is not replaced', () => {
  const cluster = booted(3);
  cluster.dispatch({ type: 'reload' });
  cluster.dispatch({ type: 'scale', to: 1 });
  cluster.run(60_000);
  assert.equal(cluster.state.phase, 'running');
  assert.deepEqual(
    cluster.actions('reload-done').map(({ slots }) => slots),
    [[0]],
  );
  assert.equal(cluster.actions('fork').length, 4);
  assert.equal(cluster.processes.size, 1);
});

test('a death while the cluster stops is no loss, and nothing is forked for it', () => {
  const cluster = booted(2);
  cluster.dispatch({ type: 'shutdown' });
  cluster.kill(1);
  cluster.dispatch({ type: 'reload' });
  cluster.run(60_000);
  assert.equal(cluster.state.phase, 'stopped');
  assert.equal(cluster.actions('worker-lost').length, 0);
  assert.equal(cluster.actions('fork').length, 2);
});
