/** The system's Chromium, with a fresh profile, watched for what a page must not do. */
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BrowserContext, chromium, type Page } from 'playwright-core';

const EXECUTABLE = process.env.CHROMIUM_PATH ?? '/usr/bin/chromium';

/** Why there are no browser tests here; undefined where there are. In CI there must be. */
export function noChromium(): string | undefined {
  if (existsSync(EXECUTABLE)) return undefined;
  const reason = `NO BROWSER TESTS: there is no Chromium at ${EXECUTABLE} (apt-get install chromium, or CHROMIUM_PATH)`;
  if (process.env.CI === 'true' || process.env.CI === '1') throw new Error(reason);
  console.error(`\n!!! ${reason} !!!\n`);
  return reason;
}

export interface Browser {
  context: BrowserContext;
  /** A page on `url`. */
  open(url: string): Promise<Page>;
  /** Console errors, exceptions, CSP violations and requests to anywhere else, of all pages so far. */
  offences: string[];
  close(): Promise<void>;
}

/** @param origin the only place that pages may speak to */
export async function launch(origin: string): Promise<Browser> {
  const profile = mkdtempSync(join(tmpdir(), 'forktrace-chromium-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: EXECUTABLE,
    headless: true,
    viewport: { width: 1280, height: 800 },
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  const offences: string[] = [];
  await context.exposeBinding('reportOffence', (_source, offence: string) => offences.push(offence));
  await context.addInitScript({
    content: `document.addEventListener('securitypolicyviolation', (event) => {
      reportOffence('CSP: ' + event.violatedDirective + ' ' + event.blockedURI + ' ' + event.sample);
    });`,
  });
  context.on('page', (page) => {
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') offences.push(`console: ${message.text()}`);
    });
    page.on('pageerror', (error) => offences.push(`exception: ${error.message}`));
    page.on('dialog', (dialog) => {
      offences.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!request.url().startsWith(`${origin}/`)) offences.push(`request: ${request.url()}`);
    });
  });
  return {
    context,
    offences,
    async open(url) {
      const page = await context.newPage();
      await page.goto(url);
      return page;
    },
    async close() {
      await context.close();
      rmSync(profile, { recursive: true, force: true });
    },
  };
}

const axeSource = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

/**
 * Milliseconds that the page's main thread ran while `act` did something: by Chromium's own count of the time
 * that it ran, not of the time that it waited for a processor that others keep busy.
 */
export async function busyMsOf(page: Page, act: () => Promise<unknown>): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable', { timeDomain: 'threadTicks' });
  const taskSeconds = async () => {
    const { metrics } = await session.send('Performance.getMetrics');
    return metrics.find(({ name }) => name === 'TaskDuration')!.value;
  };
  const before = await taskSeconds();
  await act();
  const busy = (await taskSeconds()) - before;
  await session.detach();
  return busy * 1000;
}

interface AxeResult {
  violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[];
}

interface Axe {
  run(options?: { runOnly: { type: 'rule'; values: string[] } }): Promise<AxeResult>;
}

/**
 * What axe finds wrong with the page, in words.
 *
 * @param rules its ids of those to judge by, by default all
 */
export async function axeFindings(page: Page, rules?: string[]): Promise<string[]> {
  // Evaluated by the debugger, which no policy binds.
  if (!(await page.evaluate<boolean>('"axe" in globalThis'))) await page.evaluate(readFileSync(axeSource, 'utf8'));
  const { violations } = await page.evaluate(
    (values) => (globalThis as unknown as { axe: Axe }).axe.run(values && { runOnly: { type: 'rule', values } }),
    rules,
  );
  return violations.map(
    ({ id, impact, nodes }) =>
      `${id} (${impact}) ${nodes.slice(0, 3).map((node) => `${node.html} ${node.failureSummary}`)}`,
  );
}
