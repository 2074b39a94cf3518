import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fixture, runProgram } from '../process/run-program.js';

/** What V8 has learned of each property of the object literal in `process.nextTick`. */
const LEARNED = /DefineKeyedOwnPropertyInLiteral (\w+)/g;

for (const [how, expected] of [
  ['traced', 'MONOMORPHIC'],
  // What it is kept from; should V8 or Node.js mend this, it has to go, and its cure with it.
  ['untraced', 'MEGAMORPHIC'],
] as const) {
  test(`when full garbage collections find no tick waiting, ticks are ${expected.toLowerCase()}: ${how}`, async (t) => {
    const program = runProgram(t, fixture('ticks-between-collections'), {
      args: [how],
      execArgv: ['--expose-gc', '--allow-natives-syntax'],
    });
    const { code } = await program.waitForExit();
    assert.equal(code, 0, program.stderr);
    const learned = [...program.stdout.matchAll(LEARNED)].map(([, state]) => state);
    assert.ok(learned.length >= 4, `V8 has printed ${learned.length} properties`);
    assert.equal(learned.at(-1), expected);
    assert.equal(new Set(learned.slice(1)).size, 1, learned.join());
  });
}
