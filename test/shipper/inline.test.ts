import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

async function setUp(t: TestContext) {
  const dir = await tempDir(t);
  const endpoint = await OtlpEndpoint.start(t);
  const target = { to: 'otlp-http', url: endpoint.httpUrl, headers: {}, compression: 'none', timeoutMs: 2000, tls: {} };
  const config = JSON.stringify({ dir, maxBytes: 2 ** 28, shutdownTimeoutMs: 5000, export: target });
  const start = () => runProgram(t, fixture('inline-program'), { args: [config], ipc: true });
  return { dir, endpoint, start };
}

test('a process ships its own journal, and stops when all is out', async (t) => {
  const { dir, endpoint, start } = await setUp(t);
  const program = start();
  await endpoint.waitForSpans(100);
  program.child.send('stop');
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null });
  assert.equal(endpoint.received().length, 101);
  assert.equal(program.stderr, '');
  assert.deepEqual(
    readdirSync(dir).filter((name) => !name.endsWith('.lock')),
    [],
  );
});

test('an inline shipper holds no process open', async (t) => {
  const { endpoint, start } = await setUp(t);
  const program = start();
  await endpoint.waitForSpans(100);
  program.child.send('leave');
  assert.deepEqual(await program.waitForExit(10_000), { code: 0, signal: null });
});

test('of two processes one ships for both, and the other takes over when it is killed', async (t) => {
  const { endpoint, start } = await setUp(t);
  const first = start();
  await endpoint.waitForSpans(100);
  const second = start();
  await endpoint.waitForSpans(200);
  first.kill('SIGKILL');
  await first.waitForExit();
  second.child.send('stop');
  await second.waitForExit();
  // The one that was killed may have sent spans that it had no time to note.
  assert.equal(endpoint.received().filter(({ name }) => name === 'last').length, 1);
  assert.ok(endpoint.received().length >= 201);
});
