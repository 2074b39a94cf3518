import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chownSync, readdirSync } from 'node:fs';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { isShipperAlive, shipperPid } from '#src/shipper/lock.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { isAlive } from '../process/alive.js';
import { asUser } from '../process/as-user.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

const register = fileURLToPath(import.meta.resolve('forktrace/register'));
const ways = ['preload', 'cluster', 'worker'] as const;
const DESCRIPTORS = 80;
/** Of two workers, each has more than it can hold. */
const CONNECTIONS = 300;
/** Two heartbeats, and two looks after the shipper. */
const STARVED_MS = 2500;

for (const way of ways) {
  test(`${way}: a program that is out of file descriptors serves on${way === 'cluster' ? '' : ', and is traced again afterwards'}`, async (t) => {
    const { program, port, journal, endpoint } = await start(t, way, `ulimit -n ${DESCRIPTORS}`);
    const serving = new Set(await Promise.all(Array.from({ length: 8 }, () => ask(port))));
    const shipper = await waitFor(() => shipperPid(journal), 'a shipper');
    const sockets = new Set<Socket>();
    t.after(() => sockets.forEach((socket) => void socket.destroy()));
    const descriptors = (pid: string) => readdirSync(`/proc/${pid}/fd`).length;
    await waitFor(
      () => {
        occupy(sockets, port);
        return [...serving].some((pid) => descriptors(pid) >= DESCRIPTORS);
      },
      () => `a process without descriptors, of ${[...serving].map(descriptors)}\n${program.output}`,
    );
    // What looks after it finds no descriptor for another one.
    process.kill(shipper, 'SIGKILL');
    await sleep(STARVED_MS);
    assert.equal(program.exit, undefined, program.output);
    for (const pid of serving) assert.ok(isAlive(Number(pid)), `${pid} has ended\n${program.output}`);
    for (const socket of sockets) socket.destroy();
    // node:cluster itself waits for ever for a worker that had no descriptor for a connection.
    if (way === 'cluster') return;
    await waitFor(
      () => ask(port, '/afterwards').catch(() => undefined),
      () => `an answer\n${program.output}`,
    );
    await waitFor(() => isShipperAlive(journal), 'a shipper', 40_000);
    await waitFor(
      () => endpoint.received().some(({ attributes }) => attributes['url.path'] === '/afterwards'),
      () => `the span of a request after the starvation\n${program.output}`,
    );
    assert.equal(program.exit, undefined, program.output);
  });
}

/** The user that owns nothing. */
const NOBODY = 65534;
const isRoot = process.getuid?.() === 0;

for (const way of ['preload', 'worker'] as const) {
  const skip = isRoot ? false : 'SKIPPED: another user is needed, for whom the system counts processes';
  test(`${way}: a program that may start no process serves, and keeps its spans`, { skip }, async (t) => {
    // Threads count as processes: the limit is set when the program has all of its own.
    const { program, port, journal } = await start(t, way, 'true', NOBODY);
    await ask(port);
    // Threads count as processes: the limit comes when the program has its own.
    const shipper = await waitFor(() => shipperPid(journal), 'a shipper');
    // By the user itself, who may lower a limit.
    const [command, ...args] = [...asUser(NOBODY, NOBODY), 'prlimit', '--pid', await ask(port), '--nproc=1:1'];
    execFileSync(command!, args);
    process.kill(shipper, 'SIGKILL');
    await program.waitForOutput(/FORKTRACE_SHIPPER_DIED/);
    await sleep(STARVED_MS);
    await ask(port);
    assert.equal(program.exit, undefined, program.output);
  });
}

async function start(t: TestContext, way: (typeof ways)[number], limit: string, uid?: number) {
  const endpoint = await OtlpEndpoint.start(t);
  const dir = await tempDir(t);
  if (uid !== undefined) chownSync(dir, uid, uid);
  const through = uid === undefined ? [] : asUser(uid, uid);
  const program = runProgram(t, fixture('starved-server'), {
    node: '/bin/sh',
    execArgv: [
      '-c',
      `${limit}; exec ${through.join(' ')} "$0" "$@"`,
      process.execPath,
      ...(way === 'preload' ? ['--import', register] : []),
    ],
    args: [way],
    env: {
      NODE_ENV: 'production',
      OTEL_SERVICE_NAME: 'starved',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: dir,
    },
  });
  const [, port] = await program.waitForOutput(/port (\d+)/);
  return { program, port: Number(port), journal: `${dir}/starved`, endpoint };
}

/**
 * Opens some connections, up to more than the program has descriptors for: few at a time, as a primary hands
 * them on.
 */
function occupy(sockets: Set<Socket>, port: number): void {
  for (const most = Math.min(sockets.size + 10, CONNECTIONS); sockets.size < most; ) {
    const socket = connect(port, '127.0.0.1').on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.write('GET /held HTTP/1.1\r\nHost: x\r\n\r\n');
    sockets.add(socket);
  }
}

function ask(port: number, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = get({ host: '127.0.0.1', port, path, agent: false, timeout: 2000 }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      resolve(body);
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
  });
}
