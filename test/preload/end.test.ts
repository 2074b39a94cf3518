/**
 * A tool may end in any way, 1 ms after its first span: it ends as it does untraced, and everything is
 * delivered.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const register = import.meta.resolve('forktrace/register');
const ENDS = ['exit', 'exit with the root open', 'empty', 'throw', 'reject', 'kill', 'term', 'abort'];
const STEPS = 5;
/** Such a process leaves its root span open. */
const INTERRUPTED = new Set(['exit with the root open', 'throw', 'reject', 'kill', 'term', 'abort']);

for (const collector of ['that takes a second to answer', 'that is down at the time']) {
  test(`every end of a tool, with a Collector ${collector}: all is delivered, and it ends as untraced`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    if (collector === 'that is down at the time') await endpoint.stop();
    else endpoint.answerWith({ answer: 'slow', delayMs: 1000 });
    const env = {
      NODE_ENV: 'production',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
    };
    const roots = new Map<string, string>();
    for (const [index, end] of ENDS.entries()) {
      const args = [end, String([0, 1, 20][index % 3]), String(STEPS)];
      const untraced = runProgram(t, fixture('tool'), { args });
      const traced = runProgram(t, fixture('tool'), { args, env, execArgv: ['--import', register] });
      assert.deepEqual(await traced.waitForExit(), await untraced.waitForExit(), end);
      roots.set(end, JSON.parse((await traced.waitForOutput(/^\{.*\}$/m))[0]).traceId);
    }
    if (collector === 'that is down at the time') await endpoint.restart();
    const spans = await endpoint.waitForSpans(ENDS.length * (STEPS + 1));
    for (const [end, traceId] of roots) {
      const ofTool = spans.filter((span) => span.traceId === traceId);
      assert.equal(ofTool.length, STEPS + 1, end);
      const root = ofTool.find(({ name }) => name === 'tool')!;
      assert.equal(root.attributes['forktrace.interrupted'], INTERRUPTED.has(end) || undefined, end);
    }
  });
}
