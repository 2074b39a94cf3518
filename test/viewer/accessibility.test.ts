/** Every page of the viewer, with much on it and with nothing, in both themes, wide and narrow. */
import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import type { DeathRowView } from '#src/viewer/api-types/deaths.js';
import type { TraceListView } from '#src/viewer/api-types/trace-list.js';
import { startViewer, type Viewer } from '#src/viewer/start.js';
import { oneWorker } from '../coordinator/one-worker.js';
import { until } from '../coordinator/running-cluster.js';
import { tempDir } from '../process/temp-dir.js';
import { axeFindings, type Browser, launch, noChromium } from './chromium.js';
import { feedCluster, requestSpans, workerResource } from './cluster-feed.js';
import { keyValues, send } from './otlp-feed.js';

const HEIGHT = 844;

describe('each page of the viewer has no accessibility issue, and fits the screen', { skip: noChromium() }, () => {
  let viewer: Viewer;
  let empty: Viewer;
  let browser: Browser;
  let page: Page;
  const cleanUps: (() => unknown)[] = [];

  before(async () => {
    const t = { after: (fn: () => unknown) => void cleanUps.unshift(fn) } as never;
    const dir = await tempDir(t);
    empty = await startViewer({ httpPort: 0, grpcPort: 0, journals: await tempDir(t) });
    viewer = await startViewer({ httpPort: 0, grpcPort: 0, journals: dir });
    const cluster = await oneWorker(t, dir, viewer.otlpGrpcUrl, { serviceName: 'stuck' });
    await cluster.get('/exit').catch(() => undefined);
    await feedCluster(viewer.otlpHttpUrl);
    await feedBlockedWorker();
    await feedSignals();
    await until('the death is remembered', async () => (await get<DeathRowView[]>('/api/deaths')).length > 0);
    browser = await launch(viewer.otlpHttpUrl);
    page = await browser.open(`${viewer.otlpHttpUrl}/traces`);
  });
  after(async () => {
    await browser?.close();
    for (const cleanUp of cleanUps) await cleanUp();
    await viewer?.close();
    await empty?.close();
  });

  const get = async <Answer>(path: string) => (await (await fetch(viewer.otlpHttpUrl + path)).json()) as Answer;

  async function feedBlockedWorker(): Promise<void> {
    const now = Date.now();
    const worker = { ...workerResource({ slot: 9, incarnation: 0, pid: process.pid }, 'pay'), 'host.name': hostname() };
    await send(viewer.otlpHttpUrl, requestSpans({ startMs: now - 5000, durationMs: 8 }), worker);
    viewer.blocked([{ pid: process.pid, sinceMs: now - 4000, state: 'runs JavaScript' }]);
  }

  async function feedSignals(): Promise<void> {
    const now = Date.now();
    const resource = { attributes: keyValues(workerResource({ slot: 1, incarnation: 0, pid: 4201 })) };
    const post = async (path: string, body: object) => {
      const headers = { 'content-type': 'application/json' };
      const response = await fetch(viewer.otlpHttpUrl + path, { method: 'POST', headers, body: JSON.stringify(body) });
      assert.equal(response.status, 200);
    };
    const logRecords = [1, 5, 9, 13, 17, 21].map((severityNumber) => ({
      timeUnixNano: `${now}000000`,
      severityNumber,
      body: { stringValue: `of severity ${severityNumber}` },
      attributes: keyValues({ 'user.id': 'u-7' }),
    }));
    await post('/v1/logs', { resourceLogs: [{ resource, scopeLogs: [{ scope: { name: 'pino' }, logRecords }] }] });
    const dataPoints = [20, 10, 0].map((ago) => ({ timeUnixNano: `${now - ago * 1000}000000`, asInt: `${ago + 3}` }));
    const metrics = [{ name: 'queue.length', unit: '{job}', gauge: { dataPoints } }];
    await post('/v1/metrics', { resourceMetrics: [{ resource, scopeMetrics: [{ metrics }] }] });
  }

  /** What axe finds on the page as it is, in both themes and widths. */
  async function lookAt(path: string): Promise<void> {
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: HEIGHT });
      const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
      assert.ok(wide <= 0, `${path} is ${wide} pixels too wide for ${width}`);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        // A theme changes colours and nothing else.
        const rules = colorScheme === 'dark' ? ['color-contrast'] : undefined;
        assert.deepEqual(await axeFindings(page, rules), [], `${path}, ${colorScheme}, ${width} wide`);
      }
    }
  }

  it('with much on it', { timeout: 240_000 }, async () => {
    const [failed, other] = (await get<TraceListView>('/api/traces?q=status:5xx')).rows;
    const [death] = await get<DeathRowView[]>('/api/deaths');
    const trace = `/traces/${failed!.id}`;
    for (const [path, shown] of [
      ['/traces', '.trace'],
      [trace, '[role=treeitem]'],
      [`${trace}?view=flame`, '.frame'],
      [`${trace}?view=statistics`, '.statistics'],
      [`/compare?a=${failed!.id}&b=${other!.id}`, '.compare'],
      ['/cluster?window=300000', '.state.blocked'],
      ['/routes', 'table.routes'],
      ['/map', '.map .node'],
      ['/metrics?name=queue.length', '.chart canvas'],
      ['/logs', '.log button'],
      ['/deaths', 'table.deaths'],
      [`/deaths/${death!.id}`, 'h1'],
    ] as const) {
      await page.goto(viewer.otlpHttpUrl + path);
      await page.locator(shown).first().waitFor();
      await lookAt(path);
    }
    assert.deepEqual(browser.offences, []);
  });

  it('with nothing on it, which it says on the first screen', { timeout: 120_000 }, async () => {
    for (const path of ['/traces', '/cluster', '/routes', '/map', '/metrics', '/logs', '/deaths']) {
      await page.goto(empty.otlpHttpUrl + path);
      await page.locator('.empty').waitFor();
      await lookAt(path);
      const { y, height } = (await page.locator('.empty').boundingBox())!;
      assert.ok(y + height <= HEIGHT, `${path}: at ${y}, ${height} high`);
    }
  });
});
