import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { readBack } from './read-back.js';

const writer = fixture('journal-writer');
const KILLS = 6;

for (const mode of ['mmap', 'write'] as const) {
  test(`${mode}: a writer that is killed at any moment leaves each span ended or in flight, never both, never neither`, async (t) => {
    const dir = await tempDir(t);
    const runs = Array.from({ length: KILLS }, async (_, run) => {
      const journalDir = join(dir, String(run));
      const program = runProgram(t, writer, { args: [journalDir, mode, 'storm'] });
      // The moment of the kill is a point in the program's own work, not in time.
      await program.waitFor(() => program.stdout.length > 3000 + run * 4001, 'work done');
      program.kill('SIGKILL');
      await program.waitForExit();

      const lines = program.stdout.split('\n').slice(0, -1);
      const said = (letter: string) =>
        new Set(lines.filter((line) => line[0] === letter).map((line) => Number(line.slice(1))));
      const begun = said('b');
      const finishing = said('f');
      const ended = said('e');
      const found = readBack(journalDir);
      const foundEnded = found.ended.map(({ id }) => id);
      const foundInFlight = found.inFlight.map(({ id }) => id);

      assert.deepEqual(found.unsound, []);
      assert.equal(new Set([...foundEnded, ...foundInFlight]).size, foundEnded.length + foundInFlight.length);
      for (const id of ended) assert.ok(foundEnded.includes(id), `span ${id} had ended`);
      for (const id of foundEnded) assert.ok(finishing.has(id), `span ${id} had not ended`);
      for (const id of begun) {
        if (!finishing.has(id)) assert.ok(foundInFlight.includes(id), `span ${id} was in flight`);
        assert.ok(foundEnded.includes(id) || foundInFlight.includes(id), `span ${id} is nowhere`);
      }
      assert.ok(ended.size > 20);
    });
    await Promise.all(runs);
  });

  const exits = [
    { behaviour: 'abort', keeps: mode === 'mmap' },
    { behaviour: 'exit', keeps: true },
    { behaviour: 'throw', keeps: true },
    { behaviour: 'end-of-work', keeps: true },
    { behaviour: 'close', keeps: true },
  ];
  for (const { behaviour, keeps } of exits) {
    const name = keeps ? 'keeps what was written' : 'leaves what has ended in this turn in flight';
    test(`${mode}: ${behaviour} ${name}, and what is in flight`, async (t) => {
      const dir = join(await tempDir(t), 'journal');
      const program = runProgram(t, writer, { args: [dir, mode, behaviour] });
      await program.waitForExit();
      const { ended, inFlight, unsound } = readBack(dir);
      assert.deepEqual(unsound, []);
      assert.equal(ended.length, keeps ? 100 : 0, program.output);
      assert.deepEqual(
        inFlight.map(({ id }) => id).sort((a, b) => a - b),
        keeps ? [101] : Array.from({ length: 101 }, (_, index) => index + 1),
      );
    });
  }
}
