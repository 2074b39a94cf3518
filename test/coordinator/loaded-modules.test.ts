import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningCluster } from './running-cluster.js';

const recorder = new URL('../fixtures/record-modules.js', import.meta.url).href;
/** What the coordinator must not hold: anything of OpenTelemetry but the API, and gRPC. */
const FORBIDDEN = /node_modules\/(@grpc\/|@opentelemetry\/(?!api\/))|dist\/sdk\//;

test('a running primary has loaded no SDK, exporter or gRPC module; its workers have', async (t) => {
  const cluster = await RunningCluster.ready(
    t,
    { workers: 1, export: { to: 'otlp-grpc', url: 'http://127.0.0.1:1' } },
    { execArgv: ['--import', recorder] },
  );
  await cluster.ask('reload');

  const inPrimary = await cluster.ask<string[]>('modules');
  assert.ok(
    inPrimary.some((url) => url.includes('/coordinator/supervisor.js')),
    'the recorder sees what is there',
  );
  assert.deepEqual(
    inPrimary.filter((url) => FORBIDDEN.test(url)),
    [],
  );

  const inWorker = (await cluster.get('/?modules')).modules!;
  assert.ok(inWorker.some((url) => /\/dist\/sdk\/trace\.js/.test(url)));
  assert.ok(inWorker.some((url) => /node_modules\/@grpc\/grpc-js/.test(url)));
});

test('a primary under the preload does not take its control server for an app: it traces nothing', async (t) => {
  const cluster = await RunningCluster.ready(
    t,
    { workers: 1, export: { to: 'otlp-grpc', url: 'http://127.0.0.1:1' } },
    {
      execArgv: ['--import', recorder, '--import', import.meta.resolve('forktrace/register')],
      env: { FORKTRACE_INSTRUMENTATIONS: 'none' },
    },
  );
  const inPrimary = await cluster.ask<string[]>('modules');
  assert.ok(inPrimary.some((url) => url.endsWith('/bundle-preload.cjs')));
  assert.deepEqual(
    inPrimary.filter((url) => FORBIDDEN.test(url) || url.endsWith('/bundle-start.cjs')),
    [],
  );
  cluster.process.kill('SIGTERM');
  assert.deepEqual(await cluster.exited, { code: null, signal: 'SIGTERM' });
});
