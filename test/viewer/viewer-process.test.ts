import assert from 'node:assert/strict';
import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ClusterView } from '#src/viewer/api-types/cluster.js';
import type { LogListView } from '#src/viewer/api-types/logs.js';
import type { StateView } from '#src/viewer/api-types/state.js';
import type { ViewerOptions } from '#src/viewer/start.js';
import { type FromViewer, VIEWER_EXEC_ARGV } from '#src/viewer/viewer-messages.js';
import { encode } from '#src/wire/encode.js';
import { LogsRequest } from '#src/wire/otlp.js';
import { until } from '../coordinator/running-cluster.js';
import { keyValues, newSpanId, newTraceId, tracesRequest } from './otlp-feed.js';

const main = fileURLToPath(import.meta.resolve('#src/viewer/main.js'));

const started: ChildProcess[] = [];

async function start(options: ViewerOptions = {}) {
  const child = fork(main, [JSON.stringify({ httpPort: 0, grpcPort: 0, ...options })], { execArgv: VIEWER_EXEC_ARGV });
  started.push(child);
  const [message] = (await once(child, 'message')) as [FromViewer];
  assert.equal(message.type, 'listening');
  return { child, ...(message as Extract<FromViewer, { type: 'listening' }>) };
}

/** By `forktrace viewer`. */
async function startCommand() {
  const command = fileURLToPath(import.meta.resolve('#src/cli/main.js'));
  const child = spawn(process.execPath, [command, 'viewer', '--json', '--http-port', '0', '--grpc-port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  started.push(child);
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  return { child, otlpHttpUrl: JSON.parse(line.toString()).otlpHttpUrl as string };
}

async function exitOf(child: ChildProcess): Promise<[number | null, string | null]> {
  return (await once(child, 'exit')) as [number | null, string | null];
}

describe('the viewer process', () => {
  // A test that fails leaves none behind.
  after(() => {
    for (const child of started) child.kill('SIGKILL');
  });

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

  it('outlives the signals that its parent handles, and ends with its parent', async () => {
    const { child, otlpHttpUrl } = await start();
    const exited = exitOf(child);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) child.kill(signal);
    assert.equal((await fetch(`${otlpHttpUrl}/api/state`)).status, 200);
    child.disconnect();
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
    assert.ok(message.type === 'failed' && /set a token/.test(message.message));
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

  const ways = { 'a cluster': start, 'the command': startCommand };
  for (const [who, begin] of Object.entries(ways))
    it(`takes at most 250 MB when ${who} has started it, and it is full of spans and of logs`, {
      skip: !existsSync('/proc/self/status'),
      timeout: 120_000,
    }, async () => {
      // Counting coverage takes memory of its own.
      delete process.env.NODE_V8_COVERAGE;
      const { child, otlpHttpUrl } = await begin();
      const rss = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) * 1024;
      const headers = { 'content-type': 'application/x-protobuf' };
      const post = async (path: string, { body, places }: Marked) => {
        made++;
        for (const place of places) body.writeUInt32BE(made, place);
        assert.equal((await fetch(otlpHttpUrl + path, { method: 'POST', headers, body })).status, 200);
      };
      let made = 0;
      const spans = marked(
        tracesRequest(
          Array.from({ length: 500 }, () => ({ traceId: MARK + newTraceId().slice(8), spanId: newSpanId() })).flatMap(
            ({ traceId, spanId }, n) => [
              // Those that have failed stay longer.
              { traceId, spanId, kind: 2, name: 'GET /orders/:id', attributes: REQUEST, error: n % 50 === 0 },
              ...[1, 2, 3].map((step) => ({ traceId, parentSpanId: spanId, name: 'step', attributes: { step } })),
            ],
          ),
        ),
      );
      const logRecords = Array.from({ length: 1000 }, (_, n) => ({
        timeUnixNano: '1700000000000000000',
        severityNumber: 9,
        body: { stringValue: `order ${n} has been paid` },
        attributes: keyValues({ 'user.id': `u-${n}`, items: n, 'code.function.name': 'checkout' }),
        traceId: MARK + newTraceId().slice(8),
        spanId: newSpanId(),
      }));
      const logs = marked(encode({ resourceLogs: [{ scopeLogs: [{ logRecords }] }] }, LogsRequest));
      let most = 0;
      for (let n = 0; n < 80; n++) {
        await post('/v1/traces', spans);
        await post('/v1/logs', logs);
        most = Math.max(most, rss());
      }
      const { evictedSpans } = (await (await fetch(`${otlpHttpUrl}/api/state`)).json()) as StateView;
      assert.ok(evictedSpans > 20_000, 'it is full');
      const { held } = (await (await fetch(`${otlpHttpUrl}/api/logs`)).json()) as LogListView;
      assert.ok(held < 80_000, 'so are its logs');
      assert.ok(most <= 250e6, `${most} bytes`);
      const exited = exitOf(child);
      if (child.connected) child.disconnect();
      else child.kill('SIGTERM');
      assert.deepEqual(await exited, [0, null]);
    });
});

const REQUEST = {
  'http.request.method': 'GET',
  'http.route': '/orders/:id',
  'url.path': '/orders/1234',
  'http.response.status_code': 200,
  'server.address': 'localhost',
};

/** How the ids begin that are made new for each request: encoding each would take most of the test's time. */
const MARK = 'deadbeef';

interface Marked {
  body: Buffer<ArrayBuffer>;
  places: number[];
}

function marked(body: Buffer): Marked {
  const mark = Buffer.from(MARK, 'hex');
  const places: number[] = [];
  for (let at = body.indexOf(mark); at !== -1; at = body.indexOf(mark, at + 1)) places.push(at);
  return { body: Buffer.from(body), places };
}
