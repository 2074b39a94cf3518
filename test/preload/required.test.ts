import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const register = createRequire(import.meta.url).resolve('forktrace/register');

test('with --require, beside instrumentations that hook the loader: a tool runs and ends as without', async (t) => {
  const tool = runProgram(t, fixture('tool'), {
    args: ['exit', '1', '1'],
    execArgv: ['--require', register],
    env: { NODE_ENV: 'production', FORKTRACE_JOURNAL_DIR: await tempDir(t), FORKTRACE_INSTRUMENTATIONS: undefined },
  });
  assert.deepEqual(await tool.waitForExit(), { code: 42, signal: null }, tool.output);
});
