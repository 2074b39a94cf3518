// Takes the pictures in docs/screenshots: the example shop on four workers, under load, with a crash, a kill
// and a reload.
//   npm run screenshots
//   npm run screenshots -- DIR    besides, all pages in all sizes, light and dark, into DIR: for looking at;
//                                 a cluster of 64 workers with odd names and an empty viewer, too
//   npm run screenshots -- DIR 'odd-|390-dark'    only those whose names match
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startViewer } from '../dist/viewer/start.js';
import { driveLoad } from '../dist-examples/shop/load.js';
import { launch } from '../dist-test/viewer/chromium.js';
import { feedOdd } from '../dist-test/viewer/odd-feed.js';

const target = fileURLToPath(new URL('../docs/screenshots/', import.meta.url));
/** Enough for a full lane of the one-minute window. */
const LOAD_MS = Number(process.env.SCREENSHOT_LOAD_MS ?? 50_000);

mkdirSync(target, { recursive: true });
const journal = mkdtempSync(join(tmpdir(), 'forktrace-screenshots-'));
const viewer = await startViewer({ httpPort: 0, grpcPort: 0, journals: journal });
const env = {
  ...process.env,
  OTEL_EXPORTER_OTLP_ENDPOINT: viewer.otlpGrpcUrl,
  OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
  OTEL_METRIC_EXPORT_INTERVAL: '1000',
  FORKTRACE_JOURNAL_DIR: journal,
  PORT: '0',
};
const start = (name, more = {}) =>
  fork(fileURLToPath(new URL(`../dist-examples/shop/${name}.js`, import.meta.url)), { env: { ...env, ...more } });
const payments = start('payments');
const [{ url }] = await once(payments, 'message');
const shop = start('server', { PAYMENTS_URL: url });
const [{ ready: baseUrl }] = await once(shop, 'message');

const stop = new AbortController();
const load = driveLoad({
  baseUrl,
  requests: Number.POSITIVE_INFINITY,
  concurrency: 8,
  pauseMs: 150,
  crashes: false,
  signal: stop.signal,
});
await wait(LOAD_MS * 0.45);
await fetch(`${baseUrl}/crash`, { method: 'POST' }).catch(() => {});
await wait(LOAD_MS * 0.3);
shop.kill('SIGHUP');
await wait(LOAD_MS * 0.25);

const browser = await launch(viewer.otlpHttpUrl);
let page = await browser.open(`${viewer.otlpHttpUrl}/traces`);
const api = async (path) => (await fetch(viewer.otlpHttpUrl + path)).json();
const failing = (await api('/api/traces?q=status:5xx')).rows[0] ?? (await api('/api/traces?q=status:error')).rows[0];
const checkout =
  (await api('/api/traces?q=route:/checkout+duration>10ms')).rows.toSorted((a, b) => b.spans - a.spans)[0] ?? failing;

const [death] = await api('/api/deaths');

async function picture(name, path, prepare, { folder = target, origin = viewer.otlpHttpUrl } = {}) {
  await page.goto(origin + path);
  await wait(1200);
  await prepare?.();
  await wait(400);
  await page.screenshot({ path: join(folder, `${name}.png`) });
}

const PAGES = {
  cluster: ['/cluster'],
  traces: ['/traces'],
  trace: [`/traces/${checkout.id}`, () => page.getByRole('treeitem').nth(1).click()],
  flame: [`/traces/${checkout.id}?view=flame`],
  routes: ['/routes', () => page.getByRole('button', { name: /\/checkout/ }).click()],
  map: ['/map'],
  metrics: ['/metrics?window=300000'],
  logs: ['/logs'],
  statistics: [`/traces/${checkout.id}?view=statistics`],
  compare: [`/compare?a=${checkout.id}&b=${failing.id}`],
  instrument: ['/metrics?name=http.server.request.duration&window=300000'],
  deaths: ['/deaths'],
  death: [`/deaths/${death?.id ?? ''}`],
  help: ['/traces', () => page.keyboard.press('?')],
};
/** What a viewer without traces has, too. */
const WITHOUT_TRACE = {
  cluster: ['/cluster'],
  traces: ['/traces'],
  routes: ['/routes'],
  map: ['/map'],
  metrics: ['/metrics'],
  logs: ['/logs'],
  deaths: ['/deaths'],
  'no-match': ['/traces?q=nothing-like-it'],
  'no-trace': ['/traces/0123456789abcdef0123456789abcdef'],
};
/** In docs/viewer.md. */
const SHOWN = ['cluster', 'traces', 'trace', 'routes', 'map', 'metrics'];
const SIZES = [
  { width: 1280, height: 800 },
  { width: 1920, height: 1080 },
  { width: 390, height: 844 },
];

const [all, only = ''] = process.argv.slice(2);
if (only === '') {
  // First the one that shows what has just happened, in both.
  for (const name of SHOWN) {
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize(SIZES[0]);
      await picture(`${name}-${colorScheme}`, ...PAGES[name]);
    }
  }
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(SIZES[2]);
  await picture('phone-cluster', '/cluster');
}

async function inAllSizes(pages, origin, prefix = '') {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    for (const size of SIZES) {
      await page.setViewportSize(size);
      for (const [name, [path, prepare]] of Object.entries(pages)) {
        const file = `${prefix}${name}-${size.width}-${colorScheme}`;
        if (!new RegExp(only).test(file)) continue;
        await picture(file, path, prepare, { folder: all, origin }).catch((error) =>
          console.error(file, error.message),
        );
      }
    }
  }
}

if (all !== undefined) {
  mkdirSync(all, { recursive: true });
  await inAllSizes(PAGES, viewer.otlpHttpUrl);
  const nothing = mkdtempSync(join(tmpdir(), 'forktrace-screenshots-'));
  for (const [prefix, feed] of [
    ['odd-', feedOdd],
    ['empty-', () => ({})],
  ]) {
    const other = await startViewer({ httpPort: 0, grpcPort: 0, journals: nothing });
    const one = await launch(other.otlpHttpUrl);
    page = await one.open(other.otlpHttpUrl);
    await inAllSizes({ ...WITHOUT_TRACE, ...(await feed(other.otlpHttpUrl)) }, other.otlpHttpUrl, prefix);
    // A trace that is not there is not found.
    browser.offences.push(...one.offences.filter((offence) => !offence.includes('404')));
    await one.close();
    await other.close();
  }
  rmSync(nothing, { recursive: true });
}

await browser.close();
stop.abort();
await load;
for (const child of [shop, payments]) {
  const exited = once(child, 'exit');
  if (child.connected) child.disconnect();
  await exited;
}
await viewer.close();
rmSync(journal, { recursive: true, force: true });
if (browser.offences.length > 0) {
  console.error(browser.offences.join('\n'));
  process.exitCode = 1;
}
