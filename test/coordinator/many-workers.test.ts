import assert from 'node:assert/strict';
import { availableParallelism } from 'node:os';
import { test } from 'node:test';
import { RunningCluster, until } from './running-cluster.js';

const WORKERS = 64;
/** Together they are some 20 s of work for a processor. */
const READY_WITHIN_MS = 240_000;

test('64 real workers on few processors: as many start at once as get ready, and none runs out of time', async (t) => {
  const cluster = await RunningCluster.start(t, {
    workers: WORKERS,
    pipeline: 'batch',
    export: { to: 'none' },
    forensics: { peek: false, lastWords: false },
  });
  await until(
    'all are ready',
    () => cluster.hooks('onReady').length === 1,
    () => cluster.output.slice(-2000),
    READY_WITHIN_MS,
  );
  let starting = 0;
  let most = 0;
  for (const { hook } of cluster.lines) {
    if (hook === 'onWorkerStart') most = Math.max(most, ++starting);
    else if (hook === 'onWorkerReady') starting--;
  }
  assert.equal(starting, 0);
  assert.ok(most <= Math.max(4, 2 * availableParallelism()), `${most} started at once`);
  assert.equal(cluster.hooks('onWorkerReady').length, WORKERS);
  assert.deepEqual(cluster.hooks('childExit'), []);
});
