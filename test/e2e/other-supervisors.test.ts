import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';
import { listJournal } from '#src/journal/list-journal.js';
import { isShipperAlive } from '#src/shipper/lock.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { freePort } from '../process/free-port.js';
import { fixture, type Program, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

function ask(port: number, path = '/'): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path, agent: false }, async (response) => {
      let body = '';
      for await (const chunk of response) body += chunk;
      resolve(body);
    }).on('error', reject);
  });
}

const instances = (spans: readonly { resource: Record<string, unknown> }[]) =>
  new Set(spans.map(({ resource }) => resource['service.instance.id']));

/** Everything is shipped, and the shipper has gone; what it leaves is its released lock. */
function waitForEnd(journal: string): Promise<unknown> {
  return waitFor(
    () => listJournal(journal).length === 0 && !isShipperAlive(journal),
    () => `the end of shipping: ${readdirSync(journal).join(', ')}`,
  );
}

test('under throng: workers are told apart, one that is killed is recovered, and one shipper serves both', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const dir = await tempDir(t);
  const port = await freePort();
  const tracing = { serviceName: 'throng', journal: { dir }, export: { to: 'otlp-grpc', url: endpoint.grpcUrl } };
  const program = runProgram(t, fixture('throng-app'), {
    env: { PORT: String(port), TRACING_CONFIG: JSON.stringify(tracing) },
  });
  await program.waitFor(() => program.stdout.match(/listens/g)?.length === 2, 'two workers');
  for (let i = 0; i < 40; i++) await ask(port);
  await assert.rejects(ask(port, '/kill'));
  const spans = await endpoint.waitForSpans(41);
  assert.equal(instances(spans).size, 2);
  assert.ok(spans.every(({ resource }) => resource['cluster.manager'] === 'cluster'));
  const [interrupted, ...more] = spans.filter(({ attributes }) => attributes['forktrace.interrupted']);
  assert.equal(interrupted!.attributes['url.path'], '/kill');
  assert.deepEqual(more, []);
  // throng puts a worker in its place, with an id of its own.
  await program.waitFor(() => program.stdout.match(/listens/g)?.length === 3, 'a third worker');
  program.kill('SIGTERM');
  await program.waitForExit();
  await waitForEnd(join(dir, 'throng'));
});

test('plain processes that share a journal directory: one shipper, nothing lost, nothing left', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const dir = await tempDir(t);
  const tracing = { serviceName: 'units', journal: { dir }, export: { to: 'otlp-http', url: endpoint.httpUrl } };
  const units: { program: Program; port: number }[] = [];
  for (let unit = 0; unit < 3; unit++) {
    const port = await freePort();
    const env = { PORT: String(port), TRACING_CONFIG: JSON.stringify(tracing) };
    units.push({ program: runProgram(t, fixture('plain-server'), { env }), port });
  }
  for (const { program } of units) await program.waitForOutput(/listens/);
  await Promise.all(
    units.map(async ({ port }) => {
      for (let i = 0; i < 20; i++) await ask(port);
    }),
  );
  // One goes by itself, one by systemd's signal, one is killed.
  await ask(units[0]!.port, '/exit').catch(() => {});
  units[1]!.program.kill('SIGTERM');
  units[2]!.program.kill('SIGKILL');
  assert.deepEqual(await units[0]!.program.waitForExit(), { code: 3, signal: null });
  assert.deepEqual(await units[1]!.program.waitForExit(), { code: null, signal: 'SIGTERM' });
  const spans = await endpoint.waitForSpans(61);
  await waitForEnd(join(dir, 'units'));
  assert.equal(spans.length, 61, 'the request that ended its process is there as interrupted');
  assert.equal(instances(spans).size, 3);
});
