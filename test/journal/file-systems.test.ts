import assert from 'node:assert/strict';
import { mkdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openJournal } from '#src/journal/journal.js';
import { fixture, runProgram } from '../process/run-program.js';
import { mountBtrfs, mountOverlay, mountTmpfs } from './mounted.js';
import { readBack } from './read-back.js';
import { scopeBytes, spanBytes } from './span-bytes.js';

const resource = Buffer.alloc(0);

test('btrfs: files are not mapped, and a full disk loses spans, not the process', async (t) => {
  const disk = mountBtrfs(t);
  if (disk === undefined) return;
  const dir = join(disk, 'service');
  mkdirSync(dir, { mode: 0o700 });
  assert.throws(() => openJournal({ dir, resource, mode: 'mmap' }), {
    code: 'FORKTRACE_JOURNAL_MMAP',
    message: /is on btrfs/,
  });
  // Two writers, and something else that takes all the space there is.
  const program = runProgram(t, fixture('journal-writer'), { args: [dir, 'auto', 'fill-disk', disk] });
  assert.deepEqual(await program.waitForExit(60_000), { code: 0, signal: null }, program.output);
  const { mode, lost, spans } = JSON.parse(program.stdout) as {
    mode: string;
    lost: { noSpace: number };
    spans: number;
  };
  assert.equal(mode, 'write');
  assert.ok(lost.noSpace > 0, program.output);
  assert.equal(readBack(dir).ended.length, spans);
});

test('an overlay on btrfs is not mapped, one on memory is', async (t) => {
  const disk = mountBtrfs(t);
  if (disk === undefined) return;
  const memory = mountTmpfs(t, '64m');
  if (memory === undefined) return;
  for (const [upper, mode] of [
    [disk, 'write'],
    [memory, 'mmap'],
  ] as const) {
    const overlay = mountOverlay(t, upper);
    if (overlay === undefined) return;
    const journal = openJournal({ dir: join(overlay, 'service'), resource });
    assert.equal(journal.mode, mode);
    journal.close();
  }
});

test('a file system that is too small for the usual files gets smaller ones, and loses nothing', (t) => {
  const disk = mountTmpfs(t, '512k');
  if (disk === undefined) return;
  const dir = join(disk, 'service');
  const journal = openJournal({ dir, resource });
  try {
    assert.equal(journal.mode, 'mmap');
    const bytes = spanBytes(1, 'span', 300);
    const entry = journal.begin(scopeBytes('test'), bytes, 0, bytes.length);
    assert.ok(entry >= 0);
    for (let id = 1; id <= 400; id++) {
      const span = spanBytes(id, 'span', 300);
      journal.append(scopeBytes('test'), span, 0, span.length);
    }
    assert.equal(journal.stats().lost.total, 0);
    assert.equal(readBack(dir).ended.length, 400);
  } finally {
    // After the disk is unmounted it would write below.
    journal.close();
  }
});

test('a file system that has no room for the smallest file is refused, so that spans go another way', (t) => {
  const disk = mountTmpfs(t, '12k');
  if (disk === undefined) return;
  assert.equal(statfsSync(disk).blocks, 3);
  assert.throws(() => openJournal({ dir: join(disk, 'service'), resource }), {
    code: 'FORKTRACE_JOURNAL_DIR',
    message: /there is no space/,
  });
});
