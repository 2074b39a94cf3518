import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SignalApp } from '../fixtures/signal-handlers.js';
import { fixture, runProgram } from '../process/run-program.js';
import { endsAsUntraced } from '../process/signal-table.js';
import { tempDir } from '../process/temp-dir.js';

endsAsUntraced('in a worker of the cluster', { place: 'worker' });
endsAsUntraced('in the coordinator', { place: 'primary' });

test('a signal that nobody handles, just when the coordinator has stopped its workers, ends the process', async (t) => {
  const app: SignalApp = {
    place: 'primary',
    traced: true,
    when: 'after',
    handlers: [{ signal: 'SIGTERM', how: 'on', does: 'remove all' }],
    signalExit: [],
    raisesAtExit: true,
  };
  const program = runProgram(t, fixture('signal-handlers'), {
    args: [JSON.stringify(app)],
    env: { NODE_ENV: 'production', FORKTRACE_EXPORT: 'none', FORKTRACE_JOURNAL_DIR: await tempDir(t) },
  });
  await program.waitForOutput(/^ready \d+/m);
  program.kill('SIGTERM');
  assert.deepEqual(await program.waitForExit(), { code: null, signal: 'SIGTERM' });
});
