/**
 * The page on a real cluster: the example shop, one of whose workers is killed in the middle of a request.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import { startViewer, type Viewer } from '#src/viewer/start.js';
import { type Browser, launch, noChromium } from './chromium.js';

const shopFile = fileURLToPath(new URL('../../dist-examples/shop/server.js', import.meta.url));

describe("the viewer's page on the example shop", { skip: noChromium() }, () => {
  let viewer: Viewer;
  let browser: Browser;
  let page: Page;
  let shop: ChildProcess;
  let baseUrl: string;
  const journal = mkdtempSync(join(tmpdir(), 'forktrace-shop-page-'));

  before(async () => {
    viewer = await startViewer({ httpPort: 0, grpcPort: 0 });
    shop = fork(shopFile, {
      env: {
        ...process.env,
        OTEL_EXPORTER_OTLP_ENDPOINT: viewer.otlpGrpcUrl,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        FORKTRACE_JOURNAL_DIR: journal,
        SHOP_WORKERS: '2',
        PORT: '0',
      },
    });
    const [{ ready }] = (await once(shop, 'message')) as [{ ready: string }];
    baseUrl = ready;
    browser = await launch(viewer.otlpHttpUrl);
    page = await browser.open(`${viewer.otlpHttpUrl}/traces`);
  });
  after(async () => {
    await browser?.close();
    const exited = once(shop, 'exit');
    shop.disconnect();
    await exited;
    await viewer.close();
    rmSync(journal, { recursive: true, force: true });
  });

  it('shows live traces, and the failing span of one', async () => {
    const answer = await fetch(`${baseUrl}/recommendations`);
    assert.equal(answer.status, 500);
    await page.getByRole('link', { name: /GET \/recommendations/ }).click();
    await page.getByRole('treeitem').first().waitFor();
    await page.keyboard.press('e');
    const detail = page.getByLabel('Span', { exact: true });
    await detail.getByRole('link', { name: 'http.response.status_code' }).waitFor();
    await detail.getByRole('row', { name: /^http\.response\.status_code 500\b/ }).waitFor();
    await detail.getByRole('link', { name: /^slot [01]$/ }).waitFor();
  });

  it("breaks a worker's lane where it is killed, cuts its request off there, and starts its next life", async () => {
    const { slot, pid } = (await (await fetch(`${baseUrl}/`)).json()) as { slot: number; pid: number };
    await page.goto(`${viewer.otlpHttpUrl}/cluster?window=300000`);
    await page.getByText(new RegExp(`started, ready after .* \\(pid ${pid}\\)`)).waitFor();
    // The worker that gets this dies of it; which one that is, node:cluster decides.
    await assert.rejects(fetch(`${baseUrl}/crash`, { method: 'POST' }));
    const death = page.getByText(/died: SIGKILL \(pid \d+\), 1 request interrupted/);
    await death.waitFor();
    const died = /pid (\d+)/.exec((await death.textContent())!)![1];
    const lane = page.getByRole('region', { name: /^shop slot [01]$/ }).filter({ hasText: '1 ✂' });
    await lane.getByText('incarnation 1').waitFor();
    if (String(pid) === died) assert.equal(await lane.getAttribute('aria-label'), `shop slot ${slot}`);
    await page.goto(`${viewer.otlpHttpUrl}/traces?q=status:interrupted`);
    await page.getByRole('link', { name: /POST \/crash/ }).click();
    await page.locator('[role=treeitem].interrupted').first().click();
    await page.getByText('The worker died while this was running.').waitFor();
    // What the worker had finished before is there, too.
    await page.getByRole('treeitem').filter({ hasText: 'catalogue' }).first().waitFor();
    assert.deepEqual(browser.offences, []);
  });
});
