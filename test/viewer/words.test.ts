// How durations, amounts and ends of processes are written, on pages and terminals.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted, formatBytes, formatCount, formatDuration, formatRate } from '#src/viewer/format.js';
import { exitWords, isPlannedExit } from '#src/viewer/views/exit-words.js';

test('durations have three digits, in the unit that reads best', () => {
  const texts: [number, string][] = [
    [Number.NaN, '–'],
    [Number.POSITIVE_INFINITY, '–'],
    [-5, '0 µs'],
    [0, '0 µs'],
    [0.0042, '4.2 µs'],
    [0.84, '840 µs'],
    [0.9996, '1 ms'],
    [12.34, '12.3 ms'],
    [20, '20 ms'],
    [998, '998 ms'],
    [999.6, '1 s'],
    [1520, '1.52 s'],
    [59_990, '60 s'],
    [125_000, '2 m 05 s'],
    [3_720_000, '1 h 02 m'],
  ];
  for (const [ms, text] of texts) assert.equal(formatDuration(ms), text, String(ms));
});

test('counts, bytes and rates', () => {
  assert.deepEqual([9999, 12_340, 120_000, 4_500_000].map(formatCount), ['9,999', '12.3k', '120k', '4.5M']);
  assert.deepEqual([0, 1023, 1536, 1024 ** 2, 12.5 * 1024 ** 2].map(formatBytes), [
    '0 B',
    '1023 B',
    '1.5 KiB',
    '1 MiB',
    '12.5 MiB',
  ]);
  assert.deepEqual([1240, 100, 4.21, 0.2, 0.02, 0].map(formatRate), [
    '1,240/s',
    '100/s',
    '4.2/s',
    '12/min',
    '1.2/min',
    '0/min',
  ]);
  assert.deepEqual(
    [counted(1, 'span'), counted(2, 'span'), counted(0, 'child', 'children')],
    ['1 span', '2 spans', '0 children'],
  );
});

test('an end is told by its cause, else by what the operating system says of it', () => {
  const ends: [exit: Parameters<typeof exitWords>[0], words: string, isPlanned: boolean][] = [
    [{ cause: 'heap_out_of_memory', signal: 'SIGABRT' }, 'heap out of memory', false],
    [{ cause: 'reload', planned: true }, 'reloaded', true],
    [{ cause: 'constructor', signal: 'SIGKILL' }, 'SIGKILL', false],
    [{ code: 0 }, 'stopped', true],
    [{ code: 0, signal: 'SIGTERM' }, 'SIGTERM', false],
    [{ code: 3 }, 'exit 3', false],
    [{ code: 3, planned: true }, 'stopped', true],
    [{ code: 0, planned: false }, 'exit 0', false],
    [{}, 'died', false],
  ];
  for (const [exit, words, isPlanned] of ends) {
    assert.deepEqual([exitWords(exit), isPlannedExit(exit)], [words, isPlanned], JSON.stringify(exit));
  }
});
