import assert from 'node:assert/strict';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspectDeaths } from '#src/cli/inspect-deaths.js';
import { postMortemText, sparkline } from '#src/cli/post-mortem-text.js';
import { heapSnapshotsIn } from '#src/forensics/heap-snapshots.js';
import { keepPostMortem, type PostMortem, readPostMortems } from '#src/forensics/post-mortem.js';
import { oneWorker } from '../coordinator/one-worker.js';
import { until } from '../coordinator/running-cluster.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { tempDir } from '../process/temp-dir.js';

test('a worker that was killed in an endless loop: cause, stack, culprit and victim, last minute, on one screen', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const dir = await tempDir(t);
  const cluster = await oneWorker(t, dir, endpoint.grpcUrl, { supervise: { heartbeatTimeoutMs: 4000 } });
  const journal = join(dir, 'shop');
  await cluster.get('/home');
  const victim = cluster.get('/patient').catch(() => undefined);
  await until('the victim is in flight', () => cluster.lines.some(({ arrived }) => arrived === 'patient'));
  await Promise.all([victim, cluster.get('/loop').catch(() => undefined)]);
  await until('the death is kept', () => readPostMortems(journal).length === 1);
  const [death] = readPostMortems(journal);
  assert.equal(death!.cause, 'event_loop_blocked');
  assert.equal(death!.signal, 'SIGKILL');
  assert.equal(death!.slot, 0);
  assert.equal(death!.inFlightTotal, 2);
  assert.deepEqual(death!.inFlight.map(({ name, role }) => [name, role]).sort(), [
    ['GET /loop', 'culprit'],
    ['GET /patient', 'victim'],
  ]);
  assert.ok(death!.lastSpans.some(({ name }) => name === 'GET /home'));
  const screen = inspectDeaths(journal, { death: true });
  assert.match(screen, /^shop: worker in slot 0, pid \d+ died at /);
  assert.match(screen, /event_loop_blocked, signal SIGKILL: the watchdog ended it/);
  assert.match(screen, /What it was doing\n {2}it runs JavaScript\n {4}at .*stuck-cluster/s);
  assert.match(screen, /In flight: 2, culprit first\n {2}culprit {2}GET \/loop .*\n {2}victim {3}GET \/patient/);
  assert.match(screen, /Last minute/);
  assert.match(screen, /Last spans\n {2}GET \/home/);
  assert.equal(inspectDeaths(journal, {}).trimEnd().split('\n').length, 1);
  assert.deepEqual(
    JSON.parse(inspectDeaths(journal, { death: death!.id, json: true })),
    JSON.parse(JSON.stringify(death)),
  );
});

test('heap snapshots that the last words name are named', () => {
  const said =
    'Wrote snapshot to /srv/my app/Heap.20261126.202549.21465.0.001.heapsnapshot\n\n<--- Last few GCs --->\n';
  const heapSnapshots = heapSnapshotsIn(`GET /\n${said}`);
  assert.deepEqual(heapSnapshots, ['/srv/my app/Heap.20261126.202549.21465.0.001.heapsnapshot']);
  assert.deepEqual(heapSnapshotsIn(undefined), []);
  const death = { ...NOBODY, cause: 'heap_out_of_memory', lastWords: said, heapSnapshots } as never;
  assert.match(postMortemText(death), /Heap snapshots\n {2}\/srv\/my app\/Heap\.[\d.]+\.heapsnapshot\n/);
});

const NOBODY = {
  ...{ id: 'a'.repeat(12), atMs: 1, service: 'shop', pid: 1, slot: 0, code: null, signal: 'SIGABRT' },
  ...{ inFlight: [], inFlightTotal: 0, lastSpans: [], slowestSpans: [] },
};

test('no such death: what is there instead', async (t) => {
  const dir = await tempDir(t);
  assert.throws(() => inspectDeaths(dir, { death: true }), {
    code: 'FORKTRACE_NO_DEATH',
    message: /found an empty directory/,
  });
  const one = { id: 'a'.repeat(12), atMs: 1, cause: 'abort', inFlight: [] } as unknown as PostMortem;
  keepPostMortem(dir, one);
  assert.throws(() => inspectDeaths(dir, { death: 'b' }), { message: /found the deaths aaaaaaaaaaaa/ });
});

test('a hundred deaths are remembered, and files that are none are passed over', async (t) => {
  const dir = await tempDir(t);
  for (let i = 0; i < 130; i++) {
    const id = i.toString(16).padStart(12, '0');
    keepPostMortem(dir, { id, atMs: 1000 + i, cause: 'abort', inFlight: [] } as unknown as PostMortem);
  }
  const kept = readPostMortems(dir);
  assert.equal(kept.length, 100);
  assert.equal(kept[0]!.atMs, 1129);
  writeFileSync(join(dir, 'deaths', `9999-${'f'.repeat(12)}.json`), '{ "cause":');
  writeFileSync(join(dir, 'deaths', `9998-${'f'.repeat(12)}.json`), 'null');
  assert.equal(readPostMortems(dir).length, 100);
  assert.equal(readdirSync(join(dir, 'deaths')).length, 102);
});

test('a sparkline goes from the lowest bar to the highest', () => {
  assert.equal(sparkline([0, 1, 2, 4, 8]), '▁▂▃▅█');
  assert.equal(sparkline([0, 0]), '▁▁');
  assert.equal(sparkline([]), '');
});
