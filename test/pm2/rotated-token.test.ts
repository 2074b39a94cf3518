import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { freePort } from '../process/free-port.js';
import { waitFor } from '../process/wait-for.js';
import { ecosystemFile, RealPm2 } from './real-pm2.js';

const script = fileURLToPath(new URL('../fixtures/unaware-server-pm2.cjs', import.meta.url));
const NAME = 'OTEL_EXPORTER_OTLP_HEADERS';

test('pm2 reload --update-env after a token was rotated: the new token is sent, and no span is lost', async (t) => {
  const endpoint = await OtlpEndpoint.start(t);
  const pm2 = await RealPm2.start(t);
  const port = await freePort();
  const file = join(pm2.home, 'ecosystem.config.cjs');
  writeFileSync(
    file,
    ecosystemFile({
      name: 'rotated',
      script,
      exec_mode: 'cluster',
      instances: 2,
      listen_timeout: 30_000,
      env: { PORT: port },
      tracing: { export: { to: 'otlp-grpc', url: endpoint.grpcUrl }, journal: { dir: pm2.home } },
    }),
  );
  let asked = 0;
  const ask = async (times: number) => {
    for (const until = asked + times; asked < until; asked++) {
      const answer = await fetch(`http://127.0.0.1:${port}/${asked}`);
      await answer.arrayBuffer();
    }
  };
  const workers = async () => (await pm2.list()).filter(({ name }) => name === 'rotated');
  const isOnline = async () => (await workers()).filter(({ pm2_env }) => pm2_env.status === 'online').length === 2;

  endpoint.requireHeader('authorization', 'Bearer one');
  await pm2.commandWith({ [NAME]: 'authorization=Bearer one' }, 'start', file);
  await waitFor(isOnline, 'two workers');
  await ask(10);
  await endpoint.waitForSpans(10);
  endpoint.requireHeader('authorization', 'Bearer two');
  const refused = endpoint.requests.length;
  await ask(10);
  await endpoint.waitForRequests(refused + 1);
  assert.equal(endpoint.received().length, 10);

  const before = (await workers()).map(({ pid }) => pid);
  await pm2.commandWith({ [NAME]: 'authorization=Bearer two' }, 'reload', 'rotated', '--update-env');
  await waitFor(
    async () => (await isOnline()) && (await workers()).every(({ pid }) => !before.includes(pid)),
    'a reload',
  );
  await ask(10);
  await endpoint.waitForSpans(30, 90_000);
  const paths = endpoint.received().map(({ attributes }) => String(attributes['url.path']));
  assert.deepEqual(
    paths.map((path) => Number(path.slice(1))).sort((a, b) => a - b),
    Array.from({ length: 30 }, (_, n) => n),
  );
  assert.equal(endpoint.requests.at(-1)!.headers.authorization, 'Bearer two');
});
