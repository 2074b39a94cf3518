import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Page } from 'playwright-core';
import type { TraceListView } from '#src/viewer/api-types/trace-list.js';
import { startViewer, type Viewer } from '#src/viewer/start.js';
import { type FromViewer, VIEWER_EXEC_ARGV } from '#src/viewer/viewer-messages.js';
import { axeFindings, type Browser, busyMsOf, launch, noChromium } from './chromium.js';
import { feedCluster, requestSpans, workerResource } from './cluster-feed.js';
import { newSpanId, newTraceId, send } from './otlp-feed.js';

describe("the viewer's page", { skip: noChromium() }, () => {
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
  const list = async (query: string) =>
    (await (await fetch(`${viewer.otlpHttpUrl}/api/traces?${query}`)).json()) as TraceListView;
  const rows = () => page.locator('ul[aria-label^="Traces"] > li');
  const total = () => viewer.store.traces.size;

  it('shows traces as they arrive, newest first, without being asked', async () => {
    await go('/traces');
    await rows().first().waitFor();
    await send(
      viewer.otlpHttpUrl,
      requestSpans({ startMs: Date.now() + 60_000, durationMs: 5, route: '/just-now' }),
      workerResource({ slot: 1, incarnation: 0, pid: 4201 }),
    );
    await rows().first().getByText('GET /just-now').waitFor();
  });

  it('renders the rows in sight only', async () => {
    await go('/traces');
    await rows().first().waitFor();
    assert.ok((await rows().count()) < 60, `${await rows().count()} rows for ${total()} traces`);
    await page.locator('.rows').evaluate((box) => box.scrollTo(0, 18_000));
    await page.locator('li[aria-posinset="505"]').waitFor();
  });

  it('opens a trace from the plot', async () => {
    await go('/traces?q=status:interrupted');
    await page.locator('.foot').getByText(/^2 of/).waitFor();
    const canvas = page.locator('.scatter canvas');
    const box = (await canvas.boundingBox())!;
    // The newest trace is at the right end of the axis, somewhere up.
    let found = false;
    for (let y = 8; y < box.height - 16 && !found; y += 8) {
      await page.mouse.move(box.x + box.width - 12, box.y + y);
      found = (await page.locator('.scatter .tip').count()) > 0;
    }
    assert.ok(found, 'a dot under the pointer');
    await page.mouse.down();
    await page.mouse.up();
    await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
    await page.locator('.status-message, [role=treeitem].interrupted').first().waitFor();
  });

  it('shows a trace: tree, failing span, its events and the worker that served it', async () => {
    const [trace] = (await list('q=status:5xx')).rows;
    await go(`/traces/${trace!.id}`);
    const items = page.getByRole('treeitem');
    await items.first().waitFor();
    assert.equal(await items.count(), 4);
    await items.nth(0).getByLabel('error').waitFor();
    assert.match((await items.nth(0).textContent())!, /POST \/checkout.*slot \d.* ms/);
    await items.filter({ hasText: 'pay' }).click();
    const detail = page.getByLabel('Span', { exact: true });
    await detail.getByText('the card was declined').first().waitFor();
    await detail.getByText('exception.stacktrace').waitFor();
    await detail.getByRole('link', { name: /^slot \d/ }).waitFor();
    // The address leads back to this very span.
    await page.reload();
    await page.getByLabel('Span', { exact: true }).getByText('the card was declined').first().waitFor();
  });

  it('copies a subtree as OTLP that can be sent again', async () => {
    await browser.context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: viewer.otlpHttpUrl });
    const [trace] = (await list('q=status:5xx')).rows;
    await go(`/traces/${trace!.id}`);
    await page.getByRole('treeitem').first().click();
    await page.getByRole('button', { name: /^Copy subtree/ }).click();
    await page.getByText('Copied').waitFor();
    const copied = await page.evaluate<string>('navigator.clipboard.readText()');
    const duplicates = viewer.store.counters.duplicates;
    const response = await fetch(`${viewer.otlpHttpUrl}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: copied,
    });
    assert.equal(response.status, 200);
    assert.equal(viewer.store.counters.duplicates - duplicates, 4);
  });

  it('is used with the keyboard alone', async () => {
    await go('/traces?q=status:5xx');
    await rows().first().waitFor();
    await page.keyboard.press('j');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
    const selected = page.locator('[role=treeitem][aria-selected=true]');
    await page.getByRole('treeitem').first().waitFor();
    await page.keyboard.press('e');
    await selected.filter({ hasText: 'POST /checkout' }).waitFor();
    await page.keyboard.press('e');
    await selected.filter({ hasText: 'pay' }).waitFor();
    await page.keyboard.press('ArrowLeft');
    await selected.filter({ hasText: 'POST /checkout' }).waitFor();
    await page.keyboard.press('ArrowLeft');
    await page.locator('[role=treeitem][aria-expanded=false]').waitFor();
    assert.equal(await page.getByRole('treeitem').count(), 1);
    await page.keyboard.press('ArrowRight');
    await page.getByRole('treeitem').nth(3).waitFor();
    await page.keyboard.press('/');
    await page.keyboard.type('declined');
    await page.getByText('1 found').waitFor();
    await page.keyboard.press('Enter');
    await selected.filter({ hasText: 'pay' }).waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('2');
    await page.getByRole('heading', { name: 'Cluster' }).waitFor();
  });

  it('shows the cluster: a lane per worker, its death, and the requests that died with it', async () => {
    await go('/cluster?window=300000');
    const lane = page.getByRole('region', { name: 'shop slot 2' });
    await lane.waitFor();
    assert.equal(await page.getByRole('region', { name: /^shop slot/ }).count(), 4);
    await lane.getByText('2 ✂').waitFor();
    await page
      .getByText('died: SIGKILL (pid 4202), 2 requests interrupted, 17 spans recovered from its journal')
      .waitFor();
    await page.getByText('started, ready after 1.9 s (pid 4310)').waitFor();
    // Through the requests of the lane to an interrupted one, and into its trace.
    const requests = lane.getByRole('application');
    await requests.focus();
    await page.keyboard.press('e');
    for (let n = 0; n < 50 && (await lane.locator('.tip .interrupted').count()) === 0; n++) {
      await page.keyboard.press('e');
    }
    await lane.locator('.tip .interrupted').waitFor();
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
    await page.locator('[role=treeitem].interrupted').first().click();
    await page.getByText('The worker died while this was running.').waitFor();
  });

  it('shows routes per worker, with the slowest and failing examples', async () => {
    await go('/routes');
    await page.getByRole('button', { name: /POST \/checkout/ }).click();
    await page.getByText('Per worker').waitFor();
    assert.equal(await page.locator('.route-detail tbody tr').count(), 4);
    await page.locator('.examples').last().getByRole('link').first().click();
    await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
    await page.locator('[role=treeitem].error, [role=treeitem].interrupted').first().waitFor();
  });

  it('sorts routes by any number, and leads to all traces of one', async () => {
    await go('/routes');
    const names = page.locator('.routes > tbody > tr > th');
    await page.getByRole('button', { name: 'p50', exact: true }).click();
    await page.getByRole('columnheader', { name: 'p50 ↓' }).waitFor();
    await names.first().getByText('/checkout').waitFor();
    assert.match((await names.last().textContent())!, /GET \/ /);
    await page.getByRole('button', { name: /POST \/checkout/ }).click();
    await page.getByRole('link', { name: 'All traces of this route' }).click();
    await page.waitForURL(/\/traces\?q=.*checkout/);
    await page
      .locator('.foot [role=status]')
      .getByText(/ match/)
      .waitFor();
  });

  it('shows all numbers of a route on a phone', async () => {
    await page.setViewportSize({ width: 390, height: 844 });
    await go('/routes');
    await page.getByRole('button', { name: /POST \/checkout/ }).waitFor();
    const figures = page.locator('.routes > tbody > tr').first().locator('td');
    assert.equal(await figures.count(), 8);
    for (const figure of await figures.all()) {
      const { x, width } = (await figure.boundingBox())!;
      assert.ok(x >= 0 && x + width <= 390 && width > 40, `from ${x}, ${width} wide`);
    }
    await page.setViewportSize({ width: 1280, height: 800 });
  });

  describe('shows a trace of 10,000 spans', () => {
    const traceId = newTraceId();
    before(async () => {
      const ids = Array.from({ length: 10_000 }, newSpanId);
      const now = Date.now();
      const spans = ids.map((spanId, n) => ({
        traceId,
        spanId,
        parentSpanId: n === 0 ? '' : ids[Math.floor((n - 1) / 8)]!,
        name: n === 0 ? 'large' : `step ${n}`,
        startMs: now + n,
        durationMs: n === 0 ? 10_000 : 1,
      }));
      await send(viewer.otlpHttpUrl, spans);
    });

    it('within half a second of its being asked for', async () => {
      const worked: number[] = [];
      // What viewer, page and this test work one after the other: a free machine takes no longer.
      for (let n = 0; n < 4 && !worked.some((ms) => ms <= 500); n++) {
        await go('/traces');
        await rows().first().waitFor();
        const before = process.cpuUsage();
        const busy = await busyMsOf(page, async () => {
          await go(`/traces/${traceId}`);
          await page.getByRole('treeitem').first().waitFor();
        });
        const { user, system } = process.cpuUsage(before);
        worked.push(busy + (user + system) / 1000);
      }
      assert.ok(Math.min(...worked) <= 500, `${worked} ms`);
      assert.ok((await page.getByRole('treeitem').count()) < 80);
    });

    it('and works less than 50 ms for whatever one does', async () => {
      await go(`/traces/${traceId}`);
      await page.getByRole('treeitem').first().waitFor();
      const selected = page.locator('[role=treeitem][aria-selected=true]');
      const key = (name: string, done: () => Promise<unknown>) => async () => {
        await page.keyboard.press(name);
        await done();
      };
      // Clicked by the page itself: looking for it, as the driver does, takes the page's time, too.
      const button = (name: string) => () =>
        page.evaluate<void>(`[...document.querySelectorAll('.tools button')]
          .find(({ textContent }) => textContent === '${name}').click();
          new Promise((done) => requestAnimationFrame(() => setTimeout(done)))`);
      const drawn = () => page.evaluate('new Promise((done) => requestAnimationFrame(() => setTimeout(done)))');
      const acts: [string, () => Promise<unknown>][] = [
        ['first', key('Home', () => selected.filter({ hasText: 'large' }).waitFor())],
        ['down', key('ArrowDown', () => selected.filter({ hasText: 'step' }).waitFor())],
        ['end', key('End', () => selected.filter({ hasText: 'step' }).waitFor())],
        ['home', key('Home', () => selected.filter({ hasText: 'large' }).waitFor())],
        ['fold', key('ArrowLeft', () => page.locator('[role=treeitem][aria-expanded=false]').waitFor())],
        ['unfold', key('ArrowRight', () => page.getByRole('treeitem').nth(20).waitFor())],
        ['zoom', key('+', drawn)],
        ['critical path', key('c', drawn)],
        ['flame graph', button('Flame graph')],
        ['statistics', button('Statistics')],
        ['waterfall', button('Waterfall')],
      ];
      // The least of a few: with others at its caches a processor is slower.
      const least = new Map<string, number>();
      for (let round = 0; round < 12; round++) {
        for (const [name, act] of acts) {
          const busy = await busyMsOf(page, act);
          least.set(name, Math.min(busy, least.get(name) ?? busy));
        }
        if (Math.max(...least.values()) <= 50) break;
      }
      assert.deepEqual(
        [...least].filter(([, busy]) => busy > 50),
        [],
      );
    });

    it('and does not read it again while nothing of it has changed', async () => {
      await go(`/traces/${traceId}`);
      await page.getByRole('treeitem').first().waitFor();
      const again = page.waitForResponse((response) => response.url().endsWith(`/api/traces/${traceId}`));
      await send(viewer.otlpHttpUrl, requestSpans({ startMs: Date.now(), durationMs: 5 }));
      assert.equal((await again).status(), 304);
      const changed = page.waitForResponse(
        (response) => response.url().endsWith(`/api/traces/${traceId}`) && response.status() === 200,
      );
      await send(viewer.otlpHttpUrl, [{ traceId, name: 'one more', startMs: Date.now() }]);
      await changed;
      await page.getByText('10k spans').waitFor();
    });

    it('and finds in it', async () => {
      await page.getByLabel('Search in this trace').fill('step 5000');
      await page.getByText('1 found').waitFor();
    });
  });

  it('shows hostile names and values as the text that they are', async () => {
    const traceId = newTraceId();
    const hostile = `"><img src=x onerror="alert(1)"><script>alert(2)</script>{{constructor}}javascript:alert(3)`;
    await send(
      viewer.otlpHttpUrl,
      [
        {
          traceId,
          name: hostile,
          kind: 2,
          startMs: Date.now(),
          error: hostile,
          attributes: {
            'http.route': hostile,
            'http.request.method': hostile,
            [hostile]: hostile,
            'url.full': 'javascript:alert(4)',
            bidi: '\u202eevil\u0000\ud800',
          },
          events: [{ name: hostile, attributes: { [hostile]: hostile } }],
          links: [{ traceId: newTraceId(), spanId: newSpanId() }],
        },
      ],
      { 'service.name': hostile, 'cluster.worker.slot': 7 },
    );
    for (const path of ['/traces', '/cluster', '/routes', `/traces/${traceId}`]) {
      await go(path);
      await page.getByText('onerror="alert(1)"', { exact: false }).first().waitFor({ state: 'attached' });
      assert.equal(await page.locator('img, script:not([src="/page.js"]), a[href^="javascript:"]').count(), 0);
    }
    await page.getByRole('treeitem').first().click();
    await page.getByLabel('Span', { exact: true }).getByText('javascript:alert(4)').waitFor();
    assert.equal(await page.locator('img, script:not([src="/page.js"]), a[href^="javascript:"]').count(), 0);
    await go(`/traces?q=${encodeURIComponent('"><img src=x onerror=alert(5)>')}`);
    await page.getByText('No trace matches').waitFor();
    await go('/traces/ffffffffffffffffffffffffffffffff');
    await page.getByText('This trace is not held any more').waitFor();
    // The browser itself says that the API answered 404, which is what was asked for.
    const expected = browser.offences.findIndex((offence) => /404/.test(offence));
    if (expected !== -1) browser.offences.splice(expected, 1);
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    for (const viewport of [
      { width: 1280, height: 800 },
      { width: 390, height: 844 },
    ]) {
      it(`has no accessibility issue, ${colorScheme}, ${viewport.width} wide, and nothing beside the screen`, async () => {
        await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' });
        await page.setViewportSize(viewport);
        const [trace] = (await list('q=status:5xx')).rows;
        for (const path of ['/traces', `/traces/${trace!.id}`, '/cluster?window=300000', '/routes']) {
          await go(path);
          await page.locator('.trace, [role=treeitem], .lane canvas, table.routes').first().waitFor();
          if (path.startsWith('/traces/')) await page.keyboard.press('e');
          if (path === '/routes') await page.getByRole('button', { name: /POST \/checkout/ }).click();
          const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
          assert.ok(wide <= 0, `${path} is ${wide} pixels too wide`);
          assert.deepEqual(await axeFindings(page), [], path);
        }
      });
    }
  }

  it('says that the viewer is away, and goes on when it is back', async () => {
    await page.setViewportSize({ width: 1280, height: 800 });
    await go('/traces');
    await rows().first().waitFor();
    const offences = browser.offences.length;
    const { httpPort, grpcPort } = {
      httpPort: Number(new URL(viewer.otlpHttpUrl).port),
      grpcPort: Number(new URL(viewer.otlpGrpcUrl).port),
    };
    const cluster = await browser.open(`${viewer.otlpHttpUrl}/cluster`);
    await cluster.getByText('workers running').waitFor();
    await viewer.close();
    await page.getByText('Viewer is away').waitFor();
    assert.ok((await rows().count()) > 0, 'what was there stays');
    await cluster.getByText(/This is how it was at \d\d:/).waitFor();
    await cluster.locator('.lanes.stale').waitFor();
    viewer = await startViewer({ httpPort, grpcPort });
    await page.getByText('Live').waitFor();
    await cluster.getByText('No workers yet').waitFor();
    assert.equal(await cluster.getByText('This is how it was').count(), 0);
    await cluster.close();
    // Refused connections are what the browser reports here.
    browser.offences.splice(offences);
  });

  it('says so, too, when the viewer is held up and ends no connection', async () => {
    const main = fileURLToPath(import.meta.resolve('#src/viewer/main.js'));
    const child = fork(main, [JSON.stringify({ httpPort: 0, grpcPort: 0 })], { execArgv: VIEWER_EXEC_ARGV });
    try {
      const [message] = (await once(child, 'message')) as [FromViewer];
      assert.ok(message.type === 'listening');
      const offences = browser.offences.length;
      const held = await browser.context.newPage();
      await held.clock.install();
      await held.goto(message.url);
      await held.getByText('Live', { exact: true }).waitFor();
      child.kill('SIGSTOP');
      await held.clock.fastForward(45_000);
      await held.getByText('Viewer is away').waitFor();
      child.kill('SIGCONT');
      await held.getByText('Live', { exact: true }).waitFor();
      await held.close();
      // Another viewer is another origin.
      browser.offences.splice(offences);
    } finally {
      child.kill('SIGKILL');
    }
  });

  it('broke no policy, logged no error, asked nobody else', () => {
    assert.deepEqual(browser.offences, []);
  });
});
