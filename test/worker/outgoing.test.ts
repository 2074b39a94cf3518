import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { SpanKind } from '@opentelemetry/api';
import { fixture, runProgram } from '../process/run-program.js';
import { installedAlone } from './installed-alone.js';

interface Told {
  spans: { kind: SpanKind; scope: string; traceId: string; spanId: string; parent: string | undefined }[];
  seen: (string | undefined)[];
  warnings: string[];
}

test('outgoing: fetch and http, imported by name, have CLIENT spans and carry context; each request one SERVER span', async (t) => {
  const program = runProgram(t, fixture('outgoing'), { ipc: true });
  const { spans, seen, warnings } = (await program.waitForMessage(() => true)) as Told;
  const clients = spans.filter(({ kind }) => kind === SpanKind.CLIENT);
  const servers = spans.filter(({ kind }) => kind === SpanKind.SERVER);
  assert.deepEqual(clients.map(({ scope }) => scope).sort(), [
    '@opentelemetry/instrumentation-http',
    '@opentelemetry/instrumentation-undici',
  ]);
  assert.equal(servers.length, 2, 'one SERVER span per request, not two');
  for (const [i, header] of seen.entries()) {
    const client = clients.find(({ spanId }) => header?.includes(spanId));
    assert.ok(client, `request ${i} carries the context of a CLIENT span: ${header}`);
    assert.ok(servers.some(({ parent, traceId }) => parent === client.spanId && traceId === client.traceId));
  }
  assert.deepEqual(warnings, []);
});

test('outgoing without the packages: one coded warning for each, and the app runs', async (t) => {
  const dir = await installedAlone(t);
  await writeFile(
    join(dir, 'app.mjs'),
    `import { startWorkerTracing } from 'forktrace';
     const warnings = [];
     process.on('warning', (warning) => warnings.push(warning.code + ' ' + warning.message));
     const tracing = startWorkerTracing({ outgoing: true, export: { to: 'none' } });
     await tracing.shutdown();
     setImmediate(() => process.send(warnings));`,
  );
  const program = runProgram(t, join(dir, 'app.mjs'), { ipc: true, cwd: dir, env: { FORKTRACE_JOURNAL_DIR: dir } });
  assert.deepEqual(await program.waitForMessage(() => true), [
    'FORKTRACE_OUTGOING_MISSING Option outgoing needs the package @opentelemetry/instrumentation-undici, which is not installed.',
    'FORKTRACE_OUTGOING_MISSING Option outgoing needs the package @opentelemetry/instrumentation-http, which is not installed.',
  ]);
});
