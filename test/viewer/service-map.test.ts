import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import type { ServiceMapView } from '#src/viewer/api-types/service-map.js';
import { startViewer, type Viewer } from '#src/viewer/start.js';
import { axeFindings, type Browser, launch, noChromium } from './chromium.js';
import { workerResource } from './cluster-feed.js';
import { type FeedSpan, newSpanId, newTraceId, type Plain, send } from './otlp-feed.js';

const SERVER = 2;
const CLIENT = 3;
const PRODUCER = 4;
const CONSUMER = 5;

describe("the viewer's service map", { skip: noChromium() }, () => {
  let viewer: Viewer;
  let browser: Browser;
  let page: Page;
  const now = Date.now();

  before(async () => {
    viewer = await startViewer({ httpPort: 0, grpcPort: 0 });
    for (let n = 0; n < 20; n++) await checkout(now - 10_000 + n * 500, n % 5 === 4);
    browser = await launch(viewer.otlpHttpUrl);
    page = await browser.open(`${viewer.otlpHttpUrl}/map`);
  });
  after(async () => {
    await browser.close();
    await viewer.close();
  });

  /** shop asks pay, a database by both generations of names, a service that is not traced, and a queue. */
  async function checkout(startMs: number, fails: boolean): Promise<void> {
    const traceId = newTraceId();
    const root = newSpanId();
    const asked = newSpanId();
    const call = (name: string, kind: number, attributes: Record<string, Plain>, more: Partial<FeedSpan> = {}) => ({
      traceId,
      spanId: newSpanId(),
      parentSpanId: root,
      name,
      kind,
      startMs: startMs + 1,
      durationMs: 4,
      attributes,
      ...more,
    });
    const shop = workerResource({ slot: Number(fails), incarnation: 0, pid: 10 + Number(fails) });
    await send(
      viewer.otlpHttpUrl,
      [
        call('POST /checkout', SERVER, {}, { spanId: root, parentSpanId: '', durationMs: 40 }),
        call('POST', CLIENT, { 'server.address': 'pay.local' }, { spanId: asked, durationMs: 20 }),
        call('SELECT', CLIENT, { 'db.system.name': 'postgresql', 'db.namespace': 'orders' }),
        call('GET', CLIENT, { 'db.system': 'redis', 'net.peer.name': 'cache' }),
        call('GET', CLIENT, { 'server.address': 'maps.example', 'server.port': 443 }, { error: fails }),
        call('mail', CLIENT, { 'peer.service': 'mailer' }),
        call('send', PRODUCER, { 'messaging.system': 'kafka', 'messaging.destination.name': 'mails' }),
        // Within the service: no call.
        call('inner', 1, {}),
      ],
      shop,
    );
    await send(
      viewer.otlpHttpUrl,
      [call('POST /pay', SERVER, {}, { parentSpanId: asked, durationMs: 15, error: fails })],
      workerResource({ slot: 0, incarnation: 0, pid: 30 }, 'pay'),
    );
    await send(
      viewer.otlpHttpUrl,
      [call('process', CONSUMER, { 'messaging.system': 'kafka', 'messaging.destination.name': 'mails' })],
      { 'service.name': 'postman' },
    );
  }

  it('finds services, databases, queues and what is not traced, with rate, errors and latency', async () => {
    const map = (await (await fetch(`${viewer.otlpHttpUrl}/api/map`)).json()) as ServiceMapView;
    const calls = map.calls.map(({ from, to, calls: times, errors }) => `${from} > ${to} ${times} ${errors}`).sort();
    assert.deepEqual(calls, [
      'queue kafka mails > service postman 20 0',
      'service shop > database postgresql orders 20 0',
      'service shop > database redis cache 20 0',
      'service shop > external mailer 20 0',
      'service shop > external maps.example:443 20 4',
      'service shop > queue kafka mails 20 0',
      'service shop > service pay 20 4',
    ]);
    const node = (id: string) => map.nodes.find((one) => one.id === id)!;
    assert.equal(map.nodes.length, 8);
    assert.deepEqual([node('service shop').processes, node('service shop').calls], [2, 20]);
    assert.equal(Math.round(node('service shop').p50Ms), 40);
    assert.deepEqual([node('service pay').errors, node('service pay').calls], [4, 20]);
    assert.ok(Math.abs(node('service shop').rate - 2.1) < 0.2, `${node('service shop').rate}`);
    // As its caller measured it.
    assert.equal(Math.round(map.calls.find(({ to }) => to === 'service pay')!.p50Ms), 20);
  });

  it('is drawn, and leads from a call to its traces', async () => {
    const map = page.getByRole('region', { name: 'Map of the services' });
    await map.getByRole('button', { name: /postgresql orders/ }).waitFor();
    assert.equal(await map.getByRole('button').count(), 8);
    // Callers stand to the left of what they call.
    const left = async (name: RegExp) => (await map.getByRole('button', { name }).boundingBox())!.x;
    assert.ok((await left(/shop/)) < (await left(/pay/)));
    assert.ok((await left(/kafka mails/)) < (await left(/postman/)));
    await map.getByRole('button', { name: /service pay/ }).click();
    await page.getByRole('heading', { name: 'Calls of and to pay' }).waitFor();
    assert.equal(await page.locator('.map-calls tbody tr').count(), 1);
    assert.match((await page.getByRole('link', { name: 'Its workers' }).getAttribute('href'))!, /service=pay$/);
    await page.getByRole('button', { name: 'All calls' }).click();
    await page.getByRole('link', { name: 'shop → maps.example:443' }).click();
    await page.waitForURL(/\/traces\?q=service%3Dshop/);
    await page.locator('.foot').getByText('20 traces').waitFor();
    await page.keyboard.press('4');
    await map.waitFor();
  });

  it('has no accessibility issue, and fits a phone', async () => {
    for (const viewport of [
      { width: 1280, height: 800 },
      { width: 390, height: 844 },
    ]) {
      await page.setViewportSize(viewport);
      await page.getByRole('button', { name: /kafka mails/ }).waitFor();
      assert.deepEqual(await axeFindings(page), []);
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      assert.ok(wide <= 0, `${wide} pixels too wide`);
    }
  });

  it('broke no policy, logged no error, asked nobody else', () => {
    assert.deepEqual(browser.offences, []);
  });
});
