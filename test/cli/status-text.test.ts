// What `forktrace status` shows of a cluster, by the figures that it has.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { bytes, duration, statusText, workerLines } from '#src/cli/status-view.js';
import type { ClusterStats } from '#src/coordinator/handle.js';
import { clusterStats, worker } from './cluster-stats.js';

const figures = (fields: object) =>
  ({ p99Ms: 0, inFlight: 0, cpu: 0, utilization: 0, rss: 0, spansJournaled: 0, spansLost: 0, ...fields }) as never;
const shown = (fields: Partial<ClusterStats>, width = 200) =>
  stripVTControlCharacters(statusText(clusterStats([], { size: 2, ready: 2, ...fields }), width)).split('\n');

test('a worker that has said nothing yet has dashes, one that has its figures', () => {
  const [, head, silent, busy, slow] = shown({
    workers: [
      worker({ pid: undefined, uptimeMs: undefined, state: 'waiting' }),
      worker({
        slot: 1,
        requestsPerSecond: 1234.5,
        failuresPerSecond: 2,
        restartsLastHour: 3,
        lastExit: { cause: 'crash' } as never,
        stats: figures({
          p99Ms: 4.25,
          inFlight: 7,
          cpu: 0.5,
          utilization: 0.25,
          rss: 2 ** 20,
          spansJournaled: 9,
          spansLost: 1,
        }),
      }),
      worker({
        slot: 2,
        state: 'blocked',
        requestsPerSecond: 9.96,
        stats: figures({ p99Ms: 1500, rss: 512 * 2 ** 20 }),
      }),
    ],
  });
  const cells = (line: string | undefined) => line!.trim().split(/\s{2,}|\s(?=–)/);
  assert.deepEqual(cells(head), [
    ...['slot', 'pid', 'state', 'up', 'req/s', 'err/s', 'p99', 'flight'],
    ...['cpu', 'loop', 'memory', 'died/h', 'last exit', 'spans', 'lost'],
  ]);
  assert.deepEqual(cells(silent), ['0', '–', 'waiting', '–', '–', '–', '–', '–', '–', '–', '–', '0', '–', '–', '–']);
  assert.deepEqual(cells(busy), [
    ...['1', '101', 'ready', '5 s', '1235', '2.0', '4.3 ms', '7', '50%', '25%', '1.0 MiB', '3', 'crash', '9', '1'],
  ]);
  assert.deepEqual(cells(slow).slice(2, 11), ['blocked', '5 s', '10.0', '0.0', '1.5 s', '0', '0%', '0%', '512 MiB']);
});

test('columns that have no room are left out, the least important first', () => {
  const head = (width: number) => stripVTControlCharacters(workerLines([worker({})], width)[0]!).split(/\s{2,}/);
  assert.deepEqual(head(12), ['slot', 'state']);
  assert.deepEqual(head(30), ['slot', 'pid', 'state', 'req/s', 'err/s']);
  assert.ok(head(80).includes('last exit') && !head(80).includes('lost'));
  assert.equal(head(200).length, 15);
});

test('the cluster and the shipper in words: a crash loop first, losses last', () => {
  assert.deepEqual(shown({ breaker: 'open', ready: 0, viewerUrl: 'http://v/' })[0]!.split(' · '), [
    ...['CRASH LOOP: breaker open', 'shop', 'pid 1', 'running', '0/2 ready', 'up 1 s', '0 restarts', 'http://v/'],
  ]);
  const shipper = { shipped: 5, lagBytes: 2048, lagMs: 3, recovered: 1, interrupted: 2, refused: 0, dropped: 0 };
  const last = (more: object) => shown({ ready: 1, shipper: { ...shipper, ...more } as never }).at(-1);
  assert.equal(last({}), 'shipped 5 · lag 2 KiB, 3 ms · recovered 1 · interrupted 2');
  assert.match(last({ refused: 3, dropped: 4 })!, /interrupted 2 · refused 3 · dropped 4$/);
  assert.equal(shown({ serviceName: 'a-rather-long-name' }, 10)[0], 'a-rather-…');
});

test('times and sizes', () => {
  const second = 1000;
  assert.deepEqual([950, 12 * second, 180 * second, 5 * 3600 * second, 9 * 86_400 * second].map(duration), [
    '950 ms',
    '12 s',
    '3 min',
    '5 h',
    '9 d',
  ]);
  assert.deepEqual([512, 64 * 1024, 12.5 * 1024 ** 2, 512 * 1024 ** 2].map(bytes), [
    '512 B',
    '64 KiB',
    '12.5 MiB',
    '512 MiB',
  ]);
});
