import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { ReceivedSpan } from '../endpoint/received-span.js';
import { RunningCluster, until } from './running-cluster.js';

const OURS = ['worker.start', 'worker.exit', 'cluster.reload', 'cluster.shutdown'];

test('the coordinator’s life is in any OTLP backend: starts, exits, reload and shutdown', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const cluster = await RunningCluster.ready(t, {
    serviceName: 'shop',
    workers: 2,
    pipeline: 'journal',
    export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
    supervise: { backoffMinMs: 20 },
  });
  const victim = await cluster.pidOf(1);
  process.kill(victim, 'SIGKILL');
  await cluster.death(victim);
  await cluster.settled('both serve', ({ ready }) => ready === 2);
  await cluster.ask('reload');
  cluster.process.kill('SIGTERM');
  await cluster.end();

  const received = await endpoint.waitForSpans((spans) => spans.some(({ name }) => name === 'cluster.shutdown'));
  const spans = received.filter(({ name }) => OURS.includes(name));
  const named = (name: string) => spans.filter((span) => span.name === name);
  for (const { resource } of spans) {
    assert.equal(resource['service.name'], 'shop');
    assert.equal(resource['process.pid'], cluster.pid);
    assert.equal(resource['cluster.role'], 'coordinator');
  }
  const lives = (name: string) =>
    named(name)
      .map(({ attributes }) => `${attributes['cluster.worker.slot']}.${attributes['cluster.worker.incarnation']}`)
      .sort();
  assert.deepEqual(lives('worker.start'), ['0.0', '0.1', '1.0', '1.1', '1.2']);
  assert.deepEqual(lives('worker.exit'), ['0.0', '0.1', '1.0', '1.1', '1.2']);
  assert.ok(named('worker.start').every(({ start, end, status }) => end > start && status.code === 0));

  const [killed] = named('worker.exit').filter(({ attributes }) => attributes['cluster.worker.pid'] === victim);
  assert.equal(killed!.attributes['forktrace.exit.signal'], 'SIGKILL');
  assert.equal(killed!.attributes['forktrace.exit.planned'], false);
  assert.deepEqual(killed!.status, { code: 2, message: 'signal: the worker died of SIGKILL' });
  assert.equal(killed!.attributes['forktrace.exit.cause'], 'signal');
  const planned = named('worker.exit').filter((span) => span !== killed);
  assert.ok(planned.every(({ attributes }) => attributes['forktrace.exit.planned'] === true));
  assert.deepEqual(planned.map(({ attributes }) => attributes['forktrace.exit.cause']).sort(), [
    'reload',
    'reload',
    'stop',
    'stop',
  ]);

  const [reload, ...otherReloads] = named('cluster.reload') as [ReceivedSpan];
  assert.deepEqual(otherReloads, []);
  assert.deepEqual(reload.attributes['cluster.reload.slots'], [0, 1]);
  const [shutdown] = named('cluster.shutdown') as [ReceivedSpan];
  assert.equal(shutdown.attributes['cluster.shutdown.reason'], 'signal');
  const children = (parent: ReceivedSpan) =>
    spans.filter(({ parentSpanId }) => parentSpanId === parent.spanId).map(({ name }) => name);
  assert.equal(children(reload).filter((name) => name === 'worker.start').length, 2);
  assert.equal(children(shutdown).filter((name) => name === 'worker.exit').length, 2);
});

test('a start and a scaling are spans, and the workers that they fork are part of them', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const cluster = await RunningCluster.ready(t, {
    workers: 1,
    pipeline: 'journal',
    export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
  });
  await cluster.ask('scale', 2);
  const spans = await endpoint.waitForSpans(
    (all) => all.filter(({ name }) => name === 'worker.start').length === 2 && all.some(isScaling),
  );
  const start = spans.find(({ name }) => name === 'cluster.start')!;
  const scale = spans.find(isScaling)!;
  assert.equal(start.attributes['cluster.workers'], 1);
  assert.equal(scale.attributes['cluster.workers'], 2);
  const parents = spans.filter(({ name }) => name === 'worker.start').map(({ parentSpanId }) => parentSpanId);
  assert.deepEqual(new Set(parents), new Set([start.spanId, scale.spanId]));
});

const isScaling = ({ name }: ReceivedSpan) => name === 'cluster.scale';

test('childExit and worker.exit say what was recovered and interrupted, within a second of the death', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const cluster = await RunningCluster.ready(t, {
    workers: 1,
    pipeline: 'journal',
    export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
    supervise: { backoffMinMs: 20 },
  });
  await until('the shipper runs', async () => (await cluster.stats()).shipper !== undefined);
  const pid = await cluster.pidOf(0);
  const hanging = [1, 2, 3].map(() => cluster.get('/?ms=60000').catch(() => undefined));
  await until('three are in flight', () => cluster.lines.filter((line) => 'arrived' in line).length === 3);
  process.kill(pid, 'SIGKILL');
  const death = await cluster.death(pid);
  assert.equal(death.requestsInterrupted, 3);
  await Promise.all(hanging);
  const spans = await endpoint.waitForSpans((all) => all.some(({ name }) => name === 'worker.exit'));
  const exit = spans.find(({ name }) => name === 'worker.exit')!;
  assert.equal(exit.attributes['forktrace.exit.requests_interrupted'], 3);
  const interrupted = spans.filter(({ attributes }) => attributes['error.type'] === 'worker.exit');
  assert.equal(interrupted.length, 3);
});

test('a shipper that dies is started again', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const cluster = await RunningCluster.ready(t, {
    workers: 1,
    pipeline: 'journal',
    export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
  });
  await endpoint.waitForSpans((spans) => spans.some(({ name }) => name === 'worker.start'));
  const [shipper] = cluster.children('shipper');
  process.kill(shipper!, 'SIGKILL');
  await until('another runs', () => {
    const [pid] = cluster.children('shipper');
    return pid !== undefined && pid !== shipper;
  });
  await cluster.ask('reload');
  await endpoint.waitForSpans((spans) => spans.some(({ name }) => name === 'cluster.reload'));
});

test('the batch pipeline has no lifecycle spans, and the coordinator no journal', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const cluster = await RunningCluster.ready(t, {
    workers: 1,
    pipeline: 'batch',
    export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
  });
  await cluster.get();
  cluster.process.kill('SIGTERM');
  await cluster.end();
  const spans = await endpoint.waitForSpans(1);
  assert.deepEqual(
    spans.filter(({ name }) => OURS.includes(name)),
    [],
  );
});
