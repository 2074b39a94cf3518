import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { RunningCluster, until } from '../coordinator/running-cluster.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';

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
    readdirSync(`${cluster.journalDir}/shop`).filter((file) => !file.endsWith('.lock')),
    [],
    'what has been shipped is deleted',
  );

  const nothing = await forktrace('ship', cluster.runDir, '--url', endpoint.grpcUrl);
  assert.equal(nothing.code, 1);
  assert.match(nothing.output, /\[FORKTRACE_NO_JOURNAL\]/);
});
