// `forktrace status` on a terminal: keys sort and scroll the workers, and the screen is left as it was found.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { StatusScreen } from '#src/cli/status-screen.js';
import type { WorkerView } from '#src/coordinator/handle.js';
import { clusterStats, worker } from './cluster-stats.js';

function screenOf(workers: WorkerView[], size: { columns?: number; rows?: number } = {}) {
  const written: string[] = [];
  const screen = new StatusScreen({ write: (text: string) => written.push(text) > 0, ...size } as never);
  const stats = clusterStats(workers);
  const lines = () => stripVTControlCharacters(written.at(-1)!).split('\r\n');
  return {
    screen,
    written,
    lines,
    show: () => screen.show(stats),
    /** Slots of the workers that are on the screen, from above. */
    slots: () =>
      lines()
        .flatMap((line) => /^\s*(\d+)\s+\d+\s+ready/.exec(line)?.[1] ?? [])
        .map(Number),
  };
}

test('nothing is drawn before there are figures; the screen is entered and left', () => {
  const { screen, written, show } = screenOf([worker({ slot: 0 })]);
  assert.equal(screen.key('r'), true);
  assert.equal(written.length, 1);
  show();
  assert.equal(written.length, 2);
  screen.leave();
  assert.deepEqual([written[0], written.at(-1)], ['\x1b[?1049h\x1b[?25l', '\x1b[?25h\x1b[?1049l']);
  for (const key of ['q', '\x03', '\x04']) assert.equal(screen.key(key), false, key);
});

test('keys sort by a column, the largest first; equal ones are in the order of their slots', () => {
  const figures = (fields: object) => ({ p99Ms: 0, inFlight: 0, cpu: 0, utilization: 0, rss: 0, ...fields }) as never;
  const { screen, show, slots, lines } = screenOf(
    [
      worker({ slot: 0, requestsPerSecond: 1, stats: figures({ p99Ms: 9, cpu: 0.1, rss: 5 }) }),
      worker({ slot: 1, requestsPerSecond: 9, failuresPerSecond: 1, stats: figures({ p99Ms: 1, cpu: 0.9, rss: 7 }) }),
      worker({ slot: 2, requestsPerSecond: 9, restartsLastHour: 2 }),
    ],
    { columns: 200, rows: 30 },
  );
  show();
  assert.deepEqual(slots(), [0, 1, 2]);
  for (const [key, name, expected] of [
    ['r', 'requests', [1, 2, 0]],
    ['e', 'errors', [1, 0, 2]],
    ['l', 'latency', [0, 1, 2]],
    ['c', 'CPU', [1, 0, 2]],
    ['m', 'memory', [1, 0, 2]],
    ['x', 'restarts', [2, 0, 1]],
    ['s', 'slot', [0, 1, 2]],
  ] as const) {
    screen.key(key);
    assert.deepEqual(slots(), expected, name);
    assert.match(lines().at(-1)!, new RegExp(`sort by ${name}`));
  }
});

test('what does not fit is scrolled by lines and pages, no further than there are workers', () => {
  const { screen, show, slots, lines } = screenOf(
    Array.from({ length: 12 }, (_, slot) => worker({ slot })),
    { columns: 100, rows: 8 },
  );
  show();
  const page = slots().length;
  assert.ok(page > 1 && page < 12, `${page}`);
  for (const [key, first] of [
    ['j', 1],
    ['\x1b[B', 2],
    ['k', 1],
    ['\x1b[6~', 1 + page],
    ['\x1b[5~', 1],
    ['\x1b[5~', 0],
    ['\x1b[A', 0],
    ...[1, 2, 3, 4].map((n) => ['\x1b[6~', Math.min(n * page, 12 - page)] as const),
    ['?', Math.min(4 * page, 12 - page)],
  ] as const) {
    screen.key(key);
    assert.equal(slots()[0], first, JSON.stringify(key));
    assert.match(lines().at(-1)!, new RegExp(`^${first + 1}–${first + page} of 12`));
    assert.ok(lines().length <= 8);
  }
});

test('on a narrow terminal, and one that does not tell its size, no line is too long', () => {
  const narrow = screenOf([worker({ slot: 0 }), worker({ slot: 1 })], { columns: 20, rows: 5 });
  narrow.show();
  assert.ok(narrow.lines().at(-1)!.length <= 20);
  const plain = screenOf([worker({ slot: 0 })]);
  plain.show();
  assert.ok(plain.lines().every((line) => line.length <= 80));
});
