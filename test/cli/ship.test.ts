import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { status } from '@grpc/grpc-js';
import { RunningCluster, until } from '../coordinator/running-cluster.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const cli = fileURLToPath(import.meta.resolve('#src/cli/main.js'));

function forktrace(...args: string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [cli, ...args]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })));
}

test('ship: what everything that was killed at once has left, ended and interrupted', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const cluster = await RunningCluster.ready(t, {
    workers: 1,
    pipeline: 'journal',
    serviceName: 'shop',
    // Nobody there: all stays in the journal.
    export: { to: 'otlp-grpc', url: 'http://127.0.0.1:1' },
  });
  await until('the shipper runs', () => cluster.shippers().length === 1);
  for (let request = 0; request < 20; request++) await cluster.get(`/${request}`);
  const hanging = [1, 2].map(() => cluster.get('/?ms=60000').catch(() => undefined));
  await until('two are in flight', () => cluster.lines.filter((line) => 'arrived' in line).length === 2);
  cluster.killAll();
  await cluster.end();
  await Promise.all(hanging);

  const inspected = await forktrace('inspect', `${cluster.journalDir}/shop`, '--json');
  const lines = inspected.output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  assert.equal(lines.filter(({ inFlight, span }) => inFlight && span.name === 'GET').length, 2, inspected.output);
  assert.match((await forktrace('inspect', `${cluster.journalDir}/shop`)).output, /GET/);

  const shipped = await forktrace('ship', cluster.journalDir, '--to', 'otlp-grpc', '--url', endpoint.grpcUrl);
  assert.equal(shipped.code, 0, shipped.output);
  assert.match(shipped.output, /interrupted\), refused 0/);
  const servers = endpoint.received().filter(({ kind }) => kind === 2);
  assert.equal(servers.length, 22);
  assert.equal(servers.filter(({ attributes }) => attributes['error.type'] === 'worker.exit').length, 2);
  assert.deepEqual(
    readdirSync(`${cluster.journalDir}/shop`).filter((file) => !file.endsWith('.lock') && file !== 'deaths'),
    [],
    'what has been shipped is deleted',
  );

  const nothing = await forktrace('ship', cluster.runDir, '--url', endpoint.grpcUrl);
  assert.equal(nothing.code, 1);
  assert.match(nothing.output, /\[FORKTRACE_NO_JOURNAL\]/);
});

test('ship: what an endpoint does not let in is kept and counted, the exit code says so, and a later try delivers it', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const dir = await tempDir(t);
  const writer = runProgram(t, fixture('span-writer'), { args: [dir, 'write', '909', 'left', '0', 'close'] });
  await writer.waitForExit();
  for (const [grpc, http] of [
    [status.UNAUTHENTICATED, 401],
    [status.UNIMPLEMENTED, 404],
    [status.INVALID_ARGUMENT, 400],
  ] as const) {
    endpoint.answerWith({ answer: 'fail', grpc, http });
    for (const [to, url] of [
      ['otlp-grpc', endpoint.grpcUrl],
      ['otlp-http', endpoint.httpUrl],
    ] as const) {
      const refused = await forktrace('ship', dir, '--to', to, '--url', url, '--timeout', '20');
      assert.equal(refused.code, 1, refused.output);
      assert.match(refused.output, /shipped 0 spans .* refused 0, kept 909/);
      assert.match(refused.output, /909 spans kept in the journal/);
      assert.match(refused.output, new RegExp(to === 'otlp-grpc' ? status[grpc]! : `HTTP ${http}`));
    }
  }
  endpoint.answerOk();
  const taken = await forktrace('ship', dir, '--to', 'otlp-grpc', '--url', endpoint.grpcUrl, '--json');
  assert.equal(taken.code, 0, taken.output);
  assert.deepEqual(JSON.parse(taken.output), [
    { dir, shipped: 909, recovered: 909, interrupted: 0, refused: 0, kept: 0 },
  ]);
  assert.equal(new Set(endpoint.received().map(({ name }) => name)).size, 909);
});
