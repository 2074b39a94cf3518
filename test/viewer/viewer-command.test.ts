import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { requestSpans, workerResource } from './cluster-feed.js';
import { send } from './otlp-feed.js';

const command = fileURLToPath(import.meta.resolve('#src/cli/main.js'));

describe('forktrace viewer --text', () => {
  it('prints where it listens and each trace as a tree, and ends on Ctrl-C', async () => {
    const ports = ['--http-port', '0', '--grpc-port', '0'];
    const child = spawn(process.execPath, [command, 'viewer', '--text', '--filter', 'route:/checkout', ...ports], {
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NO_COLOR: '1' },
    });
    let printed = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      printed += text;
    });
    const until = async (pattern: RegExp) => {
      while (!pattern.test(printed)) await once(child.stdout, 'data', { signal: AbortSignal.timeout(20_000) });
      return pattern.exec(printed)!;
    };
    await until(/traces at /);
    const [, otlpHttpUrl] = await until(/and (http:\/\/127\.0\.0\.1:\d+) \(HTTP\)/);
    await until(/OTEL_EXPORTER_OTLP_ENDPOINT=http/);
    // Within a second on a machine that has nothing else to do.
    if (process.platform === 'linux') {
      const times = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ').slice(11, 13);
      const workedMs = times.reduce((sum, ticks) => sum + Number(ticks) * 10, 0);
      assert.ok(workedMs <= 1000, `${workedMs} ms`);
    }
    const resource = workerResource({ slot: 1, incarnation: 0, pid: 42 });
    await send(otlpHttpUrl!, requestSpans({ startMs: Date.now(), durationMs: 4, route: '/not-wanted' }), resource);
    const spans = requestSpans({
      startMs: Date.now(),
      durationMs: 40,
      method: 'POST',
      route: '/checkout',
      steps: ['pay'],
    });
    await send(otlpHttpUrl!, spans, resource);
    await until(/POST \/checkout .*shop · slot 1 · p.*\n└─ pay /);
    assert.doesNotMatch(printed, /not-wanted/);
    const exited = once(child, 'exit');
    child.kill('SIGINT');
    assert.deepEqual(await exited, [0, null]);
  });

  it('with --json prints its addresses, and each trace as OTLP/JSON', async () => {
    const args = ['viewer', '--json', '--filter', 'route:/checkout', '--http-port', '0', '--grpc-port', '0'];
    const child = spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    const next = async () => JSON.parse((await lines.next()).value);
    const { url, otlpGrpcUrl, otlpHttpUrl } = await next();
    assert.match(otlpGrpcUrl, /^http:\/\/127\.0\.0\.1:\d+$/);
    assert.equal(url, `${otlpHttpUrl}/`);
    const resource = workerResource({ slot: 1, incarnation: 0, pid: 42 });
    for (const route of ['/not-wanted', '/checkout']) {
      await send(otlpHttpUrl, requestSpans({ startMs: Date.now(), durationMs: 4, route, steps: ['pay'] }), resource);
    }
    const { resourceSpans } = await next();
    const names = resourceSpans[0].scopeSpans[0].spans.map(({ name }: { name: string }) => name);
    assert.deepEqual(names, ['GET /checkout', 'pay']);
    child.kill('SIGTERM');
    assert.equal((await lines.next()).done, true);
  });
});
