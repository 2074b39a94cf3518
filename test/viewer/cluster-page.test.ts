import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import type { ClusterView } from '#src/viewer/api-types/cluster.js';
import { startViewer, type Viewer } from '#src/viewer/start.js';
import { type Browser, busyMsOf, launch, noChromium } from './chromium.js';
import { requestSpans, workerResource, workerStart } from './cluster-feed.js';
import { newTraceId, send } from './otlp-feed.js';

/** As a page shows a time of today. */
const timeOf = (ms: number) => new Date(ms).toTimeString().slice(0, 8);

describe("the viewer's cluster page", { skip: noChromium() }, () => {
  let viewer: Viewer;
  let browser: Browser;
  let page: Page;

  before(async () => {
    viewer = await startViewer({ httpPort: 0, grpcPort: 0 });
    const now = Date.now();
    const coordinator = { 'service.name': 'big', 'service.instance.id': 'c', 'host.name': 'laptop' };
    const workers = Array.from({ length: 64 }, (_, slot) => ({ slot, incarnation: 0, pid: 900 + slot }));
    await send(
      viewer.otlpHttpUrl,
      [
        ...workers.map((worker) => workerStart(worker, now - 50_000, 300)),
        {
          name: 'cluster.breaker',
          startMs: now,
          attributes: { 'cluster.breaker.state': 'open' },
        },
      ],
      coordinator,
    );
    for (const worker of workers) {
      const spans = Array.from({ length: 120 }, (_, n) =>
        requestSpans({ startMs: now - 40_000 + n * 300, durationMs: 12, status: n % 40 === 7 ? 500 : 200 }),
      ).flat();
      await send(viewer.otlpHttpUrl, spans, workerResource(worker, 'big'));
    }
    await send(
      viewer.otlpHttpUrl,
      requestSpans({ startMs: now - 1000, durationMs: 12 }),
      workerResource({ slot: 0, incarnation: 0, pid: 77 }, 'pay'),
    );
    browser = await launch(viewer.otlpHttpUrl);
    page = await browser.open(`${viewer.otlpHttpUrl}/cluster?window=300000&service=big`);
  });
  after(async () => {
    await browser.close();
    await viewer.close();
  });

  it('shows all of 64 workers on a screen of 1080 lines, and renders what is in sight of them', async () => {
    await page.setViewportSize({ width: 1920, height: 1080 });
    const last = page.getByRole('region', { name: 'big slot 63' });
    await last.waitFor();
    const box = (await last.boundingBox())!;
    assert.ok(box.y + box.height <= 1080, `the last lane ends at ${box.y + box.height}`);
    await page.getByText('64 workers running').waitFor();
    await page.setViewportSize({ width: 1280, height: 400 });
    await last.waitFor({ state: 'detached' });
    assert.ok((await page.getByRole('region').count()) < 40);
    await page.locator('main').evaluate((main) => main.scrollTo(0, 720));
    await last.waitFor();
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  it('shows all of 64 workers that die again and again', async () => {
    const now = Date.now();
    const lives = 5;
    for (let life = 0; life < lives; life++) {
      const bornAt = now - 50_000 + life * 9000;
      const workers = Array.from({ length: 64 }, (_, slot) => ({
        slot,
        incarnation: life,
        pid: 10_000 + life * 64 + slot,
      }));
      const ends = workers.map(({ slot, incarnation, pid }) => ({
        name: 'worker.exit',
        startMs: bornAt + 8000 + slot,
        error: true,
        attributes: {
          'cluster.worker.slot': slot,
          'cluster.worker.incarnation': incarnation,
          'cluster.worker.pid': pid,
          'forktrace.exit.signal': 'SIGKILL',
          'forktrace.exit.planned': false,
        },
      }));
      await send(
        viewer.otlpHttpUrl,
        [...workers.map((worker) => workerStart(worker, bornAt, 300)), ...(life < lives - 1 ? ends : [])],
        { 'service.name': 'dying', 'service.instance.id': 'd', 'host.name': 'laptop' },
      );
      for (const worker of workers) {
        const spans = Array.from({ length: 4 }, (_, n) =>
          requestSpans({ startMs: bornAt + 400 + n * 1000, durationMs: 12 }),
        ).flat();
        await send(viewer.otlpHttpUrl, spans, workerResource(worker, 'dying'));
      }
    }
    await page.setViewportSize({ width: 1920, height: 1080 });
    await page.goto(`${viewer.otlpHttpUrl}/cluster?window=300000&service=dying`);
    const last = page.getByRole('region', { name: 'dying slot 63' });
    await last.waitFor();
    assert.equal(await page.getByRole('region', { name: /^dying slot/ }).count(), 64);
    const box = (await last.boundingBox())!;
    assert.ok(box.y + box.height <= 1080, `the last lane ends at ${box.y + box.height}`);
    await page.getByText('64 workers running').waitFor();
    await page.getByText(`${64 * (lives - 1)} deaths`).waitFor();
    await last.getByTitle(`dying slot 63, incarnation ${lives - 1}, pid ${10_000 + 64 * lives - 1}, running`).waitFor();
    await page.setViewportSize({ width: 1280, height: 400 });
    await last.waitFor({ state: 'detached' });
    assert.ok((await page.getByRole('region').count()) < 40);
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.goto(`${viewer.otlpHttpUrl}/cluster?window=300000&service=big`);
  });

  it('says since when it knows, when that is in view', async () => {
    const { lanes } = (await (await fetch(`${viewer.otlpHttpUrl}/api/cluster?service=big`)).json()) as ClusterView;
    const first = Math.min(...lanes.flatMap(({ incarnations }) => incarnations.map(({ startMs }) => startMs!)));
    const note = page.getByRole('note').filter({ hasText: 'since' });
    assert.equal(await note.textContent(), `since ${timeOf(first)}: the viewer has nothing older`);
    await page.goto(`${viewer.otlpHttpUrl}/cluster?window=15000&service=big`);
    await page.getByRole('region', { name: 'big slot 3', exact: true }).waitFor();
    assert.equal(await note.count(), 0);
    await page.goto(`${viewer.otlpHttpUrl}/cluster?window=300000&service=big`);
    await page.getByRole('region', { name: 'big slot 3', exact: true }).waitFor();
  });

  it('says that the breaker is open', async () => {
    await page.getByText('big: crash loop, the breaker is open').waitFor();
  });

  it('shows one service when it is asked for', async () => {
    await page.getByLabel('Service').selectOption('pay');
    await page.getByRole('region', { name: 'pay slot 0' }).waitFor();
    await page.getByText('1 worker running').waitFor();
    assert.equal(await page.getByRole('region').count(), 1);
    await page.reload();
    await page.getByRole('region', { name: 'pay slot 0' }).waitFor();
    assert.equal(await page.getByLabel('Service').inputValue(), 'pay');
  });

  it('holds still by the space bar and by a button', async () => {
    await page.goto(`${viewer.otlpHttpUrl}/cluster?window=15000&service=pay`);
    await page.getByRole('region', { name: 'pay slot 0' }).waitFor();
    const asked = (held: boolean) =>
      page.waitForRequest((request) => /api\/cluster/.test(request.url()) && /[?&]to=\d/.test(request.url()) === held);
    for (const press of [
      () => page.keyboard.press(' '),
      () => page.getByRole('button', { name: /^(Pause|Resume)$/ }).click(),
    ]) {
      for (const held of [true, false]) {
        const request = asked(held);
        await press();
        await page.getByRole('button', { name: held ? 'Resume' : 'Pause', pressed: held }).waitFor();
        await request;
      }
      await page.locator('h1').click();
    }
  });

  it('leads from a stretch of a busy lane to its traces', async () => {
    await page.goto(`${viewer.otlpHttpUrl}/cluster?window=300000&service=big`);
    const lane = page.getByRole('region', { name: 'big slot 3', exact: true });
    await lane.waitFor();
    await lane.getByRole('application').focus();
    await page.keyboard.press('e');
    await lane.locator('.tip').getByText('1 error').waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/traces\?q=service%3Dbig\+worker%3A3&from=\d+&to=\d+/);
    await page.locator('.trace.error').waitFor();
  });

  it('shows times of the browser or UTC, and the day when it is not today', async () => {
    const traceId = newTraceId();
    const startMs = Date.UTC(2026, 0, 2, 23, 4, 5, 678);
    await send(viewer.otlpHttpUrl, [{ traceId, name: 'of that night', startMs }]);
    const session = await page.context().newCDPSession(page);
    await session.send('Emulation.setTimezoneOverride', { timezoneId: 'Asia/Kolkata' });
    await page.goto(`${viewer.otlpHttpUrl}/traces/${traceId}`);
    await page.getByText('2026-01-03 04:34:05.678', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Times: local' }).click();
    await page.getByText('2026-01-02 23:04:05.678', { exact: true }).waitFor();
    await page.reload();
    await page.getByText('2026-01-02 23:04:05.678', { exact: true }).waitFor();
    await page.getByText('1 span', { exact: true }).waitFor();
    await page.getByRole('button', { name: 'Times: UTC' }).click();
    await session.detach();
  });

  it('costs at most one percent of a processor while nothing happens', async () => {
    await page.goto(`${viewer.otlpHttpUrl}/traces`);
    await page.locator('.trace').first().waitFor();
    // Of all that the page does, its animations included: seconds of work within five.
    const busy = (await busyMsOf(page, () => new Promise((resolve) => setTimeout(resolve, 5000)))) / 5000;
    assert.ok(busy <= 0.01, `${(busy * 100).toFixed(2)} %`);
  });

  it('broke no policy, logged no error, asked nobody else', () => {
    assert.deepEqual(browser.offences, []);
  });
});
