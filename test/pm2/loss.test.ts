import assert from 'node:assert/strict';
import { get } from 'node:http';
import { test } from 'node:test';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { isAlive } from '../process/alive.js';
import { freePort } from '../process/free-port.js';
import { fixture } from '../process/run-program.js';
import { waitFor } from '../process/wait-for.js';
import { RealPm2 } from './real-pm2.js';

function ask(port: number, path = '/'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    get({ port, host: '127.0.0.1', path, agent: false }, (response) => {
      response.resume().on('end', resolve).on('error', reject);
    }).on('error', reject);
  });
}

/** What happens to the two workers after 100 requests, and how many of them are new afterwards. */
const rows: Record<string, (pm2: RealPm2, pids: number[]) => Promise<unknown>> = {
  stop: (pm2) => pm2.command('stop', 'app'),
  restart: (pm2) => pm2.command('restart', 'app'),
  delete: (pm2) => pm2.command('delete', 'app'),
  'SIGKILL of one worker': async (_, [pid]) => process.kill(pid!, 'SIGKILL'),
  'SIGKILL of the daemon': async (pm2) => process.kill(pm2.daemonPid, 'SIGKILL'),
};

for (const [row, happen] of Object.entries(rows)) {
  test(`pm2, ${row}: every ended span is delivered, and a request in flight is finished or interrupted`, async (t) => {
    const endpoint = await OtlpEndpoint.start(t);
    const pm2 = await RealPm2.start(t);
    const port = await freePort();
    const tracing = {
      serviceName: 'under-pm2',
      journal: { dir: pm2.home },
      listen: { port, host: '127.0.0.1' },
      export: { to: 'otlp-grpc', url: endpoint.grpcUrl },
    };
    const env = { TRACING_CONFIG: JSON.stringify(tracing) };
    // kill_timeout is pm2's own default: 1,600 ms.
    const app = { name: 'app', script: fixture('pm2-app'), instances: 2, exec_mode: 'cluster', wait_ready: true, env };
    await pm2.startEcosystem({ apps: [{ ...app, listen_timeout: 30_000 }] });
    const pids = (await pm2.list()).map(({ pid }) => pid);
    for (let i = 0; i < 100; i++) await ask(port);
    // 5 seconds: longer than the deadline that pm2 leaves.
    const slow = ask(port, '/slow').then(
      () => 'answered',
      () => 'cut off',
    );
    // The child span of the slow one has ended: it has reached a worker.
    await endpoint.waitForSpans(201);
    await happen(pm2, pids);
    const gone = row === 'SIGKILL of one worker' ? pids.slice(0, 1) : pids;
    await waitFor(() => gone.every((pid) => !isAlive(pid)), 'the end of the workers');
    if (row === 'SIGKILL of one worker')
      await waitFor(async () => (await pm2.list()).every(({ pid }) => pid > 0), 'two workers');
    await slow;
    // 100 requests with a child each, and the slow one with its child.
    const spans = await endpoint.waitForSpans(202);
    assert.equal(spans.length, 202);
    const servers = spans.filter(({ name }) => name !== 'work');
    assert.equal(servers.filter(({ attributes }) => attributes['url.path'] === '/').length, 100);
    const [last] = servers.filter(({ attributes }) => attributes['url.path'] === '/slow');
    const interrupted = last!.attributes['forktrace.interrupted'] === true;
    assert.equal(interrupted, (await slow) === 'cut off');
  });
}
