import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const cli = fileURLToPath(import.meta.resolve('#src/cli/main.js'));
const TRACEPARENT = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

async function start(t: TestContext, args: string[], variables: Record<string, string> = {}, execArgv: string[] = []) {
  const endpoint = await OtlpEndpoint.start(t);
  const program = runProgram(t, cli, {
    args: ['run', '--trace', ...args],
    execArgv,
    env: {
      NODE_ENV: 'production',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
      TRACEPARENT,
      ...variables,
    },
  });
  return { endpoint, program };
}

for (const pipeline of ['journal', 'batch']) {
  test(`${pipeline}: a tool without instrumentation has a span around its life, with its arguments its own`, async (t) => {
    const script = join(await tempDir(t), 'plain-tool.mjs');
    await writeFile(script, 'console.log(process.argv.slice(2).join()); process.exitCode = 3;');
    const { endpoint, program } = await start(t, [script, '-w', '--trace', 'x'], { FORKTRACE_PIPELINE: pipeline });
    assert.deepEqual(await program.waitForExit(), { code: 3, signal: null });
    assert.equal(program.stdout.trim(), '-w,--trace,x');
    const [span] = await endpoint.waitForSpans(1);
    assert.equal(span!.name, 'plain-tool.mjs');
    assert.equal(span!.traceId, '0af7651916cd43dd8448eb211c80319c');
    assert.equal(span!.parentSpanId, 'b7ad6b7169203331');
    assert.equal(Number(span!.attributes['process.exit.code']), 3);
    assert.equal(span!.status.message, 'the process exited with code 3');
  });
}

test('spans of the tool are its children', async (t) => {
  const { endpoint, program } = await start(t, [fixture('tool'), 'exit', '1', '2']);
  assert.equal((await program.waitForExit()).code, 42);
  const spans = await endpoint.waitForSpans(4);
  const root = spans.find(({ name }) => name === 'tool.js')!;
  assert.equal(spans.find(({ name }) => name === 'tool')!.parentSpanId, root.spanId);
  assert.equal(Number(root.attributes['process.exit.code']), 42);
});

test('a thread has none of its own: its spans are children of the process’s, however the process ends', async (t) => {
  const api = JSON.stringify(import.meta.resolve('@opentelemetry/api'));
  const script = join(await tempDir(t), 'with-thread.mjs');
  await writeFile(
    script,
    `import { isMainThread, parentPort, Worker } from 'node:worker_threads';
    import { trace } from ${api};
    const atWork = (thread) => new Promise((resolve) => thread.once('message', resolve));
    if (isMainThread) {
      await Promise.all([undefined, 'silent'].map((argv) => atWork(new Worker(new URL(import.meta.url), { argv: [argv] }))));
      process.exit();
    }
    if (process.argv[2] !== 'silent') trace.getTracer('thread').startSpan('in the thread').end();
    parentPort.postMessage('at work');
    setInterval(() => {}, 1 << 30);`,
  );
  const { endpoint, program } = await start(t, [script]);
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null });
  const spans = await endpoint.waitForSpans(2);
  const root = spans.find(({ name }) => name === 'with-thread.mjs')!;
  assert.deepEqual(
    spans.filter((span) => span !== root).map(({ name, parentSpanId }) => ({ name, parentSpanId })),
    [{ name: 'in the thread', parentSpanId: root.spanId }],
  );
  assert.equal(Number(root.attributes['process.exit.code']), 0);
  assert.equal(root.attributes['forktrace.interrupted'], undefined);
});

test('an error that nobody catches is on it', async (t) => {
  const { endpoint, program } = await start(t, [fixture('tool'), 'throw', '1', '0']);
  assert.equal((await program.waitForExit()).code, 1);
  const [root] = await endpoint.waitForSpans(1);
  assert.equal(Number(root!.attributes['process.exit.code']), 1);
  assert.equal(root!.events[0]!.attributes['exception.message'], 'the tool failed');
});

test("options of Node.js that the command was started with are the program's", async (t) => {
  const script = join(await tempDir(t), 'plain-tool.mjs');
  await writeFile(script, 'console.log(process.execArgv.includes("--title=mine"), process.title);');
  const { program } = await start(t, [script], {}, ['--title=mine']);
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null });
  assert.equal(program.stdout.trim(), 'true mine');
});

test('a tool that is killed has an interrupted root span, and the command dies of the same signal', async (t) => {
  const { endpoint, program } = await start(t, [fixture('tool'), 'kill', '1', '0']);
  assert.deepEqual(await program.waitForExit(), { code: null, signal: 'SIGKILL' });
  const [root] = await endpoint.waitForSpans(1);
  assert.equal(root!.name, 'tool.js');
  assert.equal(root!.attributes['forktrace.interrupted'], true);
});

test('a signal that is sent to the command alone reaches the tool, which decides', async (t) => {
  const signals = ['SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const;
  const script = join(await tempDir(t), 'listening-tool.mjs');
  await writeFile(
    script,
    `for (const signal of ${JSON.stringify(signals)}) process.on(signal, () => console.log('heard ' + signal));
    setInterval(() => {}, 1 << 30);
    console.log('ready');`,
  );
  // Of a session of its own: a terminal would signal both.
  const program = runProgram(t, cli, {
    args: ['run', '--trace', script],
    ownGroup: true,
    env: { NODE_ENV: 'production', FORKTRACE_JOURNAL_DIR: await tempDir(t) },
  });
  await program.waitForOutput(/ready/);
  for (const signal of signals) {
    program.kill(signal);
    await program.waitForOutput(new RegExp(`heard ${signal}`));
  }
  assert.equal(program.exit, undefined);
});
