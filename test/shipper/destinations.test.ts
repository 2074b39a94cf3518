import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { everythingSaid } from '#src/shipper/destination.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { freePort } from '../process/free-port.js';
import { fixture, type Program, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

/** A process with spans of its own: one at its start, one for each message. */
async function writer(t: TestContext, dir: string, name: string, env: NodeJS.ProcessEnv): Promise<Program> {
  const program = runProgram(t, fixture('destination-writer'), {
    args: [name],
    ipc: true,
    env: { NODE_ENV: 'production', OTEL_SERVICE_NAME: 'shop', FORKTRACE_JOURNAL_DIR: dir, ...env },
  });
  await program.waitForOutput(/ready/);
  return program;
}

const named = (endpoint: OtlpEndpoint, name: string) => endpoint.received().filter((span) => span.name === name).length;

/** Every byte of a directory, and of what is below it. */
function contents(dir: string): string {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      try {
        return readFileSync(join(entry.parentPath, entry.name), 'latin1');
      } catch {
        return ''; // Shipped and given back a moment ago.
      }
    })
    .join('\n');
}

test('two releases of one service with endpoints of their own: each one’s spans go to its own, also after its death', async (t) => {
  const dir = await tempDir(t);
  const [blue, green] = [await OtlpEndpoint.start(t), await OtlpEndpoint.start(t)];
  const first = await writer(t, dir, 'blue', { OTEL_EXPORTER_OTLP_ENDPOINT: blue!.grpcUrl });
  await blue!.waitForSpans(1);
  // Green's shipper is blue's.
  await writer(t, dir, 'green', {
    OTEL_EXPORTER_OTLP_ENDPOINT: green!.httpBaseUrl,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf',
  });
  await green!.waitForSpans(1);
  await blue!.stop();
  first.child.send('span');
  await first.waitForOutput(/written 2/);
  first.kill('SIGKILL');
  await first.waitForExit();
  await blue!.restart();
  await blue!.waitForSpans((spans) => spans.filter(({ name }) => name === 'blue').length >= 2);
  assert.equal(named(blue!, 'green'), 0);
  assert.equal(named(green!, 'blue'), 0);
});

test('a directory that is deleted: where each process sends to is said there again', async (t) => {
  const dir = await tempDir(t);
  const endpoints = [await OtlpEndpoint.start(t), await OtlpEndpoint.start(t)];
  for (const [n, { grpcUrl }] of endpoints.entries())
    await writer(t, dir, `writer ${n}`, { OTEL_EXPORTER_OTLP_ENDPOINT: grpcUrl });
  for (const endpoint of endpoints) await endpoint.waitForSpans(1);
  const service = join(dir, 'shop');
  rmSync(service, { recursive: true });
  await waitFor(() => {
    const said = existsSync(service) ? everythingSaid(service).map(({ url }) => url) : [];
    return endpoints.every(({ grpcUrl }) => said.includes(grpcUrl));
  }, 'two destinations');
});

test('a token that was rotated: the newest word is sent with, for what the dead have left, too; no file holds it', async (t) => {
  const dir = await tempDir(t);
  const endpoint = await OtlpEndpoint.start(t);
  endpoint.requireHeader('authorization', 'Bearer new-secret');
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl };
  const old = await writer(t, dir, 'old', { ...env, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer old-secret' });
  await endpoint.waitForRequests(1);
  assert.doesNotMatch(contents(dir), /old-secret/);
  old.kill('SIGKILL');
  await old.waitForExit();
  await writer(t, dir, 'new', { ...env, OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer new-secret' });
  await endpoint.waitForSpans((spans) => new Set(spans.map(({ name }) => name)).size >= 2);
  assert.doesNotMatch(contents(dir), /-secret/);
});

test('headers of a file are read anew, and those of a function asked for anew', async (t) => {
  const dir = await tempDir(t);
  const file = join(dir, 'headers');
  writeFileSync(file, '# rotated by a sidecar\nauthorization: Bearer one\n', { mode: 0o600 });
  for (const how of ['file', 'function']) {
    const endpoint = await OtlpEndpoint.start(t);
    writeFileSync(file, 'authorization: Bearer one\n');
    endpoint.requireHeader('authorization', 'Bearer one');
    const program = await writer(t, join(dir, how), 'one', {
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      HEADERS_FROM: how,
      HEADERS_FILE: file,
    });
    await endpoint.waitForSpans(1);
    endpoint.requireHeader('authorization', 'Bearer two');
    writeFileSync(file, 'authorization: Bearer two\n');
    program.child.send('span');
    await endpoint.waitForSpans(2);
  }
});

test('what a dead writer had headers for waits until somebody says them, and is said to wait', async (t) => {
  const dir = await tempDir(t);
  const [first, second] = [await OtlpEndpoint.start(t), await OtlpEndpoint.start(t)];
  first!.requireHeader('authorization', 'Bearer mine');
  const headers = { OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer mine' };
  await first!.stop();
  const lost = await writer(t, dir, 'lost', { OTEL_EXPORTER_OTLP_ENDPOINT: first!.grpcUrl, ...headers });
  await waitFor(() => readdirSync(join(dir, 'shop')).some((name) => name.endsWith('.sock')), 'its shipper');
  const [socket] = readdirSync(join(dir, 'shop')).filter((name) => name.endsWith('.sock'));
  process.kill(Number(socket!.split('-')[1]), 'SIGKILL');
  lost.kill('SIGKILL');
  await lost.waitForExit();
  await first!.restart();
  const other = await writer(t, dir, 'other', { OTEL_EXPORTER_OTLP_ENDPOINT: second!.grpcUrl });
  await other.waitForOutput(/no process that runs has said the headers/);
  assert.equal(first!.requests.length, 0, 'nothing is sent without them');
  await writer(t, dir, 'again', { OTEL_EXPORTER_OTLP_ENDPOINT: first!.grpcUrl, ...headers });
  await first!.waitForSpans((spans) => spans.some(({ name }) => name === 'lost'));
  assert.equal(named(second!, 'lost'), 0);
});

test('a process that has closed its journal leaves no file behind, though its shipper goes on for others', async (t) => {
  const dir = await tempDir(t);
  const endpoint = await OtlpEndpoint.start(t);
  const env = { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl };
  const [ended] = [await writer(t, dir, 'ended', env), await writer(t, dir, 'stays', env)];
  await endpoint.waitForSpans(2);
  ended!.kill('SIGTERM');
  await ended!.waitForExit();
  const said = () => readdirSync(join(dir, 'shop')).filter((name) => name.endsWith('.destination'));
  await waitFor(
    () => said().length === 1,
    () => `one destination: ${said()}`,
  );
});

test('what the dead have left for an endpoint that is down is said to be theirs, and holds nobody’s output', async (t) => {
  const dir = await tempDir(t);
  const url = `http://127.0.0.1:${await freePort()}`;
  const lost = await writer(t, dir, 'lost', { OTEL_EXPORTER_OTLP_ENDPOINT: url });
  await lost.waitForOutput(/FORKTRACE_EXPORT_FAILED.*sent again/);
  assert.doesNotMatch(lost.output, /have ended|Resolution note|\.\.(\s|$)/, 'it says where its own spans go');
  const [socket] = readdirSync(join(dir, 'shop')).filter((name) => name.endsWith('.sock'));
  lost.kill('SIGKILL');
  await lost.waitForExit();
  process.kill(Number(socket!.split('-')[1]), 'SIGKILL');
  const other = await writer(t, dir, 'other', { OTEL_TRACES_EXPORTER: 'console' });
  await other.waitForOutput(/Processes that have ended left these spans in .*shop; none that runs exports there/);
  await other.waitForOutput(/"name":"other"/);
  let isClosed = false;
  other.child.once('close', () => {
    isClosed = true;
  });
  other.child.send('span');
  await other.waitForOutput(/written 2/);
  other.kill('SIGKILL');
  await other.waitForExit();
  // Not before its shipper has let go of both, after it has printed the last span.
  await waitFor(
    () => isClosed,
    () => `the end of its output: ${other.output}`,
  );
  assert.equal(other.stdout.match(/"name":"other"/g)?.length, 2, other.output);
  assert.ok(
    readdirSync(join(dir, 'shop')).some((name) => name.endsWith('.segment')),
    'the journal is kept',
  );
});
