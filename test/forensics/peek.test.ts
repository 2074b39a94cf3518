import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { type TestContext, test } from 'node:test';
import { InspectorLines } from '#src/forensics/inspector-lines.js';
import { closeLate, type Peek, type PeekTarget, peek } from '#src/forensics/peek.js';
import { processState } from '#src/forensics/process-state.js';
import { fixture, runProgram } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';

/** The process that blocks in this way, once it does. */
async function blocked(t: TestContext, way: string, execArgv: string[] = []) {
  const program = runProgram(t, fixture('blocked'), {
    args: [way],
    execArgv: ['--inspect-publish-uid=stderr', ...execArgv],
    ipc: true,
  });
  let passedOn = '';
  const lines = new InspectorLines((url) => void closeLate(url));
  program.child.stderr!.on('data', (chunk: string) => {
    passedOn += lines.filter(Buffer.from(chunk)).toString();
  });
  await program.waitForOutput(/^begins$/m);
  const target = { pid: program.child.pid!, signal: () => void program.child.kill('SIGUSR1'), lines };
  return { program, target, passedOn: () => passedOn };
}

/** Node interrupts within milliseconds; a machine under load may take longer. */
const PATIENTLY_MS = 15_000;

async function isRefused(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  const refused = await once(socket, 'connect').then(
    () => false,
    (error) => error.code === 'ECONNREFUSED',
  );
  socket.on('error', () => {}).destroy();
  return refused;
}

/** Peeks until the process is there: a busy machine may look before it has begun to block. */
async function seen(target: PeekTarget, isThere: (found: Stack) => boolean): Promise<Stack> {
  let found: Peek | undefined;
  const looked = async () => {
    found = await peek(target, PATIENTLY_MS);
    assert.ok(found.found === 'stack', JSON.stringify(found));
    return isThere(found);
  };
  await waitFor(looked, 'the blocking code on the stack');
  return found as Stack;
}

type Stack = Extract<Peek, { found: 'stack' }>;

for (const [way, innermost] of [
  ['loop', /at .*loop .*blocked/],
  ['regex', /at RegExp\.test/],
  ['wait', /at Atomics\.wait/],
  ['comparator', /blocked|Array\.sort/],
] as const) {
  test(`${way}: the stack down to the blocking line, and the span that is active there`, async (t) => {
    const { target, program } = await blocked(t, way);
    const found = await seen(target, ({ stack }) => innermost.test(stack.split('\n')[0]!));
    assert.match(found.stack, /at theHandler /);
    assert.match(found.stack, new RegExp(`${way === 'comparator' ? 'comparator' : way} \\(.*blocked\\.(js|ts):\\d+`));
    assert.doesNotMatch(found.stack, /forktrace:peek/);
    assert.deepEqual(found.active, {
      traceId: 'a'.repeat(32),
      spanId: 'b'.repeat(16),
      rootSpanId: 'c'.repeat(16),
      name: 'GET /blocked',
    });
    assert.equal(program.exit, undefined, 'the process goes on');
  });
}

test('with source maps the stack has the lines of the source', async (t) => {
  const { target } = await blocked(t, 'loop', ['--enable-source-maps']);
  await seen(target, ({ stack }) => /loop \(.*blocked\.ts:\d+/.test(stack));
});

test('10,000 frames: the innermost hundred', async (t) => {
  const { target } = await blocked(t, 'deep', ['--stack-size=4000']);
  const found = await seen(target, ({ stack }) => stack.split('\n').length === 100);
  assert.match(found.stack.split('\n')[99]!, /descend/);
  assert.ok(found.stack.length <= 16 * 1024);
});

test("the application's own prepareStackTrace throws: no stack, but the active span", async (t) => {
  const { target } = await blocked(t, 'prepare');
  const found = await seen(target, ({ stack }) => stack === '');
  assert.equal(found.active?.spanId, 'b'.repeat(16));
});

test('execSync: no JavaScript answers; the process sleeps, and the child that it waits for is named', async (t) => {
  const { target, program, passedOn } = await blocked(t, 'child');
  const sleeps = () => processState(target.pid)?.children.some(({ command }) => command.includes('sleep 3'));
  await waitFor(sleeps, 'the child that it waits for');
  const found = await peek(target, 450);
  assert.ok(found.found === 'process', JSON.stringify(found));
  assert.equal(found.process?.state, 'S');
  assert.ok(
    found.process?.children.some(({ command }) => command.includes('sleep 3')),
    JSON.stringify(found.process),
  );
  // Node opens the inspector once the child has ended: it is closed again, and the terminal sees nothing of
  // it.
  await program.waitForOutput(/^ended$/m);
  program.child.send('go on');
  await waitFor(() => /^after$/m.test(passedOn()), 'what the program says itself');
  assert.doesNotMatch(passedOn(), /Debugger|For help/);
});

test('a healthy process answers, closes its inspector, opens it on another port the next time, and only its own lines are passed on', async (t) => {
  const { target, program, passedOn } = await blocked(t, 'nothing');
  for (let round = 0; round < 2; round++) {
    const found = await peek(target, PATIENTLY_MS);
    assert.ok(found.found === 'stack', JSON.stringify(found));
    const url = [...program.stderr.matchAll(/listening on (ws:\/\/\S+)/g)][round]![1]!;
    await waitFor(() => isRefused(Number(new URL(url).port)), 'the inspector to close');
    // Somebody else's by the next time.
    const taker = createServer((socket) => socket.on('error', () => {})).listen(Number(new URL(url).port), '127.0.0.1');
    t.after(() => taker.close());
    await once(taker, 'listening');
  }
  program.child.send('go on');
  await waitFor(() => /^after$/m.test(passedOn()), 'what the program says itself');
  assert.equal(passedOn(), 'before\nafter\n');
});

test('a process that is gone: no answer, within the time', async (t) => {
  const { target, program } = await blocked(t, 'nothing');
  program.kill('SIGKILL');
  await program.waitForExit();
  const found = await peek(target, 100);
  assert.ok(found.found === 'process');
  assert.equal(found.process, undefined);
});

test("somebody else's debugger: its lines are passed on, and it is not closed", () => {
  const late: string[] = [];
  const lines = new InspectorLines((url) => late.push(url));
  const said = 'Debugger listening on ws://127.0.0.1:9229/x\nFor help, see: https://nodejs.org/y\nDebugger attached.\n';
  assert.equal(lines.filter(Buffer.from(said)).toString(), said);
  void lines.address(AbortSignal.abort()).catch(() => {});
  assert.equal(lines.filter(Buffer.from(said)).toString(), '');
  assert.deepEqual(late, ['ws://127.0.0.1:9229/x']);
  assert.equal(lines.filter(Buffer.from(said)).toString(), said);
});

test('lines that come in pieces: the inspector goes, the application stays, and no end is kept back', () => {
  const lines = new InspectorLines(() => {});
  void lines.address(AbortSignal.abort()).catch(() => {});
  const said = 'one\nDebugger listening on ws://127.0.0.1:1/x\ntwo Debugger\nDebug';
  let passedOn = '';
  for (const letter of said) passedOn += lines.filter(Buffer.from(letter)).toString();
  assert.equal(passedOn + lines.end().toString(), 'one\ntwo Debugger\nDebug');
});
