import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { freePort } from '../process/free-port.js';
import { fixture } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';
import { Load } from './load.js';
import { RealPm2 } from './real-pm2.js';

for (const pipeline of ['journal', 'batch'] as const) {
  test(`pm2 cluster mode, ${pipeline}: a reload under load fails no request and loses no span`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const pm2 = await RealPm2.start(t);
    const port = await freePort();
    await pm2.startEcosystem({
      apps: [
        {
          name: 'app',
          script: fixture('pm2-app'),
          instances: 2,
          exec_mode: 'cluster',
          wait_ready: true,
          listen_timeout: 20_000,
          kill_timeout: 5000,
          env: {
            TRACING_CONFIG: JSON.stringify({
              serviceName: 'under-pm2',
              pipeline,
              journal: { dir: pm2.home },
              listen: { port, host: '127.0.0.1' },
              export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
            }),
          },
        },
      ],
    });
    await waitFor(
      async () => (await pm2.list()).every(({ pm2_env }) => pm2_env.status === 'online'),
      'two online apps',
    );

    const load = new Load(t, port);
    const pidsBefore = (await pm2.list()).map(({ pid }) => pid);
    await load.more();
    await pm2.command('reload', 'app');
    await waitFor(async () => {
      const pids = (await pm2.list()).map(({ pid }) => pid);
      return pids.length === 2 && pids.every((pid) => !pidsBefore.includes(pid));
    }, 'new processes');
    await load.more();
    await load.stop();
    await pm2.command('delete', 'app');

    assert.deepEqual(load.failures, []);
    const spans = await endpoint.waitForSpans(load.answered.length * 2);
    const servers = spans.filter(({ kind }) => kind === SPAN_KIND_SERVER);
    assert.equal(servers.length, load.answered.length);
    assert.equal(spans.length, load.answered.length * 2);
    const resources = new Map(servers.map(({ resource }) => [resource['service.instance.id'], resource]));
    assert.equal(resources.size, 4, 'an instance id for each process');
    assert.deepEqual([...new Set([...resources.values()].map((one) => one['cluster.worker.slot']))].sort(), [0, 1]);
    assert.ok([...resources.values()].every((one) => one['cluster.manager'] === 'pm2'));
  });
}

/** OTLP's SpanKind. */
const SPAN_KIND_SERVER = 2;
