import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { startViewer, type Viewer } from '#src/viewer/start.js';
import { type Browser, launch, noChromium } from './chromium.js';
import { feedCluster, requestSpans, workerResource } from './cluster-feed.js';
import { send } from './otlp-feed.js';

describe("the viewer's traces page", { skip: noChromium() }, () => {
  let viewer: Viewer;
  let browser: Browser;
  let page: Page;

  before(async () => {
    viewer = await startViewer({ httpPort: 0, grpcPort: 0 });
    await feedCluster(viewer.otlpHttpUrl);
    browser = await launch(viewer.otlpHttpUrl);
    page = await browser.open(`${viewer.otlpHttpUrl}/`);
  });
  after(async () => {
    await browser.close();
    await viewer.close();
  });

  const go = (path: string) => page.goto(`${viewer.otlpHttpUrl}${path}`);
  const rows = () => page.locator('ul[aria-label^="Traces"] > li');
  const foot = (pattern: RegExp) => page.locator('.foot [role=status]').getByText(pattern).waitFor();
  const arrive = (count: number, route = '/new') =>
    send(
      viewer.otlpHttpUrl,
      Array.from({ length: count }, (_, n) =>
        requestSpans({ startMs: Date.now() + n / 100, durationMs: 3, route }),
      ).flat(),
      workerResource({ slot: 1, incarnation: 0, pid: 4201 }),
    );

  it('holds still while a row has the focus, at 1,000 requests a second, and catches up on demand', async () => {
    await go('/traces');
    await rows().first().waitFor();
    await page.keyboard.press('j');
    const focused = () => page.evaluate<string>('document.activeElement.dataset.trace ?? ""');
    await page.waitForFunction('document.activeElement.dataset.trace !== undefined');
    const id = await focused();
    const top = await page.locator(`a[data-trace="${id}"]`).boundingBox();
    for (let n = 0; n < 10; n++) {
      await arrive(200);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    const newer = page.getByRole('button', { name: '2,000 new' });
    await newer.waitFor();
    assert.equal(await focused(), id);
    assert.deepEqual(await page.locator(`a[data-trace="${id}"]`).boundingBox(), top);
    await page.keyboard.press('j');
    await page.waitForFunction(`document.activeElement.dataset.trace !== '${id}'`);
    await newer.click();
    await rows().first().getByText('GET /new').waitFor();
    await newer.waitFor({ state: 'detached' });
  });

  it('holds still under the mouse, when scrolled, and when paused', async () => {
    await go('/traces');
    await rows().first().waitFor();
    const fresh = page.locator('.foot .newer');
    // What comes before the page has noticed is no news.
    const held = page.getByText('Held while you look');
    await rows().nth(3).hover();
    await held.waitFor();
    await arrive(1, '/under-the-mouse');
    await page.getByRole('button', { name: '1 new', exact: true }).waitFor();
    await page.mouse.move(5, 5);
    await rows().first().getByText('GET /under-the-mouse').waitFor();
    await page.locator('.rows').evaluate((box) => box.scrollTo(0, 2000));
    await held.waitFor();
    await arrive(2, '/scrolled');
    await page.getByRole('button', { name: '2 new', exact: true }).click();
    await rows().first().getByText('GET /scrolled').waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByText('Paused').waitFor();
    await arrive(3, '/paused');
    await page.getByRole('button', { name: '3 new', exact: true }).waitFor();
    await page.getByRole('button', { name: 'Resume' }).click();
    await rows().first().getByText('GET /paused').waitFor();
    assert.equal(await fresh.count(), 0);
  });

  it('pages through everything that is stored', async () => {
    await go('/traces');
    await rows().first().waitFor();
    const total = viewer.store.traces.size;
    assert.ok(total > 2000);
    await page.locator('.rows').evaluate((box) => box.scrollTo(0, box.scrollHeight));
    await page.locator(`li[aria-posinset="${total}"] a`).waitFor();
    await page.locator('.rows').evaluate((box) => box.scrollTo(0, 1200 * 36));
    await page.locator('li[aria-posinset="1210"] a').waitFor();
  });

  it('plots all that matches, as a heat map when there are many, and is brushed', async () => {
    await go('/traces');
    await rows().first().waitFor();
    const total = viewer.store.traces.size;
    const plot = page.locator('.scatter canvas');
    await page.getByRole('img', { name: new RegExp(`of ${total.toLocaleString('en')} traces`) }).waitFor();
    const box = (await plot.boundingBox())!;
    await page.mouse.move(box.x + 200, box.y + 60);
    await page.mouse.down();
    await page.mouse.move(box.x + 700, box.y + 62, { steps: 3 });
    await page.mouse.up();
    await page.waitForURL(/from=\d+&to=\d+/);
    assert.ok(!page.url().includes('duration'), 'a drag along the axis chooses time alone');
    assert.equal(await page.getByLabel('Time', { exact: true }).inputValue(), 'between');
    await foot(/ of .* match/);
    await page.getByRole('link', { name: 'Clear', exact: true }).click();
    await foot(/^[\d,.k]+ traces/);
    await page.mouse.move(box.x + 200, box.y + 20);
    await page.mouse.down();
    await page.mouse.move(box.x + 900, box.y + 90, { steps: 3 });
    await page.mouse.up();
    await page.waitForURL(/q=duration%3E%3D.*ms\+duration%3C%3D/);
  });

  it('filters with operators, keeps it in the address, and completes what is typed', async () => {
    await go('/traces');
    const filter = page.getByRole('combobox', { name: 'Filter' });
    await filter.fill('status:interr');
    await page.getByRole('option', { name: 'status:interrupted' }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(/status%3Ainterrupted/);
    await foot(/^2 of/);
    await filter.pressSequentially('rou');
    await page.getByRole('option', { name: /^route:/ }).click();
    await filter.pressSequentially('check');
    await page.getByRole('option', { name: 'route:/checkout' }).click();
    await page.waitForURL(/route%3A%2Fcheckout$/);
    await foot(/^1 of .* matches/);
    await page.reload();
    await foot(/^1 of/);
    assert.equal((await filter.inputValue()).trim(), 'status:interrupted route:/checkout');
    await filter.fill('code.fun');
    await page.getByRole('option', { name: /^code\.function\.name:/ }).click();
    await page.getByRole('option', { name: 'code.function.name:pay' }).click();
    await page.waitForURL(/code\.function\.name%3Apay/);
  });

  it('goes back and forward through filters, each as it was written, and keeps them over a reload', async () => {
    await go('/traces');
    const filter = page.getByRole('combobox', { name: 'Filter' });
    const type = async (text: string, address: RegExp) => {
      await filter.fill('');
      // Letter by letter with the pauses of somebody who thinks: each is shown, and all are one step back.
      for (const [letters, written] of [
        [text.slice(0, 8), text.slice(0, 8)],
        [text.slice(8), text],
      ] as const) {
        await filter.pressSequentially(letters);
        await page.waitForURL((url) => url.searchParams.get('q') === written);
      }
      await page.keyboard.press('Enter');
      await page.waitForURL(address);
    };
    await type('status:interrupted', /q=status%3Ainterrupted$/);
    await type('status:5xx route:/checkout', /q=status%3A5xx\+route/);
    await page.getByLabel('Time', { exact: true }).selectOption('Last 24 hours');
    await page.waitForURL(/last=86400000/);
    await page.goBack();
    await page.waitForURL(/q=status%3A5xx\+route%3A%2Fcheckout$/);
    await page.goBack();
    await page.waitForURL(/q=status%3Ainterrupted$/);
    assert.equal(await filter.inputValue(), 'status:interrupted');
    await foot(/^2 of/);
    await page.goBack();
    await page.waitForURL(/\/traces$/);
    assert.equal(await filter.inputValue(), '');
    await page.goForward();
    await page.goForward();
    await page.goForward();
    await page.waitForURL(/last=86400000/);
    await page.reload();
    assert.equal(await filter.inputValue(), 'status:5xx route:/checkout');
    assert.equal(await page.getByLabel('Time', { exact: true }).inputValue(), '86400000');
  });

  it('tells how long ago by the clock of the viewer, whatever the browser takes for the time', async () => {
    const hasty = await browser.context.newPage();
    await hasty.addInitScript('const real = Date.now; Date.now = () => real() + 3 * 86_400_000;');
    await hasty.goto(`${viewer.otlpHttpUrl}/traces`);
    await arrive(1, '/by-the-clock');
    const row = hasty.locator('.trace').filter({ hasText: 'GET /by-the-clock' });
    await row.getByText(/^(now|\d+ s ago)$/).waitFor();
    await hasty.close();
  });

  it('is written by a form, too', async () => {
    await go('/traces');
    await page.getByRole('button', { name: 'Condition…' }).click();
    await page.getByLabel('Field').selectOption('duration');
    await page.getByLabel('Operator').selectOption('>');
    await page.getByLabel('Value').fill('100ms');
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByLabel('Field').selectOption('worker');
    await page.getByLabel('Operator').selectOption(':');
    await page.getByLabel('Value').fill('2');
    await page.keyboard.press('Enter');
    await page.waitForURL(/q=duration%3E100ms\+worker%3A2/);
    await foot(/ of .* match/);
  });

  it('keeps filters by name in the browser', async () => {
    await go('/traces?q=status:5xx');
    await page.getByRole('button', { name: 'Save as…' }).click();
    await page.getByLabel('Name of this filter').fill('my failures');
    await page.keyboard.press('Enter');
    await go('/traces');
    await page.getByLabel('Saved filters').selectOption('my failures');
    await page.waitForURL(/q=status%3A5xx/);
    await page.getByRole('button', { name: 'Forget' }).click();
    await page.getByLabel('Saved filters').waitFor({ state: 'detached' });
  });

  it('keeps to the times that are picked', async () => {
    await go('/traces');
    await page.getByLabel('Time', { exact: true }).selectOption('Last minute');
    await page.waitForURL(/last=60000/);
    await page.getByLabel('Time', { exact: true }).selectOption('Between…');
    await page.getByLabel('From').fill('2020-01-01T00:00:00');
    await page.getByLabel('To').fill('2020-01-02T00:00:00');
    await page.getByText('No trace matches').waitFor();
    await page.waitForURL(/from=15778\d+&to=15779\d+/);
  });

  it('asks seldom for what takes the viewer long', async () => {
    const tookMs = 500;
    const asked: number[] = [];
    const slow = /api\/traces\?q=status/;
    await page.mouse.move(5, 5);
    await page.route(slow, async (route) => {
      asked.push(performance.now());
      await new Promise((resolve) => setTimeout(resolve, tookMs));
      await route.continue();
    });
    const arriving = setInterval(() => arrive(1), 200);
    try {
      await go('/traces?q=status%3C500');
      while (asked.length < 3) await page.waitForRequest(slow);
    } finally {
      clearInterval(arriving);
      await page.unroute(slow);
    }
    assert.ok(asked[2]! - asked[1]! >= 3 * tookMs, `${asked} ms`);
  });

  it('broke no policy, logged no error, asked nobody else', () => {
    assert.deepEqual(browser.offences, []);
  });
});
