import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { RunningCluster, until } from './running-cluster.js';

/** How a worker ends, and what is told of it. */
const WAYS: [path: string, cause: string, code: number | null, where: RegExp][] = [
  ['throw', 'uncaught_exception', 1, /^RangeError: out of luck at .*stuck-cluster\.js:\d+$/],
  ['reject', 'unhandled_rejection', 1, /^TypeError: no promise kept at .*stuck-cluster\.js:\d+$/],
  ['exit', 'exit', 7, /^at .*stuck-cluster\.js:\d+$/],
  ['abort', 'abort', null, /^at .*stuck-cluster\.js:\d+$/],
];

test('a shipper that does not answer: the coordinator tells causes as the dead have written them', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const cluster = await RunningCluster.ready(
    t,
    {
      workers: 1,
      pipeline: 'journal',
      export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
      supervise: {
        backoffMinMs: 1,
        backoffMaxMs: 2,
        breakerDeaths: WAYS.length,
        breakerWindowMs: 120_000,
        breakerOpenMs: 120_000,
      },
    },
    { fixture: 'stuck-cluster' },
  );
  const shipper = await until('the shipper runs', () => cluster.shippers()[0]);
  process.kill(shipper, 'SIGSTOP');
  let seenMs = 0;
  for (const [path, cause] of WAYS) {
    const pid = await cluster.pidOf(0);
    await cluster.get(`/${path}`).catch(() => {});
    const { workers } = await cluster.settled('its end is recorded', ({ workers: [worker] }) =>
      Boolean(worker?.lastExit && worker.lastExit.atMs > seenMs),
    );
    const { lastExit } = workers[0]!;
    seenMs = lastExit!.atMs;
    assert.equal(lastExit!.cause, cause, path);
    assert.equal((await cluster.death(pid)).cause, cause, path);
  }
  const told = await until('the crash loop is told', () => /Workers keep dying.*/.exec(cluster.output)?.[0]);
  // Three causes at most, those of the newest.
  for (const [, cause, , where] of WAYS.slice(1)) {
    const found = new RegExp(`1 × ${cause} \\(([^)]*)\\)`).exec(told)?.[1];
    assert.match(found ?? '', where, told);
  }

  process.kill(shipper, 'SIGCONT');
  const spans = await endpoint.waitForSpans((all) => all.filter(({ name }) => name === 'worker.exit').length === 4);
  const exits = spans.filter(({ name }) => name === 'worker.exit').map(({ attributes }) => attributes);
  assert.deepEqual(
    exits.map((attributes) => [attributes['forktrace.exit.cause'], attributes['process.exit.code'] ?? null]),
    WAYS.map(([, cause, code]) => [cause, code]),
  );
  assert.equal(exits[0]!['exception.message'], 'out of luck');
});
