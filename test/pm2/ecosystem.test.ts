import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { test } from 'node:test';
import { defineEcosystem } from 'forktrace/pm2';

test('an app has the time to start, drain and flush, tracing preloaded, and a shipper beside it', () => {
  const { apps } = defineEcosystem({
    name: 'shop',
    script: 'server.js',
    instances: 4,
    node_args: '--max-old-space-size=200',
    env: { NODE_ENV: 'production' },
    max_memory_restart: '300M',
    tracing: {
      resource: { 'deployment.environment.name': 'a b' },
      export: { url: 'http://collector:4317', headers: { 'x-key': 'a,b' } },
      journal: { dir: '/var/lib/forktrace', maxBytes: 1000 },
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
  assert.deepEqual(env, {
    OTEL_SERVICE_NAME: 'shop',
    OTEL_RESOURCE_ATTRIBUTES: 'deployment.environment.name=a%20b',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4317',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%2Cb',
    FORKTRACE_JOURNAL_DIR: '/var/lib/forktrace',
    FORKTRACE_JOURNAL_MAX_BYTES: '1000',
    OTEL_TRACES_SAMPLER: 'traceidratio',
    OTEL_TRACES_SAMPLER_ARG: '0.5',
    NODE_ENV: 'production',
  });
  assert.equal(shipper!.name, 'shop-shipper');
  assert.equal(shipper!.exec_mode, 'fork');
  assert.deepEqual(shipper!.env, env);
});

test('without a preload the script starts tracing itself, and with batch there is nothing to ship', () => {
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
