import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { DifferencesView } from '#src/viewer/api-types/differences.js';
import { startViewer, type Viewer } from '#src/viewer/start.js';
import { axeFindings, launch, noChromium } from './chromium.js';
import { requestSpans, workerResource } from './cluster-feed.js';
import { newSpanId, send } from './otlp-feed.js';

describe('what is different about the slow ones', () => {
  let viewer: Viewer;
  const now = Date.now();

  before(async () => {
    viewer = await startViewer({ httpPort: 0, grpcPort: 0 });
    for (let slot = 0; slot < 4; slot++) {
      const spans = Array.from({ length: 100 }, (_, n) => {
        // One in ten is slow: large carts of one tenant, mostly in slot 3, and it asks the database once
        // more.
        const slow = slot === 3 ? n % 4 === 0 : n % 20 === 7;
        const [root, ...others] = requestSpans({
          startMs: now - 60_000 + n * 500,
          durationMs: slow ? 400 + n : 10 + (n % 7),
          route: '/checkout',
          method: 'POST',
          status: n % 8 === 3 ? 500 : 200,
          steps: ['load cart'],
          attributes: {
            'app.tenant': slow ? 'acme' : `tenant-${n % 5}`,
            'cart.items': slow ? 100 + n : n % 90,
            'request.id': `${slot}-${n}`,
            'app.flag': n % 2 === 0,
            ...(n % 8 === 3 ? { 'error.type': 'CardDeclined' } : {}),
          },
        });
        const lookup = {
          traceId: root!.traceId,
          spanId: newSpanId(),
          parentSpanId: root!.spanId,
          name: 'SELECT coupons',
          kind: 3,
          startMs: root!.startMs,
        };
        return [root!, ...others, ...(slow ? [lookup] : [])];
      }).flat();
      await send(viewer.otlpHttpUrl, spans, workerResource({ slot, incarnation: 0, pid: 70 + slot }));
    }
    const few = Array.from({ length: 12 }, (_, n) =>
      requestSpans({ startMs: now - 5000, durationMs: n + 1, route: '/rare' }),
    ).flat();
    await send(viewer.otlpHttpUrl, few, workerResource({ slot: 0, incarnation: 0, pid: 70 }));
  });
  after(() => viewer.close());

  async function ask(query: Record<string, string>): Promise<DifferencesView> {
    const asked = new URLSearchParams({ service: 'shop', method: 'POST', route: '/checkout', ...query });
    return (await (await fetch(`${viewer.otlpHttpUrl}/api/differences?${asked}`)).json()) as DifferencesView;
  }
  const said = ({ differences }: DifferencesView) =>
    differences.map(({ key, operator, value }) => `${key}${operator}${value}`);

  it('finds values, sizes, spans and workers that they have more often', async () => {
    const view = await ask({});
    assert.equal(view.selected + view.rest, 400);
    assert.ok(view.fromMs >= 400, `${view.fromMs}`);
    const found = said(view);
    for (const expected of ['app.tenant=acme', 'name=SELECT coupons', 'cluster.worker.slot=3']) {
      assert.ok(found.includes(expected), `${expected} of ${found}`);
    }
    assert.ok(
      found.some((one) => /^cart\.items>=\d+$/.test(one)),
      `${found}`,
    );
    // What is the same, chance, or an identity.
    assert.ok(!found.some((one) => /^(app\.flag|request\.id|process\.pid|http\.route|service)/.test(one)), `${found}`);
    const tenant = view.differences.find(({ key }) => key === 'app.tenant')!;
    assert.deepEqual([tenant.share, Math.round(tenant.restShare * 100) < 5], [1, true]);
  });

  it('of the failing ones, too', async () => {
    const found = said(await ask({ which: 'failing' }));
    assert.ok(found.includes('error.type=CardDeclined'), `${found}`);
    assert.ok(!found.includes('app.tenant=acme'), `${found}`);
  });

  it('says nothing of too few', async () => {
    const view = await ask({ method: 'GET', route: '/rare' });
    assert.deepEqual([view.selected, view.rest, view.differences], [2, 10, []]);
  });

  it('is shown below a route, and leads to the traces', { skip: noChromium() }, async () => {
    const browser = await launch(viewer.otlpHttpUrl);
    try {
      const page = await browser.open(`${viewer.otlpHttpUrl}/routes`);
      await page.getByRole('button', { name: /POST \/checkout/ }).click();
      await page.getByRole('heading', { name: 'What is different about the slow ones' }).waitFor();
      const tenant = page.getByRole('row', { name: /app\.tenant acme 100 %/ });
      await tenant.waitFor();
      assert.deepEqual(await axeFindings(page), []);
      await page.getByRole('button', { name: 'Failing', exact: true }).click();
      await page.getByRole('row', { name: /error\.type CardDeclined 100 %/ }).waitFor();
      await page.getByRole('button', { name: 'Slow', exact: true }).click();
      await tenant.getByRole('link').click();
      await page.waitForURL(/app\.tenant%3Dacme/);
      await page
        .locator('.foot')
        .getByText(/of .* match/)
        .waitFor();
      assert.deepEqual(browser.offences, []);
    } finally {
      await browser.close();
    }
  });
});
