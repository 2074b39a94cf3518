/**
 * Whoever counts, lists, or removes the listeners of `process` finds none of ours, and loses none of ours.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';

const register = import.meta.resolve('forktrace/register');

const ENDS = [
  'listeners removed, empty',
  'exit listeners removed, empty',
  'exit listeners removed, exit',
  'exit code of a listener',
];

for (const execArgv of [
  ['--import', register],
  ['--require', fileURLToPath(register)],
]) {
  for (const end of ENDS) {
    test(`${execArgv[0]}, ${end}: listeners as untraced, and its exit is known`, async (t) => {
      const endpoint = await OtlpEndpoint.start(t);
      const run = async (preload: string[]) => {
        const program = runProgram(t, fixture('counts-listeners'), {
          args: [end],
          execArgv: preload,
          env: { NODE_ENV: 'production', OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl, FORKTRACE_QUIET: '1' },
        });
        const { code } = await program.waitForExit();
        return { code, stdout: program.stdout, stderr: program.stderr };
      };
      const traced = await run(execArgv);
      assert.equal(traced.code, 7);
      assert.deepEqual(traced, await run([]));
      const spans = await endpoint.waitForSpans(end === 'exit code of a listener' ? 4 : 3);
      const open = spans.find(({ name }) => name === 'in flight');
      const { attributes } = open?.events.find(({ name }) => name === 'forktrace.exit') ?? {};
      assert.equal(attributes?.['forktrace.exit.cause'], 'exit');
      assert.equal(attributes?.['process.exit.code'], 7);
    });
  }
}

for (const end of ['exit', 'empty']) {
  for (const mode of ['mmap', 'write']) {
    test(`${end}, ${mode}: spans that end after all listeners of the exit are delivered`, async (t) => {
      const endpoint = await OtlpEndpoint.start(t);
      const program = runProgram(t, fixture('ends-span-in-exit-hook'), {
        args: [end],
        execArgv: ['--import', register],
        env: {
          NODE_ENV: 'production',
          OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
          FORKTRACE_JOURNAL_MODE: mode,
        },
      });
      assert.equal((await program.waitForExit()).code, 7);
      const spans = await endpoint.waitForSpans(2);
      assert.deepEqual(spans.map(({ name, status }) => `${name} ${status.code}`).sort(), ['clean-up 0', 'tool 0']);
    });
  }
}
