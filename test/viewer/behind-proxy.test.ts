import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, request as httpRequest, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { startViewer } from '#src/viewer/start.js';
import { launch, noChromium } from './chromium.js';
import { requestSpans } from './cluster-feed.js';
import { newTraceId, tracesRequest } from './otlp-feed.js';

/** A reverse proxy that serves the viewer below a path, by another name. */
async function proxyTo(target: string, takeOff: string): Promise<Server> {
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
  return proxy;
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
      closing.push(() => {
        proxy.closeAllConnections();
        proxy.close();
      });
      const origin = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
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
