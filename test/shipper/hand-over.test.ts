/**
 * Programs that have found a shipper, which has gone by their end. The orders of all steps are in
 * tenure.test.ts.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { openDirectory } from '#src/journal/journal-directory.js';
import { ShipperLock, shipperPid } from '#src/shipper/lock.js';
import { ensureShipper } from '#src/shipper/start.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { isAlive } from '../process/alive.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

const register = import.meta.resolve('forktrace/register');

async function setUp(t: TestContext) {
  const endpoint = await OtlpEndpoint.start(t);
  const parent = await tempDir(t);
  const dir = join(parent, 'jobs');
  openDirectory(dir);
  const start = async (name: string, env: Record<string, string> = {}) => {
    const program = runProgram(t, fixture('told-program'), {
      args: [name],
      ipc: true,
      execArgv: ['--import', register],
      env: {
        NODE_ENV: 'production',
        OTEL_SERVICE_NAME: 'jobs',
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
        FORKTRACE_JOURNAL_DIR: parent,
        ...env,
      },
    });
    await program.waitFor(() => program.messages.length > 0, 'a span');
    return program;
  };
  /** All of it: the open one is rebuilt after the end of its program. */
  const delivered = (name: string) =>
    endpoint.waitForSpans((spans) =>
      ['ended', 'open'].every((one) => spans.some((span) => span.name === `${name}: ${one}`)),
    );
  return { endpoint, dir, start, delivered };
}

test('the shipper was killed meanwhile: the exit of a program starts another one', async (t) => {
  const { dir, start, delivered } = await setUp(t);
  const lock = ShipperLock.acquire(dir)!;
  const program = await start('a program');
  // As a kill does: nobody looks at what is left.
  lock.release();
  program.child.send('exit');
  assert.equal((await program.waitForExit()).code, 0);
  await delivered('a program');
});

test('a program that ships inline leaves another one behind, which is killed just then: a shipper comes for it', async (t) => {
  const { dir, start, delivered } = await setUp(t);
  const inline = await start('the first', { FORKTRACE_SHIP: 'inline' });
  await waitFor(() => shipperPid(dir) === inline.pid, 'the lock');
  const program = await start('the second');
  // It has looked once, and does not look again.
  program.kill('SIGSTOP');
  inline.child.send('leave');
  assert.equal((await inline.waitForExit()).code, 0);
  program.kill('SIGKILL');
  await delivered('the first');
  await delivered('the second');
});

test('a shipper that its coordinator stops does not keep that waiting, and ships on for a program beside', async (t) => {
  const { endpoint, dir, start, delivered } = await setUp(t);
  const keeper = ensureShipper(
    {
      dir,
      maxBytes: 2 ** 28,
      shutdownTimeoutMs: 60_000,
      export: { to: 'otlp-grpc', url: endpoint.grpcUrl, headers: {}, compression: 'none', timeoutMs: 20_000, tls: {} },
    },
    { attached: true },
  );
  await waitFor(() => shipperPid(dir) === keeper.pid, 'the shipper');
  const pid = keeper.pid!;
  t.after(() => isAlive(pid) && process.kill(pid, 'SIGKILL'));
  const program = await start('a program');
  // It would start one itself.
  program.kill('SIGSTOP');
  const before = performance.now();
  await keeper.stop(60_000);
  assert.ok(performance.now() - before < 30_000, 'not until the deadline');
  await waitFor(() => shipperPid(dir) === pid, 'the shipper, which has the lock again');
  program.kill('SIGCONT');
  program.child.send('exit');
  await program.waitForExit();
  await delivered('a program');
  await waitFor(() => shipperPid(dir) === undefined, 'the end of the last shipper');
});
