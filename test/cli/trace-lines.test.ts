import assert from 'node:assert/strict';
import { test } from 'node:test';
import { traceLines } from '#src/cli/trace-lines.js';

const row = (more: object) => ({
  ...{ id: 'b'.repeat(16), name: 'work', process: 0, depth: 0, durationMs: 12, selfMs: 3, outcome: 'ok' },
  ...{ httpStatus: 0, critical: false, events: [] },
  ...more,
});
const view = (rows: object[]) => ({
  ...{ id: 'a'.repeat(32), startMs: 0, durationMs: 12, outcome: 'error', rows },
  processes: [{ service: 'shop', slot: 1, pid: 7 }, { service: 'job', pid: 8 }, { service: 'other' }],
});
const lines = (rows: object[]) => traceLines(view(rows) as never).split('\n');

test('a trace as text: each span with its duration, outcome, events and the process that it comes from', () => {
  const rows = [
    row({ name: 'GET /', httpStatus: 500, critical: true, events: [[5, 'exception']] }),
    row({ name: 'query\u001b[2J', process: 1, depth: 1 }),
    row({ process: 2 }),
  ];
  assert.deepEqual(lines(rows), [
    `trace ${'a'.repeat(32)}: 12 ms, error, started 1970-01-01T00:00:00.000Z, 3 spans`,
    `GET /  [12 ms, self 3 ms, ok, HTTP 500, critical path, event exception at 5 ms]  shop slot 1  span ${'b'.repeat(16)}`,
    `  ${lines(rows)[2]!.trim()}`,
    `work  [12 ms, self 3 ms, ok]  other pid ?  span ${'b'.repeat(16)}`,
  ]);
  assert.match(lines(rows)[2]!, /^ {2}query.* \[12 ms, self 3 ms, ok\] {2}job pid 8 /);
  assert.ok(!lines(rows)[2]!.includes('\u001b'));
});

test('of a long trace the first spans are shown, and how many more there are', () => {
  const shown = lines(Array.from({ length: 305 }, () => row({})));
  assert.deepEqual([shown.length, shown.at(-1)], [302, '5 more spans']);
});
