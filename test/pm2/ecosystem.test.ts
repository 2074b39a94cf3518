import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { defineEcosystem } from 'forktrace/pm2';
import { tempDir } from '../process/temp-dir.js';

async function pm2Home(t: TestContext): Promise<string> {
  const { PM2_HOME: before } = process.env;
  process.env.PM2_HOME = await tempDir(t);
  t.after(() => {
    if (before === undefined) delete process.env.PM2_HOME;
    else process.env.PM2_HOME = before;
  });
  return process.env.PM2_HOME;
}

test('an app has the time to start, drain and flush, tracing preloaded, and a shipper beside it', async (t) => {
  const home = await pm2Home(t);
  const { apps } = defineEcosystem({
    name: 'shop',
    script: 'server.js',
    instances: 4,
    node_args: '--max-old-space-size=200',
    env: { NODE_ENV: 'production' },
    max_memory_restart: '300M',
    tracing: {
      resource: { 'deployment.environment.name': 'a b', replicas: 3 },
      export: { url: 'http://collector:4317', headers: { 'x-key': 'a,b' } },
      journal: { dir: '/var/lib/forktrace', maxBytes: 10_000_000 },
      http: { excludeUrls: [/\/health$/] },
      sampler: 'traceidratio',
      samplerArg: 0.5,
    },
  });
  const [worker, shipper] = apps as Record<string, unknown>[];
  assert.equal(apps.length, 2);
  const { node_args, env, ...rest } = worker!;
  assert.deepEqual(rest, {
    name: 'shop',
    script: 'server.js',
    instances: 4,
    exec_mode: 'cluster',
    wait_ready: true,
    kill_timeout: 8000,
    listen_timeout: 10_000,
    max_memory_restart: '300M',
  });
  assert.deepEqual((node_args as unknown as string[]).slice(0, 2), ['--max-old-space-size=200', '--import']);
  assert.match((node_args as unknown as string[])[2]!, /^file:.*register\.js$/);
  const { FORKTRACE_CONFIG_FILE: file, ...variables } = env as unknown as Record<string, string>;
  assert.deepEqual(variables, {
    OTEL_SERVICE_NAME: 'shop',
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.5',
    NODE_ENV: 'production',
  });
  assert.equal(file, join(home, 'forktrace/shop.json'));
  assert.deepEqual(JSON.parse(readFileSync(file!, 'utf8')), {
    resource: { 'deployment.environment.name': 'a b', replicas: 3 },
    export: { url: 'http://collector:4317', headers: { 'x-key': 'a,b' } },
    journal: { dir: '/var/lib/forktrace', maxBytes: 10_000_000 },
    http: { excludeUrls: ['\\/health$'] },
  });
  assert.equal(statSync(file!).mode & 0o777, 0o600, 'it may hold secrets');
  assert.equal(statSync(join(home, 'forktrace')).mode & 0o777, 0o700);
  assert.equal(shipper!.name, 'shop-shipper');
  assert.equal(shipper!.exec_mode, 'fork');
  assert.deepEqual(shipper!.env, env);
});

test('without a preload the script starts tracing itself, and with batch there is nothing to ship', async (t) => {
  await pm2Home(t);
  const { apps } = defineEcosystem({ name: 'a', script: 'a.js', tracing: { pipeline: 'batch', preload: false } });
  assert.equal(apps.length, 1);
  assert.deepEqual(apps[0]!.node_args, []);
});

test('a missing script is an error that names the option', () => {
  assert.throws(() => defineEcosystem([{ name: 'a', script: 'a.js' }, { name: 'b' } as never]), {
    code: 'FORKTRACE_CONFIG_INVALID',
    message: /\[1\]\.script: got undefined/,
  });
});

test('an ecosystem file that is CommonJS can require it', () => {
  const { defineEcosystem: required } = createRequire(import.meta.url)('forktrace/pm2');
  assert.equal(required, defineEcosystem);
});

test('a wrong tracing option, or one that a file cannot hold, is an error when the ecosystem file is read', async (t) => {
  await pm2Home(t);
  const define = (tracing: object) => () => defineEcosystem({ name: 'a', script: 'a.js', tracing });
  assert.throws(define({ export: { to: 'carrier-pigeon' } }), {
    code: 'FORKTRACE_CONFIG_INVALID',
    message: /export\.to/,
  });
  assert.throws(define({ exprot: {} }), { code: 'FORKTRACE_CONFIG_INVALID', message: /exprot/ });
  assert.throws(define({ http: { spanDetails: () => ({}) } }), { message: /spanDetails.*configFile/ });
  assert.throws(define({ configFile: './tracing.js', pipeline: 'batch' }), { message: /configFile.*pipeline/ });
});
