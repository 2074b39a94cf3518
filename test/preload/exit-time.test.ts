/**
 * A traced tool is gone as soon as the untraced one: nothing is flushed at its end.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const register = import.meta.resolve('forktrace/register');
/** On an idle machine, as `npm run bench:start` measures it. Rounds end early when it is seen. */
const LATER_MS = 5;
/** What cannot be by the load alone: an end that waits, for a shipper's start or for the Collector. */
const WAITS_MS = 40;
/** What else the machine does only ever adds to a time: the shortest of some is what the end itself takes. */
const ROUNDS = 5;
/** On a machine that is busy all the time, an undisturbed end may come late. */
const MOST_ROUNDS = 15;

for (const collector of ['that takes a second to answer', 'that is not there']) {
  test(`the end of a tool waits for nothing, with a Collector ${collector}`, async (t) => {
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
      const shortest = { traced: Number.POSITIVE_INFINITY, untraced: Number.POSITIVE_INFINITY };
      let round = 0;
      do {
        // Taking turns, so that a change of the machine's load meets both.
        shortest.untraced = Math.min(shortest.untraced, await endMs(end, false));
        shortest.traced = Math.min(shortest.traced, await endMs(end, true));
        round++;
      } while (round < ROUNDS || (shortest.traced > shortest.untraced + LATER_MS && round < MOST_ROUNDS));
      assert.ok(shortest.traced <= shortest.untraced + WAITS_MS, `${end}: ${JSON.stringify(shortest)} ms`);
    }
  });
}
