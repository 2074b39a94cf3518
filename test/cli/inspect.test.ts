import assert from 'node:assert/strict';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { inspectAsJson, inspectAsTree, inspectJournal } from '#src/cli/inspect.js';
import { listJournal } from '#src/journal/reader.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

test('the journal of a dead writer can be read, in flight included, file by file or whole', async (t) => {
  const dir = join(await tempDir(t), 'journal');
  const program = runProgram(t, fixture('journal-writer'), { args: [dir, 'mmap', 'abort'] });
  await program.waitForExit();

  const lines = [...inspectAsJson(dir)].map((line) => JSON.parse(line));
  assert.equal(lines.length, 101);
  assert.equal(lines.filter((line) => line.inFlight).length, 1);
  assert.equal(lines[0].scope.name, 'fixture');
  assert.deepEqual({ ...lines[0].writer, id: undefined }, { id: undefined, pid: program.pid, slot: 3 });
  assert.match(lines[0].span.spanId, /^[0-9a-f]{16}$/);

  const files = listJournal(dir);
  assert.equal(files.flatMap((file) => [...inspectJournal(file.path)]).length, 101);
  assert.match([...inspectAsTree(dir)].join(''), /slot 3/);
});

test('what is not sound is said in its place', async (t) => {
  const dir = join(await tempDir(t), 'journal');
  const program = runProgram(t, fixture('journal-writer'), { args: [dir, 'mmap', 'abort'] });
  await program.waitForExit();
  const [first, ...others] = listJournal(dir);
  truncateSync(first!.path, 5000);
  writeFileSync(join(dir, others[0]!.name), 'something else');
  const found = [...inspectJournal(dir)];
  const unsound = found.flatMap((item) => ('unsound' in item ? [item.unsound] : []));
  assert.ok(unsound.includes('truncated'));
  assert.match([...inspectAsTree(dir)].join(''), /: truncated/);
  assert.deepEqual(
    [...inspectJournal(join(dir, 'no-such-file'))].map((item) => 'unsound' in item && item.unsound),
    ['foreign'],
  );
});
