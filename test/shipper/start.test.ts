import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { SPARE } from '#src/journal/format.js';
import { ownFile } from '#src/own-files.js';
import { isConnected, receiveDestinations, sendDestination } from '#src/shipper/destination-messages.js';
import { isShipperAlive, ShipperLock } from '#src/shipper/lock.js';
import type { ShipperConfig } from '#src/shipper/shipper-messages.js';
import { ensureShipper } from '#src/shipper/start.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { isAlive } from '../process/alive.js';
import { fixture, type Program, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

async function setUp(t: TestContext) {
  const dir = `${await tempDir(t)}/shop`;
  const endpoint = await OtlpEndpoint.start(t);
  const config: ShipperConfig = {
    dir,
    maxBytes: 2 ** 28,
    shutdownTimeoutMs: 10_000,
    export: {
      to: 'otlp-grpc',
      url: endpoint.grpcUrl,
      headers: { authorization: 'secret' },
      compression: 'none',
      timeoutMs: 20_000,
      tls: {},
    },
  };
  /** @param through a program that runs it */
  const worker = (count: number, inFlight = 0, env: Record<string, string> = {}, through?: string) => {
    const command = [fixture('shipping-worker'), JSON.stringify(config), String(count), String(inFlight)];
    if (through !== undefined) command.unshift(through);
    return runProgram(t, command[0]!, { args: command.slice(1), env });
  };
  return { dir, endpoint, config, worker };
}

/** The shipper that `program` has seen last, once it is another one than `not`. */
async function shipperOf(program: Program, not?: number): Promise<number> {
  return program.waitFor(() => {
    const pids = [...program.stdout.matchAll(/^shipper (\d+)$/gm)].map(([, pid]) => Number(pid));
    return pids.length > 0 && pids.at(-1) !== not ? pids.at(-1) : undefined;
  }, 'a shipper');
}

const journalFiles = (dir: string) =>
  readdirSync(dir).filter((name) => !name.startsWith('shipper-') && name !== 'deaths');

test('a worker’s shipper outlives it, ships all that it left, and ends when nobody is left', async (t) => {
  const { dir, endpoint, worker } = await setUp(t);
  endpoint.answerWith({ answer: 'unavailable' });
  const program = worker(500, 2);
  const shipper = await shipperOf(program);
  await endpoint.waitForRequests(1);
  program.kill('SIGKILL');
  await program.waitForExit();
  endpoint.answerOk();
  await endpoint.waitForSpans(502);
  assert.equal(endpoint.received().length, 502);
  await waitFor(() => !isAlive(shipper), 'the end of the shipper');
  assert.deepEqual(journalFiles(dir), []);
  assert.equal(isShipperAlive(dir), false);
});

test('a launcher ends as it should, however many messages of its shipper come at a time', async (t) => {
  const { config } = await setUp(t);
  const often = join(await tempDir(t), 'often.cjs');
  writeFileSync(
    often,
    // And whoever waits until a message is written has time to hear of what else happens.
    `const { send } = process;
    process.send = (message, handle, options, done = () => {}) => {
      for (let n = 0; n < 3; n++) send.call(process, message, undefined, undefined, () => {});
      setTimeout(done, 200);
      return true;
    };`,
  );
  const launcher = fork(ownFile('shipper/launch.js'), [], {
    env: { ...process.env, NODE_OPTIONS: `--require ${often}` },
    stdio: ['pipe', 'ignore', 'inherit', 'ipc'],
  });
  const told: unknown[] = [];
  launcher.on('message', ({ type }: { type: string }) => told.push(type));
  const exited = once(launcher, 'exit');
  launcher.stdin!.end(`${JSON.stringify(config)}\n`);
  assert.deepEqual(await exited, [0, null]);
  assert.ok(told.includes('ready'), `${told}`);
  await waitFor(() => !isShipperAlive(config.dir), 'the end of the shipper');
});

test('a program’s output ends with the program, though its shipper still has work; the next program has one of its own', async (t) => {
  const { endpoint, worker } = await setUp(t);
  endpoint.answerWith({ answer: 'unavailable' });
  const program = worker(10);
  let outputEnded = false;
  program.child.on('close', () => {
    outputEnded = true;
  });
  const shipper = await shipperOf(program);
  await endpoint.waitForRequests(1);
  program.kill('SIGKILL');
  await waitFor(() => outputEnded, 'the end of the output');
  assert.ok(isAlive(shipper));

  const next = worker(10);
  // The first shipper makes way when it has seen the program for a while, and the next one has to boot.
  await waitFor(() => next.stderr.includes('FORKTRACE_EXPORT_FAILED'), 'a warning of its shipper', 90_000);
  await shipperOf(next, shipper);
  endpoint.answerOk();
  await endpoint.waitForSpans((spans) => new Set(spans.map(({ name }) => name)).size === 20);
});

test('a worker gets its shipped segments back as spare files, which go when it is killed', async (t) => {
  const { dir, endpoint, worker } = await setUp(t);
  // One segment and a part of the next.
  const program = worker(20_000);
  await endpoint.waitForSpans(20_000, 60_000);
  await waitFor(() => readdirSync(dir).some((name) => name.endsWith(SPARE)), 'a spare file');
  program.kill('SIGKILL');
  await program.waitForExit();
  await waitFor(() => journalFiles(dir).length === 0, 'an empty directory');
  assert.equal(endpoint.received().length, 20_000);
});

test('of many workers that start at once, one starts the shipper that stays', async (t) => {
  const { dir, endpoint, worker } = await setUp(t);
  const workers = [worker(100), worker(100), worker(100), worker(100)];
  await endpoint.waitForSpans(400);
  assert.equal(endpoint.received().length, 400);
  const own = workers.map(({ pid }) => pid);
  await waitFor(
    () => workers.flatMap((program) => program.pids()).filter((pid) => !own.includes(pid)).length === 1,
    'one shipper, and nobody else beside the workers',
  );
  for (const program of workers) program.kill('SIGKILL');
  await waitFor(() => journalFiles(dir).length === 0, 'an empty directory');
});

test('a process that is killed before its shipper has booted leaves nothing behind', async (t) => {
  const { dir, endpoint, worker } = await setUp(t);
  const program = worker(100);
  await shipperOf(program);
  program.kill('SIGKILL');
  await endpoint.waitForSpans(100);
  await waitFor(() => journalFiles(dir).length === 0, 'an empty directory');
});

test('a shipper that is killed is replaced, and nothing is lost', async (t) => {
  const { endpoint, worker } = await setUp(t);
  endpoint.answerWith({ answer: 'hang' });
  const program = worker(1000);
  const first = await shipperOf(program);
  await endpoint.waitForRequests(1);
  program.kill('SIGKILL', first);
  endpoint.answerOk();
  await waitFor(() => endpoint.received().length > 0, 'spans');
  const second = await shipperOf(program, first);
  await endpoint.waitForSpans((spans) => new Set(spans.map(({ name }) => name)).size === 1000);
  assert.ok(isAlive(second));
});

test('everything is killed at once: the next start ships what was left, interrupted spans included', async (t) => {
  const { dir, endpoint, worker } = await setUp(t);
  endpoint.answerWith({ answer: 'unavailable' });
  const before = worker(1000, 5);
  const shipper = await shipperOf(before);
  await endpoint.waitForRequests(1);
  before.kill('SIGKILL', shipper);
  before.kill('SIGKILL');
  await before.waitForExit();
  endpoint.answerOk();
  const after = worker(10);
  await endpoint.waitForSpans(1015);
  assert.equal(new Set(endpoint.received().map(({ name }) => name)).size, 1015);
  const interrupted = endpoint.received().filter(({ attributes }) => attributes['forktrace.interrupted']);
  assert.equal(interrupted.length, 5);
  after.kill('SIGKILL');
  await waitFor(() => journalFiles(dir).length === 0, 'an empty directory');
});

test('signals to the whole group end the shipper after the workers’ last spans are out, not before', async (t) => {
  const { endpoint, worker } = await setUp(t);
  const program = worker(10);
  const shipper = await shipperOf(program);
  await endpoint.waitForSpans(10);
  for (const signal of ['SIGINT', 'SIGHUP', 'SIGTERM'] as const) program.kill(signal, shipper);
  program.kill('SIGTERM');
  await endpoint.waitForSpans(11);
  assert.ok(endpoint.received().some(({ name }) => name === `${program.pid} last`));
  await waitFor(() => !isAlive(shipper), 'the end of the shipper');
});

test('a shipper inherits neither preloads nor trace context nor telemetry settings, and shows no secrets', async (t) => {
  const { endpoint, worker } = await setUp(t);
  const env = {
    NODE_OPTIONS: '--title=loaded',
    TRACEPARENT: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    OTEL_SERVICE_NAME: 'outer',
    FORKTRACE_SLOT: '1',
    SSL_CERT_DIR: '/kept',
  };
  const program = worker(1, 0, env);
  const shipper = await shipperOf(program);
  await endpoint.waitForSpans(1);
  assert.equal(endpoint.requests[0]!.headers.authorization, 'secret');
  if (process.platform !== 'linux') return;
  const read = (name: string) => readFileSync(`/proc/${shipper}/${name}`, 'latin1');
  assert.doesNotMatch(read('environ'), /NODE_OPTIONS|TRACEPARENT|OTEL_|FORKTRACE_|secret/);
  assert.match(read('environ'), /SSL_CERT_DIR=\/kept/);
  assert.doesNotMatch(read('cmdline'), /secret/);
});

test('a shipper holds no file that its starter has from others, such as the lock of a script', {
  skip: process.platform !== 'linux' && 'no /proc',
}, async (t) => {
  const { endpoint, worker, dir } = await setUp(t);
  const lock = `${dir}.lock`;
  // As `flock -n 200 node job.js` in a script that ends with `200>lock`.
  const script = join(await tempDir(t), 'script.mjs');
  writeFileSync(
    script,
    `import { spawn } from 'node:child_process';
    const script = 'exec 200>"$0"; exec "$@"';
    spawn('bash', ['-c', script, ${JSON.stringify(lock)}, process.execPath, ...process.argv.slice(2)], { stdio: 'inherit' });`,
  );
  const program = worker(1, 0, {}, script);
  const shipper = await shipperOf(program);
  await endpoint.waitForSpans(1);
  const held = readdirSync(`/proc/${shipper}/fd`).map((fd) => linkOf(`/proc/${shipper}/fd/${fd}`));
  assert.ok(held.length > 3);
  assert.ok(!held.includes(lock), held.join());
});

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

test('who stays attached is told of deaths and numbers, and stops its shipper', async (t) => {
  const { endpoint, config, worker } = await setUp(t);
  const keeper = ensureShipper(config, { attached: true, answerMs: 30_000 });
  t.after(() => keeper.pid !== undefined && process.kill(keeper.pid, 'SIGKILL'));
  await waitFor(() => isShipperAlive(config.dir), 'the shipper');
  const program = worker(100, 3);
  await endpoint.waitForSpans(100);
  endpoint.answerWith({ answer: 'unavailable' });
  program.kill('SIGKILL');
  await program.waitForExit();
  const found = await keeper.writerExited(program.pid, { code: null, signal: 'SIGKILL' });
  const { spansRecovered, requestsInterrupted, cause } = found;
  assert.deepEqual(
    { spansRecovered, requestsInterrupted, cause },
    { spansRecovered: 0, requestsInterrupted: 3, cause: 'signal' },
  );
  endpoint.answerOk();
  await endpoint.waitForSpans(103);
  await waitFor(() => keeper.stats?.interrupted === 3 && keeper.stats.shipped === 103, 'statistics');
  const { pid } = keeper;
  await keeper.stop(5000);
  assert.equal(isAlive(pid!), false);
  assert.deepEqual(
    readdirSync(config.dir).filter((name) => !name.endsWith('.lock') && name !== 'deaths'),
    [],
  );
});

test('to the console: the shipper prints each span once on the standard output of whoever started it', async (t) => {
  const { config } = await setUp(t);
  const to = JSON.stringify({ ...config, export: { ...config.export, to: 'console' } });
  const program = runProgram(t, fixture('shipping-worker'), { args: [to, '3', '0'] });
  const printed = () =>
    program.stdout
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line));
  await program.waitFor(() => (printed().length >= 3 ? true : undefined), 'three spans');
  const { pid } = program;
  assert.deepEqual(
    printed().map(({ span }) => span.name),
    [0, 1, 2].map((n) => `${pid} span ${n}`),
  );
  assert.equal(printed()[0].scope.name, 'http');
  assert.equal(printed()[0].resource.attributes[0].value.stringValue, 'shop');
});

test('shipper and launcher load nothing of what traces an app, and no transport before it is known who is sent to', () => {
  const folder = fileURLToPath(new URL('../../dist/shipper/', import.meta.url));
  const seen = new Set<string>();
  const follow = (file: string): string[] => {
    if (seen.has(file)) return [];
    seen.add(file);
    const text = readFileSync(join(folder, file), 'utf8');
    const imported = [...text.matchAll(/^(?:import|export)\b[^;]*?["']([^"']+)["'];$/gm)].map(([, name]) => name!);
    return imported.flatMap((name) => (name.startsWith('./') ? follow(name.slice(2)) : [name]));
  };
  for (const program of ['main.js', 'launch.js']) {
    seen.clear();
    const others = [...new Set(follow(program))].filter((name) => !isBuiltin(name));
    assert.deepEqual(others, [], program);
    assert.ok(seen.size > 1);
  }
});

for (const end of ['it closes the connection', 'it stays connected, and has no lock for ten checks'] as const) {
  test(`a shipper that a writer is connected to is not looked for, until ${end}`, async (t) => {
    const { dir, config } = await setUp(t);
    mkdirSync(dir, { mode: 0o700 });
    const lock = ShipperLock.acquire(dir)!;
    const close = receiveDestinations(dir, () => {});
    t.after(close);
    const say = sendDestination(dir, undefined);
    t.after(() => say(undefined));
    await waitFor(() => isConnected(dir), 'a connection');
    t.mock.timers.enable({ apis: ['setInterval'] });
    const keeper = ensureShipper(config, { attached: true });
    t.after(() => keeper.stop(10_000));
    lock.release();
    for (let check = 1; check < 10; check++) t.mock.timers.tick(1000);
    assert.equal(keeper.pid, undefined);
    if (end === 'it closes the connection') {
      close();
      await waitFor(() => !isConnected(dir), 'the end of the connection');
    }
    t.mock.timers.tick(1000);
    assert.notEqual(keeper.pid, undefined);
    t.mock.timers.reset();
  });
}
