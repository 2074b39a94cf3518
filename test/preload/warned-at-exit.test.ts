/**
 * A process that ends in the turn in which tracing starts runs no later tick: its warnings are printed at its
 * exit.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixture, runProgram } from '../process/run-program.js';

const ENDS = [
  ['exit', 42],
  ['exit with the root open', 0],
  ['throw', 1],
  ['reject', 1],
  ['empty', 0],
] as const;

for (const [end, code] of ENDS) {
  test(`${end}: each warning of the start is printed once`, async (t) => {
    const program = runProgram(t, fixture('tool'), {
      args: [end, '0', '1'],
      execArgv: ['--import', import.meta.resolve('forktrace/register')],
      env: {
        NODE_ENV: 'production',
        FORKTRACE_JOURNAL_DIR: '/proc/forktrace',
        OTEL_TRACES_SAMPLER: 'nonsense',
        // Nobody listens, and nobody waits for it.
        OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
        OTEL_EXPORTER_OTLP_TIMEOUT: '100',
      },
    });
    assert.equal((await program.waitForExit()).code, code, program.output);
    for (const word of [
      'FORKTRACE_JOURNAL_DIR]',
      'FORKTRACE_ENV_IGNORED] ForktraceWarning: Environment variable OTEL_TRACES_SAMPLER',
    ])
      assert.equal(program.stderr.split(`[${word}`).length - 1, 1, program.stderr);
  });
}
