import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ClusterView, StateView } from '#src/viewer/api-types.js';
import type { ViewerOptions } from '#src/viewer/start.js';
import type { FromViewer } from '#src/viewer/viewer-messages.js';
import { until } from '../coordinator/running-cluster.js';
import { newSpanId, newTraceId, tracesRequest } from './otlp-feed.js';

const main = fileURLToPath(import.meta.resolve('#src/viewer/main.js'));

async function start(options: ViewerOptions = {}) {
  const child = fork(main, [JSON.stringify({ httpPort: 0, grpcPort: 0, ...options })]);
  const [message] = (await once(child, 'message')) as [FromViewer];
  assert.equal(message.type, 'listening');
  return { child, ...(message as Extract<FromViewer, { type: 'listening' }>) };
}

async function exitOf(child: ChildProcess): Promise<[number | null, string | null]> {
  return (await once(child, 'exit')) as [number | null, string | null];
}

describe('the viewer process', () => {
  it('says where it listens, and ends when its parent closes the channel, with a page still open', async () => {
    const { child, url, otlpHttpUrl } = await start();
    assert.equal((await fetch(url)).headers.get('content-type'), 'text/html; charset=utf-8');
    const live = await fetch(`${otlpHttpUrl}/api/live`);
    assert.equal(live.status, 200);
    const exited = exitOf(child);
    child.disconnect();
    assert.deepEqual(await exited, [0, null]);
    await live.body!.cancel().catch(() => {});
  });

  it('ends on SIGTERM, and outlives the Ctrl-C that its parent handles', async () => {
    const { child, otlpHttpUrl } = await start();
    child.kill('SIGINT');
    assert.equal((await fetch(`${otlpHttpUrl}/api/state`)).status, 200);
    const exited = exitOf(child);
    child.kill('SIGTERM');
    assert.deepEqual(await exited, [0, null]);
  });

  it('shows who is blocked as its parent tells it, and takes nothing else from it', async () => {
    const { child, otlpHttpUrl } = await start();
    const pid = process.pid;
    const resource = {
      'service.name': 'shop',
      'service.instance.id': 'a',
      'process.pid': pid,
      'host.name': hostname(),
    };
    const spans = [{ kind: 2, name: 'GET /' }];
    for (const [slot, host] of [hostname(), 'another'].entries()) {
      const body = tracesRequest(spans, { ...resource, 'host.name': host, 'cluster.worker.slot': slot });
      const headers = { 'content-type': 'application/x-protobuf' };
      await fetch(`${otlpHttpUrl}/v1/traces`, { method: 'POST', headers, body });
    }
    const states = async () => {
      const { lanes } = (await (await fetch(`${otlpHttpUrl}/api/cluster`)).json()) as ClusterView;
      return lanes.sort((a, b) => a.slot! - b.slot!).map(({ state }) => state);
    };
    const worker = { pid, sinceMs: Date.now() - 3000, state: 'runs JavaScript' };
    child.send({ type: 'blocked', workers: [worker] });
    await until('it is shown', async () => (await states())[0] === 'blocked');
    assert.equal((await states())[1], 'up', 'the same pid on another machine is another process');
    const nonsense = [null, 7, {}, { type: 'blocked' }, { type: 'blocked', workers: 7 }, { type: 'closed' }];
    const worse = [null, {}, { ...worker, pid: '1' }, { ...worker, sinceMs: null }].map((one) => [worker, one]);
    for (const message of nonsense) child.send(message as object);
    for (const workers of worse) child.send({ type: 'blocked', workers });
    child.send({ type: 'blocked', workers: [{ ...worker, state: 'waits' }] });
    await until('the last is taken', async () => {
      const { lanes } = (await (await fetch(`${otlpHttpUrl}/api/cluster`)).json()) as ClusterView;
      return lanes.some(({ blocked }) => blocked?.state === 'waits');
    });
    child.send({ type: 'blocked', workers: [] });
    await until('it goes on', async () => (await states())[0] === 'up');
    const exited = exitOf(child);
    child.disconnect();
    await exited;
  });

  it('says why it does not start', async () => {
    const child = fork(main, [JSON.stringify({ host: '0.0.0.0' })], {
      env: { ...process.env, FORKTRACE_VIEWER_TOKEN: '' },
    });
    const exited = exitOf(child);
    const [message] = (await once(child, 'message')) as [FromViewer];
    assert.ok(message.type === 'failed' && /give it a token/.test(message.message));
    assert.deepEqual(await exited, [1, null]);
  });

  it('takes spans beyond its bound at a stretch, its memory flat', {
    skip: !existsSync('/proc/self/status'),
  }, async () => {
    const maxBytes = 8 * 1024 * 1024;
    const { child, otlpHttpUrl } = await start({ limits: { maxBytes } });
    const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) * 1024;
    const state = async () => (await (await fetch(`${otlpHttpUrl}/api/state`)).json()) as StateView;
    const attributes = { 'http.request.method': 'GET', 'http.route': '/orders/:id', 'http.response.status_code': 200 };
    const batch = () => {
      const spans = [];
      for (let n = 0; n < 500; n++) {
        const traceId = newTraceId();
        const spanId = newSpanId();
        spans.push({ traceId, spanId, kind: 2, name: 'GET /orders/:id', attributes });
        for (let m = 0; m < 3; m++) spans.push({ traceId, parentSpanId: spanId, name: 'step', attributes });
      }
      return tracesRequest(spans);
    };
    const post = async (count: number) => {
      for (let n = 0; n < count; n++) {
        const response = await fetch(`${otlpHttpUrl}/v1/traces`, {
          method: 'POST',
          headers: { 'content-type': 'application/x-protobuf' },
          body: batch(),
        });
        assert.equal(response.status, 200);
      }
    };
    await post(12);
    const full = await state();
    assert.ok(full.evictedSpans > 0, 'the bound is reached');
    const before = rss();
    await post(48);
    const { received, spans, bytes, evictedSpans } = await state();
    assert.equal(received, 120_000);
    assert.equal(spans + evictedSpans, received);
    assert.ok(bytes <= maxBytes);
    // V8 collects when it likes: what must not happen is that another 96,000 spans stay: 96 MiB or more.
    assert.ok(rss() - before < 72 * 1024 * 1024, `${before} bytes, then ${rss()}`);
    const exited = exitOf(child);
    child.disconnect();
    await exited;
  });
});
