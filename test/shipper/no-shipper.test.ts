// A program whose shipper cannot be started: its Node.js has been replaced, or the system has no process
// left.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { ownFile } from '#src/own-files.js';
import { ensureShipper } from '#src/shipper/start.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { isAlive } from '../process/alive.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import { PLAIN_EXPORT } from './journal-scene.js';

for (const [ending, node, tries, why] of [
  ['exit', '/nowhere/node', '1', 'ENOENT'],
  ['shutdown', '/nowhere/node', '1', 'ENOENT'],
  // As one that has no threads left to start with, or no memory.
  ['exit', '/bin/false', '2', 'it ended with 1'],
] as const) {
  test(`${ending}, ${node}: how many spans stay, where, why, and what delivers them is said at the end`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const dir = await tempDir(t);
    const env = {
      NODE_ENV: 'production',
      OTEL_SERVICE_NAME: 'alone',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_JOURNAL_DIR: dir,
    };
    const program = runProgram(t, fixture('without-node'), { args: [ending, node, tries], env });
    assert.deepEqual(await program.waitForExit(), { code: 0, signal: null });
    const place = join(dir, 'alone');
    const said = `FORKTRACE_SPANS_LEFT\\] ForktraceWarning: 5 spans left in ${place}, as no shipper could be started \\(.*${why}.*\\): .* forktrace ship ${place}`;
    assert.match(program.stderr, new RegExp(said));
  });
}

test('a shipper that says nothing, as Node.js waits for ever while it boots, is ended, and started again', async (t) => {
  const dir = await tempDir(t);
  const hanging = join(dir, 'node');
  writeFileSync(hanging, `#!/bin/sh\necho $$ >> '${dir}/pids'\nexec sleep 600\n`, { mode: 0o700 });
  const { execPath } = process;
  process.execPath = hanging;
  t.after(() => {
    process.execPath = execPath;
  });
  const died: string[] = [];
  const onWarning = ({ message }: Error) => died.push(message);
  process.on('warning', onWarning);
  t.after(() => process.off('warning', onWarning));
  const config = { dir: join(dir, 'journal'), maxBytes: 2 ** 30, export: PLAIN_EXPORT, shutdownTimeoutMs: 1000 };
  const keeper = ensureShipper(config, { attached: false, bootsWithinMs: 100 });
  t.after(() => {
    keeper.release();
    if (keeper.pid !== undefined) process.kill(keeper.pid, 'SIGKILL');
  });
  const pids = () => readFileSync(join(dir, 'pids'), 'utf8').trim().split('\n');
  await waitFor(() => existsSync(join(dir, 'pids')) && pids().length >= 2, 'another one');
  assert.match(died[0]!, /is started again.* it ended with SIGKILL/);
  assert.equal(isAlive(Number(pids()[0])), false);
});

test('a shipper that hangs as it boots, of a tool that has ended by now: what stays is said by what has started it', async (t) => {
  const dir = await tempDir(t);
  const writer = runProgram(t, fixture('span-writer'), { args: [dir, 'mmap', '5', 'span', '0', 'close'] });
  await writer.waitForExit();
  const config = { dir, maxBytes: 2 ** 30, export: PLAIN_EXPORT, shutdownTimeoutMs: 1000 };
  // Without a channel, as after its starter's end.
  const launcher = spawn(process.execPath, [ownFile('shipper/launch.js')], {
    stdio: ['pipe', 'ignore', 'pipe'],
  });
  t.after(() => launcher.kill('SIGKILL'));
  let said = '';
  launcher.stderr!.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  const shipper = await waitFor(() => childOf(launcher.pid!), 'a shipper');
  process.kill(shipper, 'SIGSTOP');
  t.after(() => isAlive(shipper) && process.kill(shipper, 'SIGKILL'));
  launcher.stdin!.end(`${JSON.stringify(config)}\n`);
  // As its starter does with one that says nothing for half a minute.
  process.kill(shipper, 'SIGKILL');
  const [code] = await once(launcher, 'close');
  assert.equal(code, 1);
  assert.match(
    said,
    /FORKTRACE_SPANS_LEFT.* 5 spans left in .*, as no shipper could be started \(it ended with SIGKILL\)/,
  );
});

function childOf(pid: number): number | undefined {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? undefined : Number(children);
}

test('a process that ships inline and exits before it could: how many spans stay is said, and the next start delivers them', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const dir = await tempDir(t);
  const start = (ship: string) =>
    runProgram(t, fixture('tool'), {
      args: ['exit', '1', '5'],
      execArgv: ['--import', import.meta.resolve('forktrace/register')],
      env: {
        NODE_ENV: 'production',
        OTEL_SERVICE_NAME: 'alone',
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
        FORKTRACE_JOURNAL_DIR: dir,
        FORKTRACE_SHIP: ship,
      },
    });
  const inline = start('inline');
  assert.deepEqual(await inline.waitForExit(), { code: 42, signal: null });
  const place = join(dir, 'alone');
  assert.match(
    inline.stderr,
    new RegExp(`FORKTRACE_SPANS_LEFT\\] .*: 6 spans left in ${place}, as this process ended before .* ship ${place}`),
  );
  const next = start('process');
  await next.waitForExit();
  assert.doesNotMatch(next.stderr, /FORKTRACE_SPANS_LEFT/);
  await endpoint.waitForSpans(12);
});
