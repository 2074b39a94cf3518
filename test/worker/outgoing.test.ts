import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpanKind } from '@opentelemetry/api';
import { fixture, runProgram } from '../process/run-program.js';

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
  const hide = `data:text/javascript,${encodeURIComponent(`
    import { Module } from 'node:module';
    const resolve = Module._resolveFilename;
    Module._resolveFilename = function (name, ...rest) {
      if (!name.startsWith('@opentelemetry/instrumentation-')) return resolve.call(this, name, ...rest);
      throw Object.assign(new Error('hidden'), { code: 'MODULE_NOT_FOUND' });
    };`)}`;
  const program = runProgram(t, fixture('outgoing'), { ipc: true, execArgv: ['--import', hide] });
  const { spans, warnings } = (await program.waitForMessage(() => true)) as Told;
  assert.equal(spans.length, 2);
  assert.deepEqual(warnings, [
    'FORKTRACE_OUTGOING_MISSING Option outgoing needs the package @opentelemetry/instrumentation-undici, which is not installed.',
    'FORKTRACE_OUTGOING_MISSING Option outgoing needs the package @opentelemetry/instrumentation-http, which is not installed.',
  ]);
});
