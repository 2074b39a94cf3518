import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningCluster } from './running-cluster.js';

test('what a worker sends that is no message of ours, or a malformed one, harms neither worker nor coordinator', async (t) => {
  const cluster = await RunningCluster.ready(t, { workers: 1 });
  const pid = await cluster.pidOf(0);
  const strange = [
    null,
    'shutdown of something',
    { forktrace: 'heartbeat' },
    { forktrace: 'heartbeat', stats: { rss: 'much' }, debugged: false },
    { forktrace: 'failed' },
    { forktrace: 'stopping', reason: 'boredom' },
    { forktrace: 'hibernate', until: 7 },
    { forktrace: { type: 'ready' } },
  ];
  for (const message of strange) await cluster.get(`/say?message=${encodeURIComponent(JSON.stringify(message))}`);
  const { workers } = await cluster.settled('the next heartbeat is heard', ({ workers }) =>
    workers.some(({ stats }) => stats !== undefined && stats.requests >= strange.length),
  );
  assert.deepEqual(
    workers.map(({ pid, state, restarts }) => ({ pid, state, restarts })),
    [{ pid, state: 'ready', restarts: 0 }],
  );
  cluster.process.kill('SIGTERM');
  assert.deepEqual(await cluster.end(), { code: null, signal: 'SIGTERM' });
});
