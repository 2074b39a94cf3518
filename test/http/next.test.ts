import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { OtlpSpanKind } from '../endpoint/received-span.js';
import { frameworksRequire } from '../process/frameworks.js';
import { fixture, runProgram } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';
import { request } from './traced-server.js';

const dir = fileURLToPath(new URL('../../test/frameworks/next-app/', import.meta.url));

test('Next.js has one SERVER span per request, with its route; its own is within', { timeout: 400_000 }, async (t) => {
  const load = await frameworksRequire();
  if (!existsSync(`${dir}.next/BUILD_ID`)) {
    const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };
    execFileSync(process.execPath, [load.resolve('next/dist/bin/next'), 'build'], { cwd: dir, env, timeout: 300_000 });
  }
  const endpoint = await OtlpEndpoint.start(t);
  const program = runProgram(t, fixture('next-server'), {
    execArgv: ['--import', import.meta.resolve('forktrace/register')],
    env: {
      NODE_ENV: 'production',
      OTEL_SERVICE_NAME: 'next',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_EXPORT: 'otlp-grpc',
      FORKTRACE_PIPELINE: 'batch',
      OTEL_BSP_SCHEDULE_DELAY: '50',
    },
  });
  const port = Number((await program.waitForOutput(/listening on (\d+)/, 60_000))[1]);
  const names: Record<string, string> = {
    '/items/7': 'GET /items/[id]',
    '/items/0': 'GET /items/[id]',
    '/api/things/3': 'GET /api/things/[id]',
    '/posts/first': 'GET /posts/[slug]',
    '/nowhere': 'GET',
  };
  for (const path of Object.keys(names)) await request(port, path);
  const servers = () => endpoint.received().filter(({ kind }) => kind === OtlpSpanKind.SERVER);
  const handled = () =>
    endpoint.received().filter(({ attributes }) => attributes['next.span_type'] === 'BaseServer.handleRequest');
  const count = Object.keys(names).length;
  await waitFor(
    () => servers().length >= count && handled().length >= count,
    () => `spans; output: ${program.output}`,
  );
  assert.deepEqual(Object.fromEntries(servers().map(({ name, attributes }) => [attributes['url.path'], name])), names);
  assert.equal(servers().length, count);
  for (const { parentSpanId, kind } of handled()) {
    assert.equal(kind, OtlpSpanKind.INTERNAL);
    assert.ok(servers().some(({ spanId }) => spanId === parentSpanId));
  }
});
