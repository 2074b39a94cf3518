import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, rmdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const register = import.meta.resolve('forktrace/register');
const unshare = ['--pid', '--fork', '--mount-proc', '--kill-child'];
const able = spawnSync('unshare', [...unshare, 'true']).status === 0;
const skip = able ? false : 'needs Linux and root: unshare --pid';

const cli = fileURLToPath(import.meta.resolve('#src/cli/main.js'));
const PRELOAD = ['--import', register];
const EXIT = 'forktrace.exit';

/** A control group whose processes get so much of the CPU together; cgroups(7), version 1 or 2. */
const tenthOfACore = ['/sys/fs/cgroup/cpu', '/sys/fs/cgroup']
  .map((top) => join(top, `forktrace-pid-1-${process.pid}`))
  .find((group) => {
    try {
      mkdirSync(group);
    } catch {
      return false;
    }
    after(() => rmdirSync(group));
    const limits = { 'cpu.cfs_quota_us': '10000', 'cpu.max': '10000 100000' };
    const limit = Object.entries(limits).find(([name]) => existsSync(join(group, name)));
    if (limit) writeFileSync(join(group, limit[0]), limit[1]);
    return limit !== undefined;
  });

/** Joins a control group before it becomes what it is to be. */
const JOIN = ['sh', '-c', 'echo $$ > "$1"; shift; exec "$@"', 'join'];

async function asPid1(t: TestContext, args: string[], env: Record<string, string> = {}, group?: string) {
  const ended = await contained(t, [process.execPath, ...args], env, group);
  assert.match(ended.output, /"pid":1\b/);
  return ended;
}

/** Runs a container of this program. */
async function contained(t: TestContext, program: string[], env: Record<string, string> = {}, group?: string) {
  const endpoint = await OtlpEndpoint.start(t);
  if (env.ANSWERS_AFTER_MS) endpoint.answerWith({ answer: 'slow', delayMs: Number(env.ANSWERS_AFTER_MS) });
  const command = ['unshare', ...unshare, ...program];
  const [file, ...rest] = group === undefined ? command : [...JOIN, join(group, 'cgroup.procs'), ...command];
  const child = spawn(file!, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      PATH: process.env.PATH,
      // Else nothing of what runs there is covered.
      ...(process.env.NODE_V8_COVERAGE && { NODE_V8_COVERAGE: process.env.NODE_V8_COVERAGE }),
      NODE_ENV: 'production',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      OTEL_SERVICE_NAME: 'pid-1',
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
      ...env,
    },
  });
  // Its children die with PID 1.
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  const [code] = await once(child, 'close', { signal: AbortSignal.timeout(60_000) });
  return { code, spans: endpoint.received(), output };
}

test('a tool that is PID 1 of its container and calls process.exit() has delivered by then', { skip }, async (t) => {
  const { code, spans } = await asPid1(t, [...PRELOAD, fixture('tool'), 'exit', '0', '3']);
  assert.equal(code, 42);
  assert.equal(spans.length, 4);
});

test('in a container that may use a tenth of a core, too, where the shipper takes seconds to start', {
  skip: skip || (tenthOfACore === undefined && 'needs control groups of the CPU'),
}, async (t) => {
  const { code, spans } = await asPid1(t, [...PRELOAD, fixture('tool'), 'exit', '0', '3'], {}, tenthOfACore);
  assert.equal(code, 42);
  assert.equal(spans.length, 4);
});

test('the jobs of a traced PID 1 share its shipper, leave it no zombies, and are delivered at its end', {
  skip,
}, async (t) => {
  const { code, spans } = await asPid1(t, [
    ...PRELOAD,
    fixture('job-starter'),
    register,
    fixture('tool'),
    '4',
    'traces',
  ]);
  assert.equal(code, 0, 'zombies');
  assert.ok(spans.length >= 4 * 2 + 1, `${spans.length} spans`);
});

test('a PID 1 that traces nothing: each of its jobs is delivered by a shipper of its own, and leaves no zombie', {
  skip,
}, async (t) => {
  const { code, spans } = await asPid1(t, [...PRELOAD, fixture('job-starter'), register, fixture('tool'), '2']);
  assert.equal(code, 0, 'zombies');
  assert.equal(spans.length, 2 * 2);
});

/** What starts the program as PID 1, and ends as it does. */
const FRONTS: Record<string, (command: string, dir: string) => string[]> = {
  'sh -c': (command) => ['sh', '-c', `${command}; exit $?`],
  npm(command, dir) {
    writeFileSync(join(dir, 'package.json'), JSON.stringify({ scripts: { start: command } }));
    return ['npm', '--prefix', dir, 'start'];
  },
  // An init that only waits, under a name of one.
  tini(command, dir) {
    const init = join(dir, 'tini');
    symlinkSync(process.execPath, init);
    const waits = `const { status, signal } = require('node:child_process').spawnSync('sh', ['-c', 'exec "$0" "$@"', ...process.argv.slice(1)], { stdio: 'inherit' });
      process.exit(signal ? 143 : status)`;
    return [init, '-e', waits, ...command.split(' ')];
  },
  'forktrace run --trace': (command) => command.replace(PRELOAD.join(' '), `${cli} run --trace`).split(' '),
};

const isOfTool = ({ name }: { name: string }) => name === 'tool' || name.startsWith('step');

for (const [name, front] of Object.entries(FRONTS)) {
  for (const [end, exit] of Object.entries({ exit: 42, empty: 0, term: 143 })) {
    test(`a program for whose end alone PID 1 waits has delivered by then: ${name}, ${end}`, { skip }, async (t) => {
      const command = [process.execPath, ...PRELOAD, fixture('tool'), end, '0', '3'].join(' ');
      const { code, spans } = await contained(t, front(command, await tempDir(t)));
      assert.equal(code, exit);
      const own = spans.filter(isOfTool);
      const root = own.find(({ name }) => name === 'tool');
      assert.equal(own.length, root === undefined ? 3 : 4);
      // Below the span around the program's life it is no local root, and is not told as interrupted.
      if (front === FRONTS['forktrace run --trace'] && end === 'term') assert.equal(root, undefined);
      else assert.equal(root?.attributes['forktrace.interrupted'], end === 'term' ? true : undefined);
    });
  }
}

test('a cluster of the app whose primary is PID 1 and traces nothing: what its last worker left is delivered', {
  skip,
}, async (t) => {
  const app = join(await tempDir(t), 'cluster.mjs');
  writeFileSync(
    app,
    `import cluster from 'node:cluster';
    import { trace } from ${JSON.stringify(import.meta.resolve('@opentelemetry/api'))};
    if (cluster.isPrimary) cluster.fork().on('exit', (code) => process.exit(code));
    else {
      trace.getTracer('last').startSpan('ended').end();
      trace.getTracer('last').startSpan('open');
      setTimeout(() => process.exit(3), 50);
    }`,
  );
  const { code, spans } = await contained(t, [process.execPath, ...PRELOAD, app]);
  assert.equal(code, 3);
  assert.deepEqual(spans.map(({ name }) => name).sort(), ['ended', 'open']);
});

test('a job of a program that is PID 1 and runs others does not wait for its delivery', { skip }, async (t) => {
  const runs = `const { spawnSync } = require('node:child_process');
    const { status } = spawnSync(process.execPath, process.argv.slice(1), { stdio: 'inherit' });
    process.exit(status);`;
  const job = [...PRELOAD, fixture('tool'), 'exit', '0', '3'];
  const { code, spans } = await contained(t, [process.execPath, '-e', runs, ...job], { ANSWERS_AFTER_MS: '30000' });
  assert.deepEqual([code, spans.length], [42, 0]);
});

test('a container waits as long as journal.endTimeoutMs says, and says what is left then', { skip }, async (t) => {
  const tool = [...PRELOAD, fixture('tool'), 'exit', '0', '3'];
  const patient = await asPid1(t, tool, { ANSWERS_AFTER_MS: '3500', FORKTRACE_JOURNAL_END_TIMEOUT: '20000' });
  assert.deepEqual([patient.code, patient.spans.length], [42, 4]);
  assert.doesNotMatch(patient.output, /left in/);
  const hasty = await asPid1(t, tool, { ANSWERS_AFTER_MS: '30000', FORKTRACE_JOURNAL_END_TIMEOUT: '100' });
  assert.equal(hasty.code, 42);
  assert.match(hasty.output, /FORKTRACE_SPANS_LEFT\] \w+: 4 spans left in .*the container ends/);
  assert.equal(hasty.output.match(/FORKTRACE_SPANS_LEFT/g)?.length, 1, 'it waits once, and says it once');
});

test('one whose event loop runs empty, too', { skip }, async (t) => {
  const { code, spans } = await asPid1(t, [...PRELOAD, fixture('tool'), 'empty', '0', '3']);
  assert.equal(code, 0);
  assert.equal(spans.length, 4);
});

/** How a PID 1 ends with its root span open: its code, and what the span says of it. */
const INTERRUPTED: Record<string, [code: number, cause: string, exit: number | string]> = {
  'exit with the root open': [0, 'exit', 0],
  throw: [1, 'uncaught_exception', 1],
  // It does not listen to it.
  term: [143, 'signal', 'SIGTERM'],
};

for (const [end, told] of Object.entries(INTERRUPTED)) {
  test(`what a PID 1 has in flight is delivered, interrupted: ${end}`, { skip }, async (t) => {
    const { code, spans } = await asPid1(t, [...PRELOAD, fixture('tool'), end, '0', '3']);
    assert.equal(spans.length, 4);
    const { attributes } = spans.find(({ name }) => name === 'tool')!.events.find(({ name }) => name === EXIT)!;
    const exit = attributes['process.exit.code'] ?? attributes['forktrace.exit.signal'];
    assert.deepEqual([code, attributes['forktrace.exit.cause'], exit], told);
  });
}

test('process.abort() in a PID 1: delivered before, with what was in flight', { skip }, async (t) => {
  const { spans } = await asPid1(t, [...PRELOAD, fixture('tool'), 'abort', '0', '3']);
  assert.equal(spans.length, 4);
  const { attributes } = spans.find(({ name }) => name === 'tool')!.events.find(({ name }) => name === EXIT)!;
  assert.equal(attributes['forktrace.exit.cause'], 'abort');
});

const LINES = 500;
const numbered = Array.from({ length: LINES }, (_, n) => `line ${n}`);

/** Where log records go: spans have long been taken when it takes them. */
async function slowEndpoint(t: TestContext) {
  const endpoint = await OtlpEndpoint.start(t);
  endpoint.answerWith({ answer: 'unavailable', retryAfterMs: 200 }, 1);
  const env = { OTEL_LOGS_EXPORTER: 'otlp', OTEL_EXPORTER_OTLP_LOGS_ENDPOINT: endpoint.grpcUrl };
  return { env, bodies: () => endpoint.logs.map(({ body }) => body) };
}

for (const [end, exit] of Object.entries({ exit: 3, term: 143 })) {
  test(`what a PID 1 has logged is delivered by its end, too: ${end}`, { skip }, async (t) => {
    const { env, bodies } = await slowEndpoint(t);
    const { code } = await asPid1(t, [...PRELOAD, fixture('logging-app'), 'api', end, String(LINES)], env);
    assert.equal(code, exit);
    assert.deepEqual(bodies(), ['outside', ...numbered]);
  });
}

test('a coordinator that is PID 1 and gets SIGTERM: what its workers log while they end is delivered', {
  skip,
}, async (t) => {
  const { env, bodies } = await slowEndpoint(t);
  const settings = { ...env, FORKTRACE_WORKERS: '1', PORT: '0' };
  const { code } = await asPid1(t, [fixture('last-logs-cluster'), String(LINES)], settings);
  assert.equal(code, 143);
  assert.deepEqual(bodies(), numbered);
});
