import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { isAlive } from './alive.js';
import { fixture, runProgram } from './run-program.js';
import { tempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';

const child = fixture('bench-child');

/** A test inside the test: `end` runs what it has registered for its end. */
function innerTest() {
  const callbacks: (() => unknown)[] = [];
  const t = { after: (fn: () => unknown) => void callbacks.push(fn) } as Pick<TestContext, 'after'>;
  return {
    t,
    async end() {
      for (const callback of callbacks) await callback();
    },
  };
}

test('exit code and output of a program are collected', async (t) => {
  const program = runProgram(t, child, { args: ['exit'] });
  assert.deepEqual(await program.waitForExit(), { code: 3, signal: null });
  assert.equal(program.stdout, 'out\n');
  assert.equal(program.stderr, 'err\n');
});

test('a signal reaches the program, and its output can be waited for', async (t) => {
  const program = runProgram(t, child, { args: ['wait'] });
  await program.waitForOutput(/waiting/);
  program.kill('SIGTERM');
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null });
  assert.match(program.stdout, /got SIGTERM/);
});

test('a signal to the group reaches the program and its children', async (t) => {
  const program = runProgram(t, child, { args: ['wait'], ownGroup: true });
  await program.waitForOutput(/waiting/);
  program.killGroup('SIGKILL');
  assert.deepEqual(await program.waitForExit(), { code: null, signal: 'SIGKILL' });
});

test('messages go both ways', async (t) => {
  const program = runProgram(t, child, { args: ['echo'], ipc: true });
  await program.waitForMessage((message) => message === 'hello');
  program.send({ n: 1 });
  await program.waitFor(() => program.messages.length === 2, 'the echo');
  assert.deepEqual(program.messages, ['hello', { echo: { n: 1 } }]);
});

test('a program starts without the telemetry settings of its parent', async (t) => {
  process.env.OTEL_SERVICE_NAME = 'outer';
  t.after(() => delete process.env.OTEL_SERVICE_NAME);
  const program = runProgram(t, child, { args: ['environment'], env: { FORKTRACE_PIPELINE: 'batch' } });
  await program.waitForExit();
  const env = JSON.parse(program.stdout);
  assert.equal(env.OTEL_SERVICE_NAME, undefined);
  assert.equal(env.NODE_TEST_CONTEXT, undefined);
  assert.equal(env.FORKTRACE_PIPELINE, 'batch');
});

test('waiting for output of a program that has ended fails at once, with what it said', async (t) => {
  const program = runProgram(t, child, { args: ['exit'] });
  await assert.rejects(program.waitForOutput(/never/), /ended before output that matches \/never\/.*"code":3.*out/s);
});

test('a condition that does not come true in time is an error that names it', async () => {
  await assert.rejects(
    waitFor(() => false, 'the impossible', 20),
    /not within 20 ms: the impossible/,
  );
});

test('at the end of a test its processes and its directories are gone', async () => {
  const inner = innerTest();
  const dir = await tempDir(inner.t);
  const program = runProgram(inner.t, child, { args: ['wait'] });
  await program.waitForOutput(/waiting/);
  assert.ok(isAlive(program.pid));
  await inner.end();
  assert.equal(isAlive(program.pid), false);
  assert.equal(existsSync(dir), false);
});

test('an orphan of a program that has ended is killed too', async () => {
  const inner = innerTest();
  const program = runProgram(inner.t, child, { args: ['orphan'] });
  const [, pid] = await program.waitForOutput(/child (\d+)/);
  await program.waitForOutput(/waiting/);
  const orphan = Number(pid);
  program.know(orphan);
  await program.waitForExit();
  assert.ok(isAlive(orphan));
  assert.deepEqual(program.pids(), [orphan]);
  await inner.end();
  assert.equal(isAlive(orphan), false);
});
