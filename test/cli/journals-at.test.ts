import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { InvalidArgumentError } from 'commander';
import { gigabytes, portNumber, wholeNumber } from '#src/cli/arguments.js';
import { foundAt, journalsAt, requireOneJournal } from '#src/cli/journals-at.js';
import type { ForktraceError } from '#src/errors.js';
import { fileName } from '#src/journal/format.js';
import { tempDir } from '../process/temp-dir.js';

const segment = fileName('segment', 'a'.repeat(32), 1);

/** A directory with files, and with directories of files. */
function place(
  top: string,
  name: string,
  files: readonly string[],
  below: Record<string, readonly string[]> = {},
): string {
  const path = join(top, name);
  mkdirSync(path);
  for (const file of files) writeFileSync(join(path, file), '');
  for (const [directory, names] of Object.entries(below)) {
    mkdirSync(join(path, directory));
    for (const file of names) writeFileSync(join(path, directory, file), '');
  }
  return path;
}

const found = (call: () => unknown): string => {
  let message = '';
  assert.throws(call, (error: ForktraceError) => {
    message = error.message;
    return error.code === 'FORKTRACE_NO_JOURNAL';
  });
  return message;
};

test('where a journal is, and what is there instead', async (t) => {
  const top = await tempDir(t);
  const own = place(top, 'shop', [segment, 'notes.txt']);
  const two = place(top, 'two', [], { shop: [segment], jobs: [segment], other: ['notes.txt'] });
  assert.deepEqual(journalsAt(own), [own]);
  assert.deepEqual(
    journalsAt(two)
      .map((path) => basename(path))
      .sort(),
    ['jobs', 'shop'],
  );
  requireOneJournal(own);
  requireOneJournal(join(own, segment));
  assert.equal(foundAt(own), 'a journal without them');
  for (const look of [() => found(() => requireOneJournal(two)), () => foundAt(two)]) {
    assert.match(look(), /a directory of journals \((?:shop, jobs|jobs, shop)\): name one of them/);
  }

  const loop = join(top, 'loop');
  symlinkSync(loop, loop);
  const instead: [string, string][] = [
    [join(top, 'missing'), 'nothing'],
    [place(top, 'empty', []), 'an empty directory'],
    [place(top, 'few', ['a', 'b']), 'a directory with '],
    [place(top, 'many', ['a', 'b', 'c', 'd', 'e', 'f', 'g']), ' and 2 more'],
    [join(own, 'notes.txt'), 'a file'],
    [loop, 'a directory that cannot be read (ELOOP)'],
  ];
  for (const [path, what] of instead) {
    assert.ok(foundAt(path).includes(what), foundAt(path));
    assert.ok(found(() => journalsAt(path)).includes(what), path);
    assert.ok(found(() => requireOneJournal(path)).includes(what), path);
  }
});

test('numbers that are typed', () => {
  assert.deepEqual([wholeNumber('8'), portNumber('0'), portNumber('65535'), gigabytes('0.5')], [8, 0, 65_535, 5e8]);
  const wrong: [(text: string) => number, string[]][] = [
    [wholeNumber, ['', '-1', '1.5', '1e3', 'x', '1234567890']],
    [portNumber, ['65536', '-1', 'http']],
    [gigabytes, ['0', '-1', 'much', 'Infinity', '']],
  ];
  for (const [read, texts] of wrong) {
    for (const text of texts) assert.throws(() => read(text), InvalidArgumentError, `${read.name} ${text}`);
  }
});
