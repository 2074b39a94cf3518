import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixture, runProgram } from '../process/run-program.js';

for (const [beside, args, codes, seenByOther] of [
  ['nobody', [], [], []],
  ['an SDK that is registered already', ['other-sdk'], ['FORKTRACE_REGISTERED_TWICE'], ['work', 'after']],
] as const) {
  test(`tracing started beside ${beside}: ${codes.length} warnings, and instrumentations are enabled before the app`, async (t) => {
    const program = runProgram(t, fixture('registered-twice'), { args: [...args] });
    assert.deepEqual(await program.waitForExit(), { code: 0, signal: null }, program.output);
    const calls = ['setTracerProvider', 'enable', 'app', 'disable'];
    assert.deepEqual(JSON.parse(program.stdout), { codes, calls, seenByOther });
  });
}
