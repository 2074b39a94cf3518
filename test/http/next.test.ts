import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import { before, describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { OtlpSpanKind } from '../endpoint/received-span.js';
import { frameworksRequire } from '../process/frameworks.js';
import { freePort } from '../process/free-port.js';
import { fixture, type Program, runProgram } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';
import { request } from './traced-server.js';

const dir = fileURLToPath(new URL('../../test/frameworks/next-app/', import.meta.url));

/** Paths, and the names of their SERVER spans. */
const NAMES: Record<string, string> = {
  '/items/7': 'GET /items/[id]',
  '/items/0': 'GET /items/[id]',
  '/api/things/3': 'GET /api/things/[id]',
  '/posts/first': 'GET /posts/[slug]',
  '/nowhere': 'GET',
};

type Way = 'preload' | 'next start' | 'traceServer' | 'factory' | 'run';

function start(t: TestContext, way: Way, next: string, env: Record<string, string>): Program {
  const execArgv = ['--import', import.meta.resolve('forktrace/register')];
  if (way === 'next start') {
    return runProgram(t, next, { args: ['start', '-H', '127.0.0.1', '-p', env.PORT!], cwd: dir, execArgv, env });
  }
  if (way === 'run') {
    const cli = fileURLToPath(import.meta.resolve('#src/cli/main.js'));
    return runProgram(t, cli, { args: ['run', fixture('framework-module'), '-w', '1'], env });
  }
  return runProgram(t, fixture('framework-server'), {
    execArgv: way === 'preload' ? execArgv : [],
    env: { ...env, WAY: way },
  });
}

describe('Next.js', { timeout: 500_000 }, () => {
  let next = '';
  before(async () => {
    next = (await frameworksRequire()).resolve('next/dist/bin/next');
    if (existsSync(`${dir}.next/BUILD_ID`)) return;
    const env = { ...process.env, NEXT_TELEMETRY_DISABLED: '1' };
    execFileSync(process.execPath, [next, 'build'], { cwd: dir, env, timeout: 300_000 });
  });

  for (const way of ['preload', 'next start', 'traceServer', 'factory', 'run'] as const) {
    it(`by ${way}: one SERVER span per request, with its route; its own is within`, async (t) => {
      const endpoint = await OtlpEndpoint.start(t);
      const given = await freePort();
      const program = start(t, way, next, {
        APP: 'next',
        PORT: String(given),
        NODE_ENV: 'production',
        NEXT_TELEMETRY_DISABLED: '1',
        OTEL_SERVICE_NAME: 'next',
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
        FORKTRACE_EXPORT: 'otlp-grpc',
        FORKTRACE_PIPELINE: 'batch',
        OTEL_BSP_SCHEDULE_DELAY: '50',
      });
      const choosesPort = way === 'preload' || way === 'traceServer';
      const port = choosesPort ? Number((await program.waitForOutput(/listening on (\d+)/, 60_000))[1]) : given;
      await waitFor(
        () => accepts(port),
        () => `Next.js listens; output: ${program.output}`,
        60_000,
      );
      for (const path of Object.keys(NAMES)) await request(port, path);
      const servers = () => endpoint.received().filter(({ kind }) => kind === OtlpSpanKind.SERVER);
      const handled = () =>
        endpoint.received().filter(({ attributes }) => attributes['next.span_type'] === 'BaseServer.handleRequest');
      const count = Object.keys(NAMES).length;
      await waitFor(
        () => servers().length >= count && handled().length >= count,
        () => `spans; output: ${program.output}`,
      );
      const found = servers().map(({ name, attributes }) => [attributes['url.path'], name]);
      assert.deepEqual(Object.fromEntries(found), NAMES);
      assert.equal(servers().length, count);
      for (const { parentSpanId, kind } of handled()) {
        assert.equal(kind, OtlpSpanKind.INTERNAL);
        assert.ok(servers().some(({ spanId }) => spanId === parentSpanId));
      }
    });
  }
});

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}
