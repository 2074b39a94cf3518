import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KeepAliveLoad } from '../coordinator/keep-alive-load.js';
import { RunningCluster, until } from '../coordinator/running-cluster.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';

/** 4 forks each: `npm run chaos` has 10 of them. */
const RELOADS = Number(process.env.RELOADS ?? 4);

test(`${RELOADS} reloads of 4 workers under 64 keep-alive connections: 0 failed requests`, async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const cluster = await RunningCluster.ready(t, {
    workers: 4,
    pipeline: 'journal',
    export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
  });
  // As fast as 64 people click: the machine must have time for the reloads, too.
  const load = new KeepAliveLoad(cluster, 64, '/?ms=300');
  await until('the load has begun', () => load.served.length > 64);
  for (let reload = 0; reload < RELOADS; reload++) {
    const before = load.served.length;
    assert.deepEqual(await cluster.ask('reload'), [0, 1, 2, 3]);
    await until('requests went on', () => load.served.length > before + 64);
    assert.deepEqual(load.failures, [], `in reload ${reload}`);
  }
  await load.stop();
  assert.deepEqual(load.failures, []);
  const { workers, restarts } = await cluster.stats();
  assert.equal(restarts, 0);
  assert.ok(workers.every(({ incarnation }) => incarnation === RELOADS));
  const served = load.served.length;
  await endpoint.waitForSpans((spans) => spans.filter(({ kind }) => kind === 2).length >= served);
  assert.equal(endpoint.received().filter(({ kind }) => kind === 2).length, served, 'each request once in the traces');
});
