import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { readBack } from './read-back.js';

test('write: a file that takes no more keeps what it has taken; the rest is counted, and said by the end', async (t) => {
  const dir = join(await tempDir(t), 'journal');
  // The shell's unit is 512 or 1024 bytes: a limit of 64 or 128 KiB, for spans of about 600.
  const program = runProgram(t, fixture('journal-writer'), {
    node: '/bin/sh',
    execArgv: ['-c', 'ulimit -f 128; exec "$0" "$@"', process.execPath],
    args: [dir, 'write', 'fill'],
  });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
  const lost = JSON.parse(program.stdout) as { noSpace: number };
  const { ended, inFlight, unsound } = readBack(dir);
  assert.deepEqual({ inFlight, unsound }, { inFlight: [], unsound: [] });
  assert.ok(lost.noSpace > 0, program.output);
  assert.equal(ended.length + lost.noSpace, 2000);
  // All that fitted: the file is full but for one turn's spans.
  assert.deepEqual(
    ended.map(({ id }) => id),
    Array.from({ length: ended.length }, (_, index) => index + 1),
  );
  assert.ok(ended.length >= 100);
  const said = [...program.stderr.matchAll(/Spans lost: (\d+), because there is no space in .* \(EFBIG\)/g)];
  assert.equal(
    said.reduce((sum, [, spans]) => sum + Number(spans), 0),
    lost.noSpace,
  );
});
