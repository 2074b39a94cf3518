import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import type { LogListView } from '#src/viewer/api-types/logs.js';
import { startViewer, type Viewer } from '#src/viewer/start.js';
import { encode } from '#src/wire/encode.js';
import { LogsRequest } from '#src/wire/otlp.js';
import type { LogsData } from '#src/wire/otlp-json.js';
import { axeFindings, type Browser, launch, noChromium } from './chromium.js';
import { workerResource } from './cluster-feed.js';
import { keyValues, newSpanId, newTraceId, type Plain, send } from './otlp-feed.js';

interface FeedLog {
  atMs: number;
  severity: number;
  body: string;
  traceId?: string;
  spanId?: string;
  attributes?: Record<string, Plain>;
}

function logsData(logs: FeedLog[], resource: Record<string, Plain>): LogsData {
  const logRecords = logs.map(({ atMs, severity, body, traceId, spanId, attributes }) => ({
    timeUnixNano: `${Math.round(atMs * 1000)}000`,
    severityNumber: severity,
    body: { stringValue: body },
    attributes: keyValues(attributes),
    traceId,
    spanId,
  }));
  return {
    resourceLogs: [
      { resource: { attributes: keyValues(resource) }, scopeLogs: [{ scope: { name: 'pino' }, logRecords }] },
    ],
  };
}

describe('logs in the viewer', { skip: noChromium() }, () => {
  let viewer: Viewer;
  let browser: Browser;
  let page: Page;
  const traceId = newTraceId();
  const spanId = newSpanId();
  const now = Date.now();
  const resource = (slot: number) => workerResource({ slot, incarnation: 0, pid: 70 + slot });

  const post = async (logs: FeedLog[], slot: number, type: 'json' | 'protobuf' = 'protobuf') => {
    const data = logsData(logs, resource(slot));
    const response = await fetch(`${viewer.otlpHttpUrl}/v1/logs`, {
      method: 'POST',
      headers: { 'content-type': type === 'json' ? 'application/json' : 'application/x-protobuf' },
      body: type === 'json' ? JSON.stringify(data) : encode(data, LogsRequest),
    });
    assert.equal(response.status, 200);
  };
  const bodies = async (q: string) => {
    const response = await fetch(`${viewer.otlpHttpUrl}/api/logs?${new URLSearchParams({ q })}`);
    return ((await response.json()) as LogListView).rows.map(({ body }) => body);
  };

  before(async () => {
    viewer = await startViewer({ httpPort: 0, grpcPort: 0 });
    await send(
      viewer.otlpHttpUrl,
      [{ traceId, spanId, name: 'POST /checkout', kind: 2, startMs: now - 1000, durationMs: 100 }],
      resource(1),
    );
    await post(
      [
        { atMs: now - 950, severity: 9, body: 'cart loaded', traceId, spanId, attributes: { items: 3 } },
        { atMs: now - 920, severity: 17, body: 'card declined', traceId, spanId, attributes: { 'user.id': 'u-7' } },
      ],
      1,
    );
    await post([{ atMs: now - 500, severity: 13, body: 'pool is nearly empty' }], 2, 'json');
    browser = await launch(viewer.otlpHttpUrl);
    page = await browser.open(`${viewer.otlpHttpUrl}/logs`);
  });
  after(async () => {
    await browser.close();
    await viewer.close();
  });

  it('are filtered by level, worker, trace, attributes and words', async () => {
    for (const [q, expected] of [
      ['', ['pool is nearly empty', 'card declined', 'cart loaded']],
      ['level>=warn', ['pool is nearly empty', 'card declined']],
      ['level:error', ['card declined']],
      ['-level:error worker:1', ['cart loaded']],
      [`trace:${traceId.slice(0, 8)}`, ['card declined', 'cart loaded']],
      [`span:${spanId}`, ['card declined', 'cart loaded']],
      ['user.id=u-7', ['card declined']],
      ['declined card', ['card declined']],
      ['scope:pino service:shop pid:72', ['pool is nearly empty']],
      // Names that every object has.
      ['level:constructor', []],
      ['constructor:1', []],
    ] as const) {
      assert.deepEqual(await bodies(q), expected, q);
    }
    const malformed = await fetch(`${viewer.otlpHttpUrl}/v1/logs`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-protobuf' },
      body: 'not protobuf at all',
    });
    assert.equal(malformed.status, 400);
  });

  it('are listed live, hold still while one looks, and lead to their trace', async () => {
    const rows = page.locator('li.log');
    await rows.first().getByText('pool is nearly empty').waitFor();
    await post([{ atMs: Date.now(), severity: 9, body: 'just now' }], 1);
    await rows.first().getByText('just now').waitFor();
    const filter = page.getByRole('combobox', { name: 'Filter' });
    await filter.fill('constructor:');
    await page.locator('.foot').getByText('0 of 4 records match').waitFor();
    await filter.fill('level:error');
    await page.locator('.foot').getByText('1 of 4 records matches').waitFor();
    await rows.first().getByRole('button').click();
    await page.getByLabel('Log record', { exact: true }).getByText('u-7').waitFor();
    await post([{ atMs: Date.now(), severity: 17, body: 'worse' }], 1);
    await page.getByRole('button', { name: '1 new' }).waitFor();
    await page.getByRole('link', { name: 'Its trace' }).click();
    await page.waitForURL(new RegExp(`/traces/${traceId}\\?span=${spanId}`));
  });

  it("stand in their trace's waterfall at their time, and in the detail of their span", async () => {
    await page.goto(`${viewer.otlpHttpUrl}/traces/${traceId}`);
    const bar = page.locator('.span .bar');
    await page.locator('.log-mark.error').waitFor();
    const [mark, whole] = [(await page.locator('.log-mark.error').boundingBox())!, (await bar.boundingBox())!];
    // 80 of 100 ms.
    assert.ok(Math.abs((mark.x + mark.width / 2 - whole.x) / whole.width - 0.8) < 0.02);
    await page.getByRole('treeitem').first().click();
    await page.getByLabel('Span', { exact: true }).locator('.span-log').getByText('card declined').waitFor();
    await page.getByRole('link', { name: '2 log records' }).click();
    await page.waitForURL(/\/logs\?q=trace/);
    await page.locator('.foot').getByText('2 of 5 records match').waitFor();
  });

  it('say from when on memory has them, once older ones had to go', async () => {
    await page.goto(`${viewer.otlpHttpUrl}/logs`);
    await page.getByText('pool is nearly empty').waitFor();
    const note = page.getByRole('note').filter({ hasText: 'since' });
    assert.equal(await note.count(), 0);
    const large = 'x'.repeat(1024 * 1024);
    for (let n = 0; n < 20; n++) await post([{ atMs: now + n * 1000, severity: 9, body: large }], 2);
    await note.waitFor();
    const { sinceMs } = (await (await fetch(`${viewer.otlpHttpUrl}/api/logs`)).json()) as LogListView;
    assert.ok(sinceMs! > now, `${sinceMs! - now}`);
    assert.equal(
      await note.textContent(),
      `since ${new Date(sinceMs!).toTimeString().slice(0, 8)}: memory has no older records`,
    );
  });

  it('have no accessibility issue, and fit a phone', async () => {
    for (const width of [1280, 390]) {
      await page.setViewportSize({ width, height: 844 });
      await page.goto(`${viewer.otlpHttpUrl}/logs`);
      await page.locator('li.log').first().getByRole('button').click();
      await page.getByLabel('Log record', { exact: true }).waitFor();
      assert.ok((await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth')) <= 0);
      assert.deepEqual(await axeFindings(page), []);
    }
    assert.deepEqual(browser.offences, []);
  });
});
