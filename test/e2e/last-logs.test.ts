import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { TracingConfig } from 'forktrace';
import { inspectDeaths } from '#src/cli/inspect-deaths.js';
import { readPostMortems } from '#src/forensics/post-mortem.js';
import { oneWorker } from '../coordinator/one-worker.js';
import { until } from '../coordinator/running-cluster.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { tempDir } from '../process/temp-dir.js';

async function clusterOfOne(t: TestContext, config: TracingConfig = {}) {
  const endpoint = await OtlpEndpoint.start(t);
  const dir = await tempDir(t);
  const cluster = await oneWorker(t, dir, endpoint.grpcUrl, { logs: true, ...config }, { fixture: 'stderr-worker' });
  return { endpoint, cluster, journal: join(dir, 'shop') };
}

type Scene = Awaited<ReturnType<typeof clusterOfOne>>;

/** The death that is remembered last, once there are so many, and the events of its `worker.exit`. */
async function deathOf({ endpoint, journal }: Scene, how: number) {
  await until(`death ${how} is kept`, () => readPostMortems(journal).length === how);
  const death = readPostMortems(journal)[0]!;
  const isIts = ({ name, attributes }: { name: string; attributes: Record<string, unknown> }) =>
    name === 'worker.exit' && attributes['forktrace.death.id'] === death.id;
  const exit = (await endpoint.waitForSpans((all) => all.some(isIts))).find(isIts)!;
  return { death, events: exit.events.filter(({ name }) => name === 'forktrace.last_log') };
}

const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => `line ${from + n}`);

test('the last log records of a worker stand on its death, however it ends: span, post-mortem, screen', async (t) => {
  const scene = await clusterOfOne(t);
  for (const [index, end] of ['kill', 'exit', 'throw'].entries()) {
    const isServed = () =>
      scene.cluster.get('/').then(
        () => true,
        () => false,
      );
    await until('a worker is there', isServed);
    await scene.cluster.get(`/log?lines=50&end=${end}`).catch(() => {});
    const { death, events } = await deathOf(scene, index + 1);
    const bodies = death.lastLogs!.map(({ body }) => body);
    assert.deepEqual(bodies, numbered(30, 50), end);
    assert.deepEqual(
      events.map(({ attributes }) => attributes['forktrace.last_log.body']),
      bodies,
      end,
    );
    const { attributes } = events.at(-1)!;
    const request = death.inFlight[0]!;
    assert.deepEqual(attributes, {
      'forktrace.last_log.body': 'line 49',
      'forktrace.last_log.severity': 'error',
      'forktrace.last_log.attributes': 'line=49, password=REDACTED',
      'forktrace.last_log.trace_id': request.traceId,
      'forktrace.last_log.span_id': request.spanId,
    });
    const screen = inspectDeaths(scene.journal, { death: true });
    assert.match(screen, /Last log records\n {2}[\d:.]+ info {2}line 40 line=40, password=REDACTED {2}[0-9a-f]{32}\n/);
    assert.match(screen, /[\d:.]+ error line 49 /);
  }
});

test('they are those of segments that have been shipped and given back, too; long ones are cut', async (t) => {
  const scene = await clusterOfOne(t, { logs: { maxPerSecond: 100_000 } });
  const lines = 3000;
  void scene.cluster.get(`/log?lines=${lines}&padding=2000`).catch(() => {});
  await scene.endpoint.waitForLogs(lines);
  await scene.cluster.get('/exit').catch(() => {});
  const { death } = await deathOf(scene, 1);
  const bodies = death.lastLogs!.map(({ body }) => body.replace(/x+…$/, ''));
  assert.deepEqual(bodies, numbered(lines - 20, lines));
  assert.ok(death.lastLogs!.every(({ body }) => body.length === 1024));
});

test('none on worker.exit with forensics.lastWords: false', async (t) => {
  const scene = await clusterOfOne(t, { forensics: { lastWords: false } });
  await scene.cluster.get('/log?lines=5&end=kill').catch(() => {});
  const { events } = await deathOf(scene, 1);
  assert.deepEqual(events, []);
});
