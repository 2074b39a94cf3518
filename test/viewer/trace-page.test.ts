import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import type { Page } from 'playwright-core';
import { startViewer, type Viewer } from '#src/viewer/start.js';
import type { TracesData } from '#src/wire/otlp-json.js';
import { axeFindings, type Browser, launch, noChromium } from './chromium.js';
import { workerResource } from './cluster-feed.js';
import { type FeedSpan, newSpanId, newTraceId, send } from './otlp-feed.js';

describe("the viewer's page of a trace", { skip: noChromium() }, () => {
  let viewer: Viewer;
  let browser: Browser;
  let page: Page;
  const traceId = newTraceId();
  const other = newTraceId();
  const ids = Object.fromEntries(['root', 'pay', 'query', 'send', 'block'].map((name) => [name, newSpanId()]));
  const startMs = Date.now() - 5000;
  const sql = 'SELECT id, name FROM orders LEFT JOIN items ON items.o = orders.id WHERE id = 7 AND open ORDER BY name';

  const story = (id: string, names: Record<string, string>, extraMs = 0): FeedSpan[] => [
    {
      traceId: id,
      spanId: names.root,
      name: 'POST /checkout',
      kind: 2,
      startMs,
      durationMs: 100 + extraMs,
      attributes: { 'http.route': '/checkout', 'http.request.method': 'POST', 'http.response.status_code': 200 },
    },
    {
      traceId: id,
      spanId: names.pay,
      parentSpanId: names.root,
      name: 'pay',
      startMs: startMs + 10,
      durationMs: 60 + extraMs,
    },
    {
      traceId: id,
      spanId: names.query,
      parentSpanId: names.pay,
      name: 'SELECT orders',
      kind: 3,
      startMs: startMs + 20,
      durationMs: 30,
      attributes: { 'db.query.text': sql, 'db.parameters': '{"id":7,"deep":{"a":[1,2]}}', long: 'x'.repeat(900) },
    },
  ];

  before(async () => {
    viewer = await startViewer({ httpPort: 0, grpcPort: 0 });
    const resource = workerResource({ slot: 1, incarnation: 0, pid: 77 });
    await send(
      viewer.otlpHttpUrl,
      [
        ...story(traceId, ids),
        {
          traceId,
          spanId: ids.send,
          parentSpanId: ids.root,
          name: 'queue publish',
          kind: 4,
          startMs: startMs + 75,
          durationMs: 10,
          links: [{ traceId: other, spanId: '00000000000000aa' }],
        },
        {
          traceId,
          spanId: ids.block,
          parentSpanId: ids.pay,
          name: 'event loop blocked',
          startMs: startMs + 52,
          durationMs: 15,
          attributes: { 'code.stacktrace': 'at digest (/shop/hash.js:4:7)\nat pay (/shop/pay.js:12:9)' },
          events: [{ name: 'a moment', atMs: startMs + 55, attributes: { note: 'here' } }],
        },
      ],
      resource,
    );
    const second = Object.fromEntries(['root', 'pay', 'query'].map((name) => [name, newSpanId()]));
    await send(
      viewer.otlpHttpUrl,
      [
        ...story(other, second, 50),
        {
          traceId: other,
          spanId: newSpanId(),
          parentSpanId: second.root,
          name: 'only there',
          startMs: startMs + 5,
          durationMs: 3,
          links: [{ traceId, spanId: ids.pay! }],
        },
      ],
      resource,
    );
    browser = await launch(viewer.otlpHttpUrl);
    page = await browser.open(`${viewer.otlpHttpUrl}/traces/${traceId}`);
  });
  after(async () => {
    await browser.close();
    await viewer.close();
  });

  const items = () => page.getByRole('treeitem');
  const open = async (more = '') => {
    await page.goto(`${viewer.otlpHttpUrl}/traces/${traceId}${more}`);
  };
  const detail = () => page.getByLabel('Span', { exact: true });

  it('says kind, service and worker of each span, and hides kinds', async () => {
    await open();
    await items().first().waitFor();
    assert.equal(await items().count(), 5);
    await items().first().getByRole('img', { name: 'server' }).waitFor();
    assert.match((await items().first().textContent())!, /shop slot 1/);
    await items().filter({ hasText: 'SELECT orders' }).getByRole('img', { name: 'client' }).waitFor();
    await page.getByRole('button', { name: 'Show internal spans' }).click();
    await items().nth(3).waitFor({ state: 'detached' });
    assert.equal(await items().filter({ hasText: 'pay' }).count(), 0);
    await page.reload();
    await items().first().waitFor();
    assert.equal(await items().count(), 3);
    await page.getByRole('button', { name: 'Show internal spans' }).click();
    await items().nth(4).waitFor();
  });

  it('has a name column of any width, which stays', async () => {
    await open();
    const handle = page.getByRole('separator', { name: 'Width of the name column' });
    const before_ = (await handle.boundingBox())!;
    await handle.focus();
    for (let n = 0; n < 4; n++) await page.keyboard.press('ArrowRight');
    const moved = (await handle.boundingBox())!;
    assert.ok(moved.x > before_.x + 60, `${before_.x} → ${moved.x}`);
    await page.mouse.move(moved.x + 4, moved.y + 100);
    await page.mouse.down();
    await page.mouse.move(before_.x - 100, moved.y + 100);
    await page.mouse.up();
    const dragged = (await handle.boundingBox())!;
    assert.ok(dragged.x < before_.x - 60);
    await page.reload();
    await handle.waitFor();
    assert.ok(Math.abs((await handle.boundingBox())!.x - dragged.x) < 12);
  });

  it('steps through what is found, and says which of how many', async () => {
    await open('?q=o');
    await page.getByText(/^\d found$/).waitFor();
    await page.getByRole('button', { name: 'Next match' }).click();
    const said = page.locator('.tools [role=status]');
    await said.getByText(/^1 of \d$/).waitFor();
    await page.getByRole('button', { name: 'Next match' }).click();
    await said.getByText(/^2 of \d$/).waitFor();
    await page.getByRole('button', { name: 'Previous match' }).click();
    await said.getByText(/^1 of \d$/).waitFor();
    await page.locator('h1').click();
    await page.keyboard.press('n');
    await said.getByText(/^2 of \d$/).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.press('Shift+Enter');
    await said.getByText(/^1 of \d$/).waitFor();
    await page.keyboard.press('Enter');
    await said.getByText(/^2 of \d$/).waitFor();
  });

  it('is seen closer by keys and by a drag over its overview, and marks the critical path', async () => {
    await open(`?span=${ids.query}`);
    const bar = items().filter({ hasText: 'SELECT orders' }).locator('.bar');
    await detail().waitFor();
    const width = async () => (await bar.boundingBox())!.width;
    const all = await width();
    const out = page.getByRole('button', { name: 'Zoom out' });
    await page.keyboard.press('+');
    await out.waitFor();
    // By 1.6, about the middle of the span that is selected.
    assert.ok(Math.abs((await width()) / all - 1.6) < 0.02, `${await width()} of ${all}`);
    await page.keyboard.press('-');
    await out.waitFor({ state: 'detached' });
    await page.keyboard.press('+');
    await page.keyboard.press('0');
    await out.waitFor({ state: 'detached' });
    assert.equal(await width(), all);
    const overview = (await page.locator('.minimap canvas').boundingBox())!;
    const at = (share: number) => [overview.x + overview.width * share, overview.y + overview.height / 2] as const;
    await page.mouse.move(...at(0.2));
    await page.mouse.down();
    await page.mouse.move(...at(0.7));
    await page.mouse.up();
    await out.waitFor();
    assert.ok(Math.abs((await width()) / all - 2) < 0.05, `${await width()} of ${all}`);
    await page.mouse.dblclick(...at(0.5));
    await out.waitFor({ state: 'detached' });

    const path = page.locator('.critical .on-path');
    assert.equal(await path.count(), 0);
    await page.keyboard.press('c');
    await page.getByRole('button', { name: 'Critical path', pressed: true }).waitFor();
    // The query ends before the block begins, and the block before the message is sent: all make it last.
    assert.deepEqual(await path.locator('.text').allTextContents(), [
      'POST /checkout',
      'pay',
      'SELECT orders',
      'event loop blocked',
      'queue publish',
    ]);
    await page.getByRole('button', { name: 'Critical path' }).click();
    await path.first().waitFor({ state: 'detached' });
  });

  it('tells self time, in statistics by name and in a flame graph', async () => {
    await open(`?span=${ids.pay}`);
    // 60 ms, of which the query covers 30 and the block 15.
    await detail().getByText('self 15 ms').waitFor();
    await page.getByRole('button', { name: 'Statistics' }).click();
    const row = page.getByRole('row', { name: /SELECT orders/ });
    await row.waitFor();
    assert.deepEqual((await row.getByRole('cell').allTextContents()).slice(0, 4), ['1', '0', '30 ms', '30 ms']);
    await row.getByRole('button', { name: 'SELECT orders' }).click();
    await page.getByText('1 found').waitFor();
    await page.getByRole('button', { name: 'Flame graph' }).click();
    const frame = page.getByRole('button', { name: /^pay, 1 span, 60 ms, self 15 ms/ });
    const [narrow, root] = [(await frame.boundingBox())!, (await page.locator('.frame').first().boundingBox())!];
    assert.ok(Math.abs(narrow.width / root.width - 0.6) < 0.02, `${narrow.width} of ${root.width}`);
    await frame.click();
    await page.getByRole('button', { name: '› pay' }).waitFor();
    assert.ok((await page.getByRole('button', { name: /^pay, 1 span/ }).boundingBox())!.width > narrow.width * 1.4);
  });

  it('formats, folds and copies values, and filters by them', async () => {
    await browser.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: viewer.otlpHttpUrl });
    await open(`?span=${ids.query}`);
    const cell = (key: string) =>
      detail()
        .getByRole('row', { name: new RegExp(`^${key}`) })
        .getByRole('cell');
    assert.match(
      (await cell('db.query.text').textContent())!,
      /orders\nLEFT JOIN items .*\nWHERE id = 7\nAND open\nORDER BY/,
    );
    assert.match((await cell('db.parameters').textContent())!, /\{\n {2}"id": 7/);
    await cell('long').getByRole('button', { name: 'all 900 characters' }).click();
    assert.ok((await cell('long').textContent())!.includes('x'.repeat(900)));
    await detail().getByRole('button', { name: 'Copy db.query.text' }).click();
    await detail().getByText('✓').waitFor();
    assert.equal(await page.evaluate<string>('navigator.clipboard.readText()'), sql);
    await detail()
      .getByRole('row', { name: /^db.query.text/ })
      .getByRole('link', { name: '≠' })
      .click();
    await page.waitForURL(/traces\?q=-db\.query\.text/);
    await page.getByText('No trace matches').waitFor();
  });

  it('marks a blocked event loop and shows its stack; events and links lead both ways', async () => {
    await open();
    await page.locator('[role=treeitem].blocked').waitFor();
    await page.locator('.span .event').click();
    await detail().locator('.event-detail.open').getByText('a moment').waitFor();
    await detail().locator('pre.stack').getByText('at digest (/shop/hash.js:4:7)').waitFor();
    await items().filter({ hasText: 'queue publish' }).click();
    await detail().getByRole('link', { name: other }).waitFor();
    await items()
      .filter({ hasText: /^▾?\s*internalpay|pay/ })
      .first()
      .click();
    await detail().getByRole('link', { name: 'only there' }).click();
    await page.waitForURL(new RegExp(`/traces/${other}\\?span=`));
    await detail().getByRole('link', { name: traceId }).click();
    await page.waitForURL(new RegExp(`/traces/${traceId}\\?span=${ids.pay}`));
  });

  it('compares two traces, in structure and time', async () => {
    await open();
    await page.getByRole('link', { name: 'Compare…' }).click();
    await page.getByRole('link', { name: /^POST \/checkout, 4 spans/ }).click();
    const pay = page.getByRole('row', { name: /^pay/ });
    await pay.waitFor();
    assert.deepEqual((await pay.getByRole('cell').allTextContents()).slice(0, 3), ['60 ms', '110 ms', '+50 ms']);
    await page.getByRole('row', { name: /^only there only in B/ }).waitFor();
    await page.getByRole('row', { name: /^queue publish only in A/ }).waitFor();
  });

  it('is downloaded as OTLP, opened by dropping it, and cleared', async () => {
    await open();
    const downloading = page.waitForEvent('download');
    await page.getByRole('link', { name: 'Download' }).click();
    const download = await downloading;
    assert.equal(download.suggestedFilename(), `trace-${traceId}.json`);
    const saved = JSON.parse(readFileSync(await download.path(), 'utf8')) as TracesData;
    assert.equal(saved.resourceSpans![0]!.scopeSpans!.flatMap(({ spans = [] }) => spans).length, 5);
    await page.keyboard.press('?');
    await page.getByRole('button', { name: 'Clear all data' }).click();
    await page.getByRole('button', { name: 'Really clear all data?' }).click();
    await page.getByRole('button', { name: 'Clear all data' }).waitFor();
    assert.equal(viewer.store.traces.size, 0);
    await page.keyboard.press('Escape');
    await page.goto(`${viewer.otlpHttpUrl}/traces`);
    await page.getByText('Waiting for traces').waitFor();
    const drop = async (name: string, text: string) => {
      const transfer = await page.evaluateHandle(
        ([file, content]) => {
          const { DataTransfer: Transfer, File: Dropped } = globalThis as never as {
            DataTransfer: new () => { items: { add(file: object): void } };
            File: new (parts: string[], name: string) => object;
          };
          const made = new Transfer();
          made.items.add(new Dropped([content!], file!));
          return made;
        },
        [name, text],
      );
      await page.dispatchEvent('main', 'drop', { dataTransfer: transfer });
    };
    await drop('trace.json', JSON.stringify(saved));
    await page.waitForURL(new RegExp(`/traces/${traceId}`));
    await items().nth(4).waitFor();
    const offences = browser.offences.length;
    const logged = page.waitForEvent('console');
    await drop('thesis.txt', 'my thesis');
    await page.getByText('thesis.txt: not OTLP (400)').waitFor();
    await logged;
    // The browser itself says that the viewer answered 400, which is what was asked for.
    browser.offences.splice(offences);
  });

  it('has no accessibility issue in any view', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
      for (const more of [`?span=${ids.block}`, '?view=flame', '?view=statistics', `?q=pay`]) {
        await open(more);
        await page.locator('[role=treeitem], .frame, .statistics').first().waitFor();
        assert.deepEqual(await axeFindings(page), [], more);
      }
      await page.goto(`${viewer.otlpHttpUrl}/compare?a=${traceId}&b=${traceId}`);
      await page.locator('.compare').waitFor();
      assert.deepEqual(await axeFindings(page), []);
    }
  });

  it('broke no policy, logged no error, asked nobody else', () => {
    assert.deepEqual(browser.offences, []);
  });
});
