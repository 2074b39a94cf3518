import assert from 'node:assert/strict';
import { existsSync, readdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openJournal } from '#src/journal/journal.js';
import { removeLeftoversOf } from '#src/journal/journal-directory.js';
import { readVitals } from '#src/journal/vitals.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

for (const mode of ['mmap', 'write'] as const) {
  test(`${mode}: numbers and the exit record of a process survive SIGKILL`, async (t) => {
    const dir = join(await tempDir(t), 'journal');
    const program = runProgram(t, fixture('journal-writer'), { args: [dir, mode, 'vitals'] });
    assert.deepEqual(await program.waitForExit(), { code: null, signal: 'SIGKILL' }, program.output);
    assert.deepEqual(JSON.parse(program.stdout), { exit: { signal: 'SIGTERM', cause: 'signal' } }, 'the record before');
    const [name] = readdirSync(dir).filter((file) => file.endsWith('.vitals'));
    const writerId = name!.slice(0, 32);
    const vitals = readVitals(dir, writerId)!;
    assert.deepEqual([...vitals.numbers.subarray(0, 3)], [1.5, -2, 0]);
    assert.equal(vitals.numbers[511], 511);
    const { stack, active, ...exit } = vitals.exit!;
    assert.deepEqual(exit, {
      code: 7,
      cause: 'uncaught_exception',
      exceptionType: 'TypeError',
      message: 'm'.repeat(1024),
    });
    assert.match(stack!, /^TypeError: m+/);
    const ids = { traceId: 'a'.repeat(32), spanId: 'b'.repeat(16), rootSpanId: undefined };
    assert.deepEqual(active, { ...ids, name: 'é'.repeat(110) });
    // It goes with what else its writer leaves behind.
    removeLeftoversOf(dir, writerId);
    assert.equal(existsSync(join(dir, name!)), false);
  });
}

test('a page that is no vitals page is none, whatever it is', async (t) => {
  const dir = join(await tempDir(t), 'journal');
  const journal = openJournal({ dir, resource: Buffer.alloc(0) });
  t.after(() => journal.close());
  assert.equal(readVitals(dir, journal.writerId), undefined);
  journal.vitals()!.set(0, 1);
  assert.equal(readVitals(dir, journal.writerId)!.exit, undefined);
  const path = join(dir, `${journal.writerId}-1.vitals`);
  truncateSync(path, 5000);
  assert.equal(readVitals(dir, journal.writerId), undefined);
  for (const bytes of ['', 'x', 'x'.repeat(20_000)]) {
    writeFileSync(path, bytes);
    assert.equal(readVitals(dir, journal.writerId), undefined);
  }
  // A store to a page that has been cut off would end the process: put it back.
  truncateSync(path, 20_000);
});
