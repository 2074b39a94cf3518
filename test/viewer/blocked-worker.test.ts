import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningCluster } from '../coordinator/running-cluster.js';
import { launch, noChromium } from './chromium.js';

test('a worker that is blocked is shown so in its lane and no longer than that', { skip: noChromium() }, async (t) => {
  const cluster = await RunningCluster.ready(t, {
    workers: 1,
    pipeline: 'journal',
    export: { to: 'viewer' },
    viewer: { httpPort: 0, grpcPort: 0 },
    supervise: { heartbeatTimeoutMs: 60_000, backoffMinMs: 20 },
  });
  const [url] = /http:\/\/127\.0\.0\.1:\d+\//.exec(cluster.output) ?? [];
  assert.ok(url, cluster.output);
  const browser = await launch(new URL(url).origin);
  t.after(() => browser.close());
  const page = await browser.open(`${url}cluster`);
  await page.getByRole('img', { name: 'running' }).waitFor();
  const { pid } = await cluster.get();
  const cut = cluster.get('/block?ms=100000').catch(() => 'cut off');
  const lane = page.getByRole('region', { name: /slot 0$/ });
  // No span comes meanwhile: it is told, not asked for.
  await lane.getByText(/blocked [\d.]+ m?s: runs JavaScript/).waitFor();
  await lane.getByRole('img', { name: 'its event loop is blocked: runs JavaScript' }).waitFor();
  await page.getByText('1 worker running').waitFor();
  process.kill(pid, 'SIGKILL');
  assert.equal(await cut, 'cut off');
  await lane.getByText(/incarnation 1/).waitFor();
  assert.equal(await lane.getByText(/blocked/).count(), 0);
  assert.deepEqual(browser.offences, []);
});
