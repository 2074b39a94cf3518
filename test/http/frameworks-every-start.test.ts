import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { before, type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { OtlpSpanKind } from '../endpoint/received-span.js';
import { frameworksRequire } from '../process/frameworks.js';
import { freePort } from '../process/free-port.js';
import { fixture, type Program, runProgram } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';
import { request } from './traced-server.js';

// Installed before the first program that needs them has its time bounded.
before(async () => void (await frameworksRequire()));

const register = import.meta.resolve('forktrace/register');
const cli = fileURLToPath(import.meta.resolve('#src/cli/main.js'));

/** Paths, and the names of their SERVER spans. */
const FRAMEWORKS: Record<string, Record<string, string>> = {
  express4: {
    '/api/v1/items/7': 'GET /api/:version/items/:id',
    '/api/v1/items/0': 'GET /api/:version/items/:id',
    '/nowhere': 'GET',
  },
  express: {
    '/api/v1/items/7': 'GET /api/:version/items/:id',
    '/api/v1/items/0': 'GET /api/:version/items/:id',
    '/nowhere': 'GET',
  },
  fastify: {
    '/api/v1/items/7': 'GET /api/:version/items/:id',
    '/api/v1/items/0': 'GET /api/:version/items/:id',
    '/nowhere': 'GET',
  },
  fastify4: {
    '/api/v1/items/7': 'GET /api/:version/items/:id',
    '/api/v1/items/0': 'GET /api/:version/items/:id',
    '/nowhere': 'GET',
  },
  'nest on express': {
    '/api/items/7': 'GET /api/items/:id',
    '/api/items/0': 'GET /api/items/:id',
    '/nowhere': 'GET',
  },
  'nest on fastify': {
    '/api/items/7': 'GET /api/items/:id',
    '/api/items/0': 'GET /api/items/:id',
    '/nowhere': 'GET',
  },
  'json-server': { '/posts/1': 'GET /posts/:id', '/comments/1': 'GET /comments/:id', '/posts/2': 'GET /posts/:id' },
  koa: { '/mnt/1/items/7': 'GET /mnt/:x/items/:y', '/mnt/1/items/0': 'GET /mnt/:x/items/:y', '/nowhere': 'GET' },
  hono: { '/items/7': 'GET /items/:id', '/nowhere': 'GET' },
  hapi: { '/items/7': 'GET /items/{id}', '/items/0': 'GET /items/{id}', '/nowhere': 'GET' },
  connect: { '/api/items/7': 'GET /api/items', '/anything': 'GET' },
  restify: { '/items/7': 'GET /items/:id', '/nowhere': 'GET' },
  h3: { '/items/7': 'GET /items/:id', '/nowhere': 'GET' },
  trpc: { '/items.byId': 'GET /items.byId' },
  graphql: { '/graphql?query=%7Bitem%7D': 'GET /graphql' },
};

type Way = 'traceServer' | 'factory' | 'preload' | 'run';

function start(t: TestContext, app: string, way: Way, env: Record<string, string>): Program {
  if (way === 'run')
    return runProgram(t, cli, { args: ['run', fixture('framework-module'), '-w', '1'], env: { ...env, APP: app } });
  return runProgram(t, fixture('framework-server'), {
    execArgv: way === 'preload' ? ['--import', register] : [],
    env: { ...env, APP: app, WAY: way },
  });
}

async function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('error', () => resolve(false));
    socket.on('connect', () => socket.destroy());
  });
}

const only = process.env.FRAMEWORK;

for (const [app, paths] of Object.entries(FRAMEWORKS)) {
  if (only !== undefined && only !== app) continue;
  for (const way of ['traceServer', 'factory', 'preload', 'run'] as const) {
    test(`${app} by ${way}: routes, from the first request on`, async (t) => {
      const endpoint = await OtlpEndpoint.start(t);
      let port = await freePort();
      const program = start(t, app, way, {
        PORT: String(port),
        OTEL_SERVICE_NAME: 'frameworks',
        OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
        FORKTRACE_EXPORT: 'otlp-grpc',
        FORKTRACE_PIPELINE: 'batch',
        OTEL_BSP_SCHEDULE_DELAY: '50',
      });
      if (way === 'traceServer' || way === 'preload') {
        port = Number((await program.waitForOutput(/listening on (\d+)/))[1]);
      } else await waitFor(() => accepts(port), 'the app listens');
      for (const path of Object.keys(paths)) await request(port, path);
      const servers = () => endpoint.received().filter(({ kind }) => kind === OtlpSpanKind.SERVER);
      await waitFor(
        () => servers().length >= Object.keys(paths).length,
        () => `spans; output: ${program.output}`,
      );
      const found = servers().map(({ name, attributes }) => [`${attributes['url.path']}`, name]);
      assert.deepEqual(
        Object.fromEntries(found),
        Object.fromEntries(Object.entries(paths).map(([path, name]) => [path.split('?')[0], name])),
      );
      assert.equal(found.length, Object.keys(paths).length);
      assert.doesNotMatch(program.output, /ForktraceWarning/);
    });
  }
}
