import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { startViewer } from '#src/viewer/start.js';
import { findProgram } from '../backends/find-program.js';
import { freePort } from '../process/free-port.js';
import { waitFor } from '../process/wait-for.js';
import { launch, noChromium } from './chromium.js';
import { requestSpans } from './cluster-feed.js';
import { newTraceId, tracesRequest } from './otlp-feed.js';

interface Proxy {
  origin: string;
  close(): unknown;
}

/** A reverse proxy that serves the viewer below a path, by another name: nginx where it is installed. */
function proxyTo(target: string, takeOff: string): Promise<Proxy> {
  const nginx = findProgram('nginx');
  return nginx === undefined ? ownProxy(target, takeOff) : nginxTo(nginx, target, takeOff);
}

async function nginxTo(program: string, target: string, takeOff: string): Promise<Proxy> {
  const dir = mkdtempSync(join(tmpdir(), 'forktrace-nginx-'));
  const port = await freePort();
  const temp = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${dir}/${name};`);
  writeFileSync(
    join(dir, 'config'),
    `daemon off; master_process off; pid ${dir}/pid; events {}
    http { access_log off; ${temp.join(' ')}
      server { listen 127.0.0.1:${port};
        location ${takeOff || '/ops/viewer'}/ { proxy_pass ${target}${takeOff && '/'}; proxy_set_header Host traces.example; }
      } }`,
  );
  const child = spawn(program, ['-c', join(dir, 'config'), '-e', join(dir, 'errors')], { stdio: 'ignore' });
  const origin = `http://127.0.0.1:${port}`;
  await waitFor(() => fetch(origin).then(Boolean, () => false), 'nginx listens');
  return {
    origin,
    async close() {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

async function ownProxy(target: string, takeOff: string): Promise<Proxy> {
  const proxy = createServer((request, response) => {
    const path = request.url!.startsWith(takeOff) ? request.url!.slice(takeOff.length) || '/' : request.url!;
    const headers = { ...request.headers, host: 'traces.example' };
    const forwarded = httpRequest(target + path, { method: request.method, headers }, (answer) => {
      response.writeHead(answer.statusCode!, answer.headers);
      answer.pipe(response);
    });
    forwarded.on('error', () => response.destroy());
    response.on('close', () => forwarded.destroy());
    request.pipe(forwarded);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  return {
    origin: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    close() {
      proxy.closeAllConnections();
      proxy.close();
    },
  };
}

describe('the viewer behind a reverse proxy', { skip: noChromium() }, () => {
  const closing: (() => unknown)[] = [];
  after(async () => {
    for (const close of closing.reverse()) await close();
  });

  for (const [how, takeOff] of [
    ['that takes its path off', '/ops/viewer'],
    ['that leaves its path on', ''],
  ] as const) {
    it(`serves page, links and live events ${how}, to who has the token`, async () => {
      const viewer = await startViewer({ httpPort: 0, grpcPort: 0, token: 'secret', prefix: '/ops/viewer/' });
      closing.push(() => viewer.close());
      const proxy = await proxyTo(viewer.otlpHttpUrl, takeOff);
      closing.push(() => proxy.close());
      const { origin } = proxy;
      assert.equal((await fetch(`${origin}/ops/viewer/`)).status, 401);
      const browser = await launch(origin);
      closing.push(() => browser.close());
      const page = await browser.open(`${origin}/ops/viewer/?token=secret`);
      await page.getByText('Waiting for traces').waitFor();
      assert.equal(page.url(), `${origin}/ops/viewer/`);
      const traceId = newTraceId();
      const response = await fetch(`${origin}/ops/viewer/v1/traces`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-protobuf', authorization: 'Bearer secret' },
        body: tracesRequest(
          requestSpans({ startMs: Date.now(), durationMs: 5, route: '/x' }).map((span) => ({ ...span, traceId })),
        ),
      });
      assert.equal(response.status, 200);
      const link = page.getByRole('link', { name: /GET \/x/ });
      assert.equal(await link.getAttribute('href'), `/ops/viewer/traces/${traceId}`);
      await link.click();
      await page.getByRole('treeitem').first().waitFor();
      assert.equal(page.url(), `${origin}/ops/viewer/traces/${traceId}`);
      await page.reload();
      await page.getByRole('treeitem').first().click();
      await page.waitForURL(/\/ops\/viewer\/traces\/.*\?span=/);
      await page.getByRole('link', { name: 'Cluster' }).click();
      await page.getByRole('heading', { name: 'Cluster' }).waitFor();
      assert.deepEqual(browser.offences, []);
    });
  }
});
