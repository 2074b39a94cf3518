import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunningCluster, until } from './running-cluster.js';

test('in development the viewer runs beside the cluster, receives its spans, and ends with it', async (t) => {
  const cluster = await RunningCluster.ready(t, {
    workers: 1,
    pipeline: 'batch',
    export: { to: 'viewer' },
    viewer: { httpPort: 0, grpcPort: 0 },
  });
  const [url] = /http:\/\/127\.0\.0\.1:\d+\//.exec(cluster.output) ?? [];
  assert.ok(url, cluster.output);
  assert.equal((await cluster.stats()).viewerUrl, url);
  await cluster.get('/');
  await until('the viewer answers', async () => (await fetch(new URL('/api/state', url))).ok);
  cluster.process.kill('SIGTERM');
  assert.deepEqual(await cluster.end(), { code: null, signal: 'SIGTERM' });
  await assert.rejects(fetch(url), 'nobody listens there any more');
});

test('a viewer that dies is said, and the cluster serves on', async (t) => {
  const cluster = await RunningCluster.ready(t, {
    workers: 1,
    pipeline: 'batch',
    export: { to: 'viewer' },
    viewer: { httpPort: 0, grpcPort: 0 },
  });
  const [child] = await cluster.children('viewer/main.js');
  process.kill(child!, 'SIGKILL');
  await until('it is said', () => /FORKTRACE_VIEWER_FAILED/.test(cluster.output));
  await cluster.get();
  cluster.process.kill('SIGTERM');
  assert.deepEqual(await cluster.end(), { code: null, signal: 'SIGTERM' });
});

test('a signal to the whole process group ends the viewer after the cluster, which says nothing of it', async (t) => {
  const cluster = await RunningCluster.ready(t, {
    workers: 1,
    export: { to: 'viewer' },
    viewer: { httpPort: 0, grpcPort: 0 },
  });
  await cluster.get('/');
  process.kill(-cluster.process.pid!, 'SIGTERM');
  assert.deepEqual(await cluster.end(), { code: null, signal: 'SIGTERM' });
  assert.doesNotMatch(cluster.output, /FORKTRACE_(VIEWER_FAILED|EXPORT_FAILED)/);
});
