/**
 * `npm run soak -- --faults`: two services at a steady rate, and one fault after the other switched on and
 * off. At the end each span has to be accounted for.
 *
 *   npm run soak -- --faults --minutes 5    30 minutes otherwise
 *   npm run soak -- --faults --page         writes docs/soak.md
 *
 * @module
 */
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import { Relay } from '../endpoint/relay.js';
import { mountTmpfs } from '../journal/mounted.js';
import { tempDir } from '../process/temp-dir.js';
import { Account, type Writer } from './account.js';
import { type Fault, faults } from './faults.js';
import { report } from './report.js';
import { ClusterService, PlainService, pick } from './service.js';

const minutes = Number(process.argv[2] ?? 30);
const SETTLE_MS = 180_000;

const cleanUps: (() => unknown)[] = [];
const t = {
  after: (fn: () => unknown) => void cleanUps.unshift(fn),
  skip: (why: string) => console.log(`no disk that is full: ${why}`),
} as unknown as TestContext;
const ownDir = await tempDir(t);
const mounted = mountTmpfs(t, '96m');
const dir = mounted ?? join(ownDir, 'journals');
const progress = join(ownDir, 'progress');
mkdirSync(progress);
if (!mounted) mkdirSync(dir);

const endpoint = await OtlpEndpoint.start(t, { maxRequestBytes: 128 * 1024 });
const portOf = (url: string) => Number(new URL(url).port);
const relays = [
  await Relay.start(t, () => portOf(endpoint.grpcUrl)),
  await Relay.start(t, () => portOf(endpoint.httpUrl)),
] as const;
const account = new Account(progress);
const place = { t, dir, progress, account };
const plain = new PlainService(place, relays[0].url);
const cluster = new ClusterService(place, relays[1].url);
const services = [plain, cluster];

/** Waits until what has been written so far is there; not for ever: a fault may have taken some. */
async function settled(): Promise<void> {
  const before = account.writers().filter(({ lives }) => lives);
  for (const until = performance.now() + 20_000; performance.now() < until; await sleep(500)) {
    account.collect(endpoint);
    if (account.hasCome(before)) return;
  }
}

async function inject(fault: Fault): Promise<void> {
  let before: Writer[] = [];
  if (fault.mayLose) {
    before = account.writers();
    await settled();
  }
  console.log(`${new Date().toISOString()} ${fault.name}`);
  await fault.on();
  await sleep(fault.holdMs ?? 2000 + Math.random() * 4000);
  await fault.off?.();
  await sleep(3000);
  if (fault.mayLose) account.mayLose(fault.name, before);
  account.collect(endpoint);
}

endpoint.requireHeader('authorization', 'token-0');
for (const service of services) service.start();
const list = faults({ endpoint, relays: [...relays], plain, cluster, dir, isMounted: mounted !== undefined });
const endsAt = performance.now() + minutes * 60_000;
const times = new Map(list.map(({ name }) => [name, 0]));
await sleep(3000);
for (let n = 0; performance.now() < endsAt; n++) {
  // Each once before any comes again, then at random.
  const fault = list[n] ?? pick(list)!;
  times.set(fault.name, times.get(fault.name)! + 1);
  await inject(fault);
}

await Promise.all(services.map((service) => service.end(SETTLE_MS)));
const filesLeft = () =>
  services.flatMap(({ journal }) =>
    // Post-mortems stay.
    readdirSync(journal).filter(
      (name) => !name.startsWith('shipper-') && !['deaths', 'coordinator.sock'].includes(name),
    ),
  );
for (const until = performance.now() + SETTLE_MS; performance.now() < until; await sleep(2000)) {
  account.collect(endpoint);
  if (account.result().missing.length === 0 && filesLeft().length === 0) break;
}
const result = account.result();
const said = services.map((service) => service.said).join('');
const isComplete = report({ minutes, times, result, said, filesLeft: filesLeft() });
if (!isComplete) {
  const path = join(process.cwd(), 'soak.log');
  writeFileSync(path, services.map((service) => `${service.name}\n${service.said}`).join('\n'));
  console.log(`what the processes have said: ${path}`);
}
for (const cleanUp of cleanUps) await cleanUp();
process.exit(isComplete ? 0 : 1);
