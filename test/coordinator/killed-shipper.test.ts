import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { RunningCluster, until } from './running-cluster.js';

test('a shipper that is killed just before the end: the coordinator brings up another one that ships the rest', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  endpoint.answerWith({ answer: 'unavailable' });
  const cluster = await RunningCluster.ready(t, {
    workers: 2,
    pipeline: 'journal',
    export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
  });
  await until('the shipper runs', () => cluster.shippers().length === 1);
  for (let request = 0; request < 50; request++) await cluster.get(`/${request}`);
  await endpoint.waitForRequests(1);
  endpoint.answerOk();
  process.kill(cluster.shippers()[0]!, 'SIGKILL');
  cluster.process.kill('SIGTERM');
  assert.deepEqual(await cluster.end(), { code: null, signal: 'SIGTERM' });
  assert.equal(endpoint.received().filter(({ kind }) => kind === 2).length, 50);
});
