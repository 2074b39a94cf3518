import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { startViewer, type Viewer } from '#src/viewer/start.js';
import { oneWorker } from '../coordinator/one-worker.js';
import { until } from '../coordinator/running-cluster.js';
import { tempDir } from '../process/temp-dir.js';
import { axeFindings, type Browser, launch, noChromium } from './chromium.js';

describe("the viewer's page of a death", { skip: noChromium() }, () => {
  let viewer: Viewer;
  let browser: Browser;
  const cleanUps: (() => unknown)[] = [];

  before(async () => {
    const t = { after: (fn: () => unknown) => void cleanUps.unshift(fn) } as never;
    const dir = await tempDir(t);
    viewer = await startViewer({ httpPort: 0, grpcPort: 0, journals: dir });
    const cluster = await oneWorker(t, dir, viewer.otlpGrpcUrl);
    const patient = cluster.get('/patient').catch(() => undefined);
    await until('the other request is in flight', () => cluster.lines.some(({ arrived }) => arrived === 'patient'));
    await Promise.all([patient, cluster.get('/exit').catch(() => undefined)]);
    await until('the viewer has both', () => viewer.store.traces.size >= 3);
    browser = await launch(viewer.otlpHttpUrl);
  });
  after(async () => {
    await browser?.close();
    for (const cleanUp of cleanUps) await cleanUp();
    await viewer?.close();
  });

  it('is linked from what happened, and says why: cause, line, culprit, last minute', async () => {
    const page = await browser.open(`${viewer.otlpHttpUrl}/cluster?window=300000`);
    await page.getByRole('link', { name: 'why', exact: true }).first().click();
    await page.getByRole('heading', { name: /shop: the worker in slot 0, pid \d+, died/ }).waitFor();
    const main = await page.locator('main').textContent();
    assert.match(main!, /exit code 7/);
    assert.match(main!, /It called process\.exit\./);
    assert.match(main!, /stuck-cluster\.js:\d+/);
    assert.match(main!, /culprit\s*GET \/exit/);
    assert.match(main!, /victim\s*GET \/patient/);
    assert.match(main!, /last minute/i);
    assert.match(new URL(page.url()).pathname, /^\/deaths\/[0-9a-f]{12}$/);
    assert.deepEqual(await axeFindings(page), []);
  });

  it('is counted beside the name of its page until the list has been looked at, on whatever tab', async () => {
    const [one, other] = [await browser.open(viewer.otlpHttpUrl), await browser.open(viewer.otlpHttpUrl)];
    const link = (page: Page) => page.getByRole('navigation').getByRole('link', { name: /^Deaths/ });
    const says = (page: Page, words: RegExp) => link(page).filter({ hasText: words }).waitFor();
    await says(one, /^Deaths1 new$/);
    await says(other, /^Deaths1 new$/);
    await one.keyboard.press('7');
    await one.locator('table.deaths').waitFor();
    await says(one, /^Deaths$/);
    await says(other, /^Deaths$/);
    await other.reload();
    await says(other, /^Deaths$/);
    await link(other).click();
    await other.locator('table.deaths a').first().click();
    await other.waitForURL(/\/deaths\/[0-9a-f]{12}$/);
    assert.equal(await link(other).getAttribute('aria-current'), 'page');
    for (const page of [one, other]) await page.close();
  });

  it('is linked from the interrupted span, and listed', async () => {
    const page = await browser.open(`${viewer.otlpHttpUrl}/deaths`);
    await page.getByRole('cell', { name: 'GET /exit' }).waitFor();
    await page.locator('table.deaths a').first().click();
    await page.getByRole('link', { name: /GET \/exit/ }).click();
    await page.getByRole('link', { name: 'Why it died' }).click();
    await page.getByText('It called process.exit.').waitFor();
  });

  it('fits a phone', async () => {
    const page = await browser.open(`${viewer.otlpHttpUrl}/deaths`);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.locator('table.deaths a').first().click();
    await page.getByText('It called process.exit.').waitFor();
    // A string: the compiler knows no document here.
    const wide = await page.evaluate<string[]>(`[...document.querySelectorAll('main *')]
      .filter((one) => one.getBoundingClientRect().right > innerWidth && !one.closest('pre > *'))
      .map((one) => one.tagName + '.' + one.getAttribute('class') + ' ' + one.getBoundingClientRect().right)`);
    assert.deepEqual(wide, []);
    assert.equal(await page.evaluate('document.documentElement.scrollWidth'), 390);
    const left = await page.evaluate<number>(`document.querySelector('main h1').getBoundingClientRect().left`);
    assert.ok(left >= 8, `the text begins ${left} px from the edge`);
    const end = page.locator('.death > :last-child');
    await end.scrollIntoViewIfNeeded();
    const { y, height } = (await end.boundingBox())!;
    assert.ok(y + height <= 844, `it scrolls to its end: ${y + height}`);
  });

  it('one that is not remembered says where to look; other ids are no page of a death', async () => {
    const page = await browser.open(`${viewer.otlpHttpUrl}/deaths/0123456789ab`);
    await page.getByText('Not remembered here').waitFor();
    for (const path of ['/api/deaths/0123456789ab', '/api/deaths/..%2f..%2fetc', '/api/deaths/a/b'])
      assert.equal((await fetch(viewer.otlpHttpUrl + path)).status, 404, path);
  });
});
