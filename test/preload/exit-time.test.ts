/**
 * A traced tool is gone as soon as the untraced one: nothing is flushed at its end.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { addedByLoad, shortestOf } from './times.js';

const register = import.meta.resolve('forktrace/register');
const LATER_MS = 5;
const ROUNDS = 5;
/** On a machine that is busy all the time, an undisturbed end may come late. */
const MOST_ROUNDS = 40;

for (const collector of ['that takes a second to answer', 'that is not there']) {
  test(`a tool is gone at most ${LATER_MS} ms later than untraced, with a Collector ${collector}`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    if (collector === 'that is not there') await endpoint.stop();
    else endpoint.answerWith({ answer: 'slow', delayMs: 1000 });
    // Coverage is written at the end, of as much code as there is.
    const uncounted = { NODE_V8_COVERAGE: undefined };
    const env = {
      ...uncounted,
      NODE_ENV: 'production',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
    };
    /** From the tool's own last statement to its end, as its parent sees it. */
    const endMs = async (end: string, traced: boolean) => {
      const args = [end, '1', '5'];
      const tool = runProgram(
        t,
        fixture('tool'),
        traced ? { args, env, execArgv: ['--import', register] } : { args, env: uncounted },
      );
      await tool.waitForExit();
      const [, at] = await tool.waitForOutput(/^ending (.*)$/m);
      return tool.endedAt! + performance.timeOrigin - Number(at);
    };
    for (const end of ['exit', 'empty']) {
      const untraced: number[] = [];
      const traced: number[] = [];
      const later = () => shortestOf(traced) - shortestOf(untraced) - addedByLoad(untraced);
      do {
        // Taking turns, so that a change of the machine's load meets both.
        untraced.push(await endMs(end, false));
        traced.push(await endMs(end, true));
      } while (traced.length < ROUNDS || (later() > LATER_MS && traced.length < MOST_ROUNDS));
      assert.ok(later() <= LATER_MS, `${end}: ${JSON.stringify({ later: later(), untraced, traced })} ms`);
    }
  });
}
