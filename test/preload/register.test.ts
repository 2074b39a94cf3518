import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { get } from 'node:http';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { isLauncher } from '#src/preload/launcher.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { OtlpSpanKind, type ReceivedSpan } from '../endpoint/received-span.js';
import { readBack } from '../journal/read-back.js';
import { fixture, type Program, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const register = import.meta.resolve('forktrace/register');
const recorder = new URL('../fixtures/record-modules.js', import.meta.url).href;
const commonjs = fileURLToPath(new URL('../fixtures/unaware-server-cjs.cjs', import.meta.url));

function environment(endpoint: OtlpEndpoint): Record<string, string> {
  return {
    OTEL_SERVICE_NAME: 'unaware',
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
    FORKTRACE_EXPORT: 'otlp-grpc',
    FORKTRACE_PIPELINE: 'batch',
    OTEL_BSP_SCHEDULE_DELAY: '50',
  };
}

function run(t: TestContext, endpoint: OtlpEndpoint, path: string, execArgv = ['--import', register]): Program {
  return runProgram(t, path, { execArgv, env: environment(endpoint) });
}

/** The one line of JSON that a program writes. */
async function told<T>(program: Program): Promise<T> {
  return JSON.parse((await program.waitForOutput(/^\{.*\}$/m))[0]);
}

function fetchBody(port: number, path = '/', headers = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => resolve(body));
    }).on('error', reject);
  });
}

const servers = (spans: readonly ReceivedSpan[]) => spans.filter(({ kind }) => kind === OtlpSpanKind.SERVER);

test('an ES module app: each request has a SERVER span from the first one on, its parent by its headers', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const program = run(t, endpoint, fixture('unaware-server'));
  const { port, warnings } = await told<{ port: number; warnings: string[] }>(program);
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  assert.equal(await fetchBody(port, '/next', { traceparent }), '/next');
  const spans = await endpoint.waitForSpans(2);
  assert.deepEqual(
    spans.map(({ attributes }) => attributes['url.path']),
    ['/first', '/next'],
  );
  assert.equal(servers(spans).length, 2);
  assert.equal(spans[1]!.parentSpanId, 'b7ad6b7169203331');
  assert.equal(spans[0]!.resource['service.name'], 'unaware');
  assert.deepEqual(warnings, []);
});

test('a CommonJS app, preloaded by NODE_OPTIONS: http and http2 servers', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const program = runProgram(t, commonjs, {
    env: { ...environment(endpoint), NODE_OPTIONS: `--import=${register}` },
  });
  await told(program);
  const spans = await endpoint.waitForSpans(2);
  assert.deepEqual(spans.map(({ attributes }) => attributes['url.path']).sort(), ['/first', '/second']);
});

test('loaded twice it traces once', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const twice = ['--import', register, '--import', `${register}?copy`, '--require', fileURLToPath(register)];
  const program = run(t, endpoint, fixture('unaware-server'), twice);
  const { port } = await told<{ port: number }>(program);
  await fetchBody(port, '/last');
  const spans = await endpoint.waitForSpans((all) => all.some(({ attributes }) => attributes['url.path'] === '/last'));
  assert.equal(spans.length, 2);
});

test('a primary that only forks, with its own code, loads nothing of the SDK; its workers trace', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const program = run(t, endpoint, fixture('unaware-cluster'), ['--import', recorder, '--import', register]);
  const { port, modules } = await told<{ port: number; modules: string[] }>(program);
  assert.ok(
    modules.some((url) => url.endsWith('/bundle-preload.cjs')),
    'the recorder sees what is there',
  );
  assert.deepEqual(
    modules.filter((url) =>
      /node_modules\/(@grpc\/|@opentelemetry\/(?!api\/))|\/dist\/(sdk\/|bundle-start\.cjs)/.test(url),
    ),
    [],
  );
  const pids = new Set<string>();
  while (pids.size < 2) pids.add(await fetchBody(port));
  const spans = await endpoint.waitForSpans(
    (all) => new Set(all.map((each) => each.resource['process.pid'])).size === 2,
  );
  assert.equal(new Set(spans.map(({ resource }) => resource['service.instance.id'])).size, 2);
  assert.ok(spans.every(({ resource }) => resource['process.pid'] !== BigInt(program.pid)));
});

test('a job: its spans, from its first line on, are all there when it ends by itself', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const program = run(t, endpoint, fixture('unaware-job'));
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null });
  const spans = await endpoint.waitForSpans(3);
  const [job, step, after] = ['job', 'renamed', 'after'].map((name) => spans.find((each) => each.name === name)!);
  assert.equal(job!.parentSpanId, '');
  assert.equal(step!.parentSpanId, job!.spanId);
  assert.equal(after!.parentSpanId, job!.spanId);
  assert.deepEqual(job!.scope, { name: 'job', version: '1.2.3', attributes: {} });
  assert.equal(step!.attributes.late, true);
  assert.equal(step!.status.message, 'failed');
  assert.deepEqual(
    step!.events.map(({ name }) => name),
    ['half way', 'exception'],
  );
  assert.ok(job!.end - job!.start >= 15_000_000n, 'the times are those of the job');
  assert.ok(step!.end <= after!.start);
});

test('a worker of forktrace’s own coordinator, preloaded too, traces each request once', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const program = runProgram(t, fixture('aware-preloaded'), {
    execArgv: ['--import', register],
    env: { ...environment(endpoint), WEB_CONCURRENCY: '1' },
  });
  const { address } = await told<{ address: string }>(program);
  const port = Number(new URL(address).port);
  for (let i = 0; i < 3; i++) await fetchBody(port);
  program.kill('SIGTERM');
  await program.waitForExit();
  assert.equal(servers(endpoint.received()).length, 3);
});

test('SIGTERM ends a preloaded app by that signal, and its spans are out', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const program = runProgram(t, fixture('unaware-server'), {
    execArgv: ['--import', register],
    env: { ...environment(endpoint), OTEL_BSP_SCHEDULE_DELAY: '60000' },
  });
  await told(program);
  program.kill('SIGTERM');
  assert.deepEqual(await program.waitForExit(), { code: null, signal: 'SIGTERM' });
  assert.equal(endpoint.received().length, 1);
});

test('an https server: its requests have SERVER spans with their scheme', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const program = run(t, endpoint, fixture('unaware-https'));
  await told(program);
  const [span] = servers(await endpoint.waitForSpans((spans) => servers(spans).length > 0));
  assert.equal(span!.attributes['url.scheme'], 'https');
  assert.equal(span!.attributes['url.path'], '/secure');
});

/** Nothing but a service name and an endpoint: the journal, and a shipper of its own. */
async function byDefault(t: TestContext) {
  const endpoint = await OtlpEndpoint.start(t);
  const dir = await tempDir(t);
  const env = {
    NODE_ENV: 'production',
    OTEL_SERVICE_NAME: 'unaware',
    OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
    FORKTRACE_JOURNAL_DIR: dir,
  };
  const start = (more = {}) =>
    runProgram(t, fixture('unaware-server'), { execArgv: ['--import', register], env: { ...env, ...more } });
  return { endpoint, journal: join(dir, 'unaware'), start };
}

test('by default spans go through the journal: delivered while the app runs, and when it is killed', async (t) => {
  const { endpoint, start } = await byDefault(t);
  const program = start();
  const { port } = await told<{ port: number }>(program);
  await endpoint.waitForSpans(1);
  await fetchBody(port, '/last');
  program.kill('SIGKILL');
  const spans = await endpoint.waitForSpans(2);
  assert.deepEqual(
    spans.map(({ attributes }) => attributes['url.path']),
    ['/first', '/last'],
  );
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  test(`${signal}, which nobody listens to: the journal keeps what has ended, and nothing looks like a crash`, async (t) => {
    const { endpoint, journal, start } = await byDefault(t);
    await endpoint.stop();
    const program = start();
    await told(program);
    program.kill(signal);
    assert.deepEqual(await program.waitForExit(), { code: null, signal });
    const { ended, inFlight } = readBack(journal);
    assert.equal(ended.length, 1);
    assert.equal(inFlight.length, 0);
    await endpoint.restart();
    await endpoint.waitForSpans(1);
  });
}

test('what ships inline has shipped when the app ends by SIGTERM', async (t) => {
  const { endpoint, start } = await byDefault(t);
  const program = start({ FORKTRACE_SHIP: 'inline' });
  const { port } = await told<{ port: number }>(program);
  await fetchBody(port, '/last');
  program.kill('SIGTERM');
  assert.deepEqual(await program.waitForExit(), { code: null, signal: 'SIGTERM' });
  assert.equal(endpoint.received().length, 2);
});

test('what ships inline has shipped when a job ends by itself', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const program = runProgram(t, fixture('unaware-job'), {
    execArgv: ['--import', register],
    env: {
      NODE_ENV: 'production',
      OTEL_EXPORTER_OTLP_ENDPOINT: endpoint.grpcUrl,
      FORKTRACE_SHIP: 'inline',
      FORKTRACE_JOURNAL_DIR: await tempDir(t),
    },
  });
  assert.deepEqual(await program.waitForExit(), { code: 0, signal: null });
  assert.equal(endpoint.received().length, 3);
});

test('npm, npx, yarn, pnpm, corepack and the pm2 daemon are not traced; apps are, in pm2’s containers too', async (t) => {
  for (const launcher of [
    '/usr/lib/node_modules/npm/bin/npm-cli.js',
    '/usr/lib/node_modules/npm/bin/npx-cli.js',
    '/home/me/.yarn/releases/yarn-4.1.0.cjs',
    '/usr/share/yarn/bin/yarn.js',
    '/usr/bin/yarn',
    '/usr/lib/node_modules/pnpm/bin/pnpm.cjs',
    '/usr/lib/node_modules/corepack/dist/corepack.js',
    '/usr/lib/node_modules/corepack/dist/pnpm.js',
    'C:\\Program Files\\nodejs\\node_modules\\npm\\bin\\npm-cli.js',
    '/usr/bin/pm2',
    '/usr/lib/node_modules/pm2/bin/pm2-runtime',
    '/usr/lib/node_modules/pm2/lib/Daemon.js',
  ]) {
    assert.equal(isLauncher(launcher), true, launcher);
  }
  for (const app of [
    '/app/server.js',
    '/app/npm-stats.js',
    '/app/yarn/index.js',
    '/app/pnpm-server/app.mjs',
    '/usr/lib/node_modules/pm2/lib/ProcessContainer.js',
    '/usr/lib/node_modules/pm2/lib/ProcessContainerFork.js',
    undefined,
  ]) {
    assert.equal(isLauncher(app), false, app);
  }

  const endpoint = await OtlpEndpoint.start(t);
  const directory = join(await tempDir(t), 'npm', 'bin');
  await mkdir(directory, { recursive: true });
  await symlink(fixture('unaware-job'), join(directory, 'npm-cli.js'));
  const launched = run(t, endpoint, join(directory, 'npm-cli.js'), ['--preserve-symlinks-main', '--import', register]);
  await launched.waitForExit();
  assert.equal(endpoint.received().length, 0);
});

test('forktrace can be required from CommonJS', async (t) => {
  const directory = fileURLToPath(new URL('.', import.meta.url));
  const program = runProgram(t, fixture('../preload/requires-forktrace').replace(/\.js$/, '.cjs'), { cwd: directory });
  assert.deepEqual(await told(program), { exports: 'function', register: 'object' });
});
