/**
 * Who reads a tool's output to its end has it as soon as that of an untraced one, though the shipper that the
 * tool has started is still at work.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { Reading } from '../fixtures/reads-tools.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { addedByLoad, shortestOf } from './times.js';

const register = import.meta.resolve('forktrace/register');
/** The end itself is at most 5 ms later: see exit-time.test.ts. A shipper lives for seconds. */
const LATER_MS = 100;
const ROUNDS = 3;
const MOST_ROUNDS = 15;
const ways: Reading[] = ['exec', 'execFile', 'spawnSync', '$(tool 2>&1)', 'tool 2>&1 | cat'];

for (const way of ways) {
  test(`${way}: the output of a traced tool ends with the tool, of one that starts the shipper as of the next`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    endpoint.answerWith({ answer: 'slow', delayMs: 1000 });
    const dir = await tempDir(t);
    const reader = runProgram(t, fixture('reads-tools'), { ipc: true, env: { NODE_V8_COVERAGE: undefined } });
    const endMs = async (journal: string | undefined): Promise<number> => {
      const tool = [fixture('tool'), 'exit', '1', '5'];
      const heard = reader.messages.length;
      reader.send({
        way,
        args: journal === undefined ? tool : ['--import', register, ...tool],
        env: {
          NODE_ENV: 'production',
          OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
          FORKTRACE_JOURNAL_DIR: journal ?? dir,
        },
      });
      await reader.waitFor(() => reader.messages.length > heard, 'the end of the output');
      const { ms, output } = reader.messages.at(-1) as { ms: number; output: string };
      assert.ok(ms >= 0, output);
      return ms;
    };
    const untraced: number[] = [];
    const traced: Record<'first' | 'next', number[]> = { first: [], next: [] };
    const laterMs = () =>
      Math.max(...Object.values(traced).map((times) => shortestOf(times) - shortestOf(untraced))) -
      addedByLoad(untraced);
    do {
      const journal = join(dir, String(untraced.length));
      untraced.push(await endMs(undefined));
      traced.first.push(await endMs(journal));
      traced.next.push(await endMs(journal));
    } while (untraced.length < ROUNDS || (laterMs() > LATER_MS && untraced.length < MOST_ROUNDS));
    assert.ok(laterMs() <= LATER_MS, JSON.stringify({ untraced, ...traced }));
    // Each root and its steps.
    await endpoint.waitForSpans(untraced.length * 2 * 6);
  });
}
