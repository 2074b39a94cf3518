/**
 * Processes that are started in unusual ways: they end as untraced, their spans arrive, and nobody is told
 * what is not for them.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import WebSocket from 'ws';
import { HEARTBEAT_MS } from '#src/process/worker-messages.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { SignalApp } from '../fixtures/signal-handlers.js';
import { fixture, runProgram } from './run-program.js';
import { tempDir } from './temp-dir.js';

const register = import.meta.resolve('forktrace/register');
const served: SignalApp = { place: 'primary', traced: true, when: 'after', handlers: [], signalExit: [] };

async function environment(t: TestContext) {
  const endpoint = await OtlpEndpoint.start(t);
  const env = {
    NODE_ENV: 'production',
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
    FORKTRACE_JOURNAL_DIR: await tempDir(t),
  };
  return { endpoint, env };
}

test('node --watch: the program is traced, and its companions report no dependencies', async (t) => {
  const { endpoint, env } = await environment(t);
  const program = runProgram(t, fixture('unaware-server'), { execArgv: ['--watch', '--import', register], env });
  // It asks itself.
  await endpoint.waitForSpans(1);
  assert.doesNotMatch(program.output, /Error|at .*\.js:\d+/);
});

/** Ways in which nothing can be written to standard error. */
const brokenStderr: Record<string, (start: (stderr: 'pipe' | number) => ChildProcess) => ChildProcess> = {
  'a full disk'(start) {
    const fd = openSync('/dev/full', 'w');
    const child = start(fd);
    closeSync(fd);
    return child;
  },
  'a pipe whose reader has gone'(start) {
    const child = start('pipe');
    child.stderr!.destroy();
    return child;
  },
};

for (const [name, open] of Object.entries(brokenStderr)) {
  const skip = existsSync('/dev/full') ? false : 'needs /dev/full';
  test(`${name} as standard error: a coordinator and a tool that have something to say go on`, { skip }, async (t) => {
    const { env } = await environment(t);
    // A name that does not exist is warned about.
    const all = { PATH: process.env.PATH, ...env, FORKTRACE_UNKNOWN: '1' };
    const run = (args: string[]) => {
      const child = open((stderr) => spawn(process.execPath, args, { stdio: ['ignore', 'pipe', stderr], env: all }));
      t.after(() => child.kill('SIGKILL'));
      return child;
    };
    const tool = run(['--import', register, fixture('tool'), 'exit', '0', '1']);
    assert.deepEqual(await once(tool, 'exit'), [42, null]);
    const coordinator = run([fixture('signal-handlers'), JSON.stringify(served)]);
    const ended = once(coordinator, 'exit');
    let output = '';
    for await (const chunk of coordinator.stdout!) {
      output += chunk;
      if (/^ready/m.test(output)) coordinator.kill('SIGTERM');
    }
    assert.match(output, /^ready/m);
    assert.deepEqual(await ended, [null, 'SIGTERM']);
  });
}

const permission = process.allowedNodeEnvironmentFlags.has('--permission')
  ? '--permission'
  : '--experimental-permission';
const network = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : [];

test('the permission model without child processes: the process ships its own journal, and says so once', async (t) => {
  const { endpoint, env } = await environment(t);
  const program = runProgram(t, fixture('tool'), {
    args: ['empty', '0', '3'],
    execArgv: [permission, ...network, '--allow-fs-read=*', '--allow-fs-write=*', '--import', register],
    env,
  });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null });
  assert.equal((await endpoint.waitForSpans(4)).length, 4);
  assert.equal(program.stderr.match(/FORKTRACE_SHIPS_INLINE/g)?.length, 1);
  assert.doesNotMatch(program.stderr, /FORKTRACE_SHIPPER_DIED/);
});

test('the permission model with child processes: the shipper’s processes do not warn again of what it allows', async (t) => {
  const { endpoint, env } = await environment(t);
  const run = async (preload: string[]) => {
    const program = runProgram(t, fixture('unaware-server'), {
      execArgv: [
        permission,
        ...network,
        '--allow-fs-read=*',
        '--allow-fs-write=*',
        '--allow-child-process',
        ...preload,
      ],
      // Node.js 22 says in a process that sends with TLS what it cannot read of them.
      env: { ...env, FORKTRACE_QUIET: 'true', NODE_EXTRA_CA_CERTS: undefined },
    });
    await program.waitForOutput(/"port"/);
    // By now all processes of the shipper have booted.
    if (preload.length > 0) await endpoint.waitForSpans(1);
    program.kill('SIGTERM');
    await program.waitForExit();
    return program.stderr.replaceAll(/\d+/g, '0');
  };
  const untraced = await run([]);
  assert.equal(await run(['--import', register]), untraced);
});

test('--no-experimental-require-module: the app runs untraced, and is told which option to remove', {
  skip: process.features.require_module === undefined && 'this Node.js has no such option',
}, async (t) => {
  const { env } = await environment(t);
  // A part that tracing needs, and the instrumentations that are installed beside the app.
  for (const needs of [{ FORKTRACE_ROOT_SPAN: 'true' }, { FORKTRACE_INSTRUMENTATIONS: undefined }]) {
    const program = runProgram(t, fixture('unaware-server'), {
      execArgv: ['--no-experimental-require-module', '--import', register],
      env: { ...env, FORKTRACE_QUIET: 'true', ...needs },
    });
    await program.waitForOutput(/"port"/);
    await program.waitForOutput(/FORKTRACE_START_FAILED.*: Node\.js runs with --no-experimental-require-module/);
  }
});

test('a single executable application ships its own journal: what it starts would be itself again', async (t) => {
  const { endpoint, env } = await environment(t);
  // To build one takes a copy of Node.js; what tells it apart is one function.
  const isSea = `process.getBuiltinModule = (get => name => name === 'node:sea' ? { isSea: () => true } : get(name))(process.getBuiltinModule)`;
  const program = runProgram(t, fixture('unaware-server'), {
    execArgv: [`--import=data:text/javascript,${encodeURIComponent(isSea)}`, '--import', register],
    env: { ...env, FORKTRACE_QUIET: 'true' },
  });
  await program.waitForOutput(/"port"/);
  assert.equal((await endpoint.waitForSpans(1)).length, 1);
  assert.match(program.stderr, /FORKTRACE_SHIPS_INLINE.*: A single executable application/);
  assert.deepEqual(program.pids(), [program.pid]);
});

const FREEZES = 'Object.freeze(Object.prototype);Object.freeze(Array.prototype);Object.freeze(Function.prototype)';

/** What restricts a process and its intrinsics. */
const RESTRICTIONS: Record<string, string[]> = {
  '--frozen-intrinsics': ['--frozen-intrinsics'],
  'frozen prototypes': [`--import=data:text/javascript,${FREEZES}`],
  'no Error.prepareStackTrace of anybody’s': [
    `--import=data:text/javascript,Object.defineProperty(Error,'prepareStackTrace',{value:undefined})`,
  ],
  '--disable-proto=delete': ['--disable-proto=delete'],
  '--disable-proto=throw': ['--disable-proto=throw'],
  '--disallow-code-generation-from-strings': ['--disallow-code-generation-from-strings'],
  '--no-addons': ['--no-addons'],
  '--stack-trace-limit=0': ['--stack-trace-limit=0'],
};

for (const [name, options] of Object.entries(RESTRICTIONS)) {
  test(`${name}: the app is traced, and prints what it prints untraced`, async (t) => {
    const { endpoint, env } = await environment(t);
    const run = async (preload: string[]) => {
      const program = runProgram(t, fixture('unaware-server'), {
        execArgv: [...options, ...preload],
        env: { ...env, FORKTRACE_QUIET: 'true' },
      });
      await program.waitForOutput(/"port"/);
      program.kill('SIGTERM');
      assert.deepEqual(await program.waitForExit(), { code: null, signal: 'SIGTERM' });
      return program.output.replaceAll(/\d+/g, '0');
    };
    const untraced = await run([]);
    assert.equal(await run(['--import', register]), untraced);
    assert.equal((await endpoint.waitForSpans(1)).length, 1);
  });
}

test('a worker under --inspect-brk waits for its debugger, however long that takes', async (t) => {
  const { env } = await environment(t);
  const program = runProgram(t, fixture('signal-handlers'), {
    args: [JSON.stringify({ ...served, execArgv: ['--inspect-brk=0'], readyTimeoutMs: 500 })],
    env,
  });
  const [, url] = await program.waitForOutput(/Debugger listening on (ws:\S+)/);
  // Longer than the timeout, which is what is tested: nothing happens meanwhile.
  await sleep(1500);
  assert.doesNotMatch(program.output, /not ready/);
  const debuggerSocket = new WebSocket(url!);
  t.after(() => debuggerSocket.terminate());
  await once(debuggerSocket, 'open');
  const send = (id: number, method: string) => debuggerSocket.send(JSON.stringify({ id, method }));
  debuggerSocket.on('message', (data) => {
    if (String(data).includes('"Debugger.paused"')) send(3, 'Debugger.resume');
  });
  send(1, 'Debugger.enable');
  send(2, 'Runtime.runIfWaitingForDebugger');
  await program.waitForOutput(/^ready/m);
});

test('a worker of somebody else’s primary sends it nothing', async (t) => {
  const { env } = await environment(t);
  const primary = `
    const cluster = require('node:cluster');
    cluster.setupPrimary({ exec: process.argv[1], args: [process.argv[2]] });
    const worker = cluster.fork();
    worker.on('message', (message) => console.log('message', JSON.stringify(message)));
    worker.on('listening', () => setTimeout(() => worker.kill(), ${3 * HEARTBEAT_MS}));
    worker.on('exit', () => console.log('worker ended'));`;
  const app: SignalApp = { ...served, place: 'worker' };
  const program = runProgram(t, '-e', { args: [primary, fixture('signal-handlers'), JSON.stringify(app)], env });
  await program.waitForOutput(/^worker ended/m);
  assert.doesNotMatch(program.stdout, /^message/m);
});
