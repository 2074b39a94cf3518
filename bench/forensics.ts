/**
 * What forensics costs: a sample of the vitals page, which is taken once a second, and a process that is
 * looked into. Processor time, not time that passes: other work of the machine does not count.
 *
 * @module
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InspectorLines } from '#src/forensics/inspector-lines.js';
import { peek } from '#src/forensics/peek.js';
import { VitalsSampler } from '#src/forensics/vitals-sampler.js';
import { encodeResource } from '#src/journal/encoder.js';
import { openJournal } from '#src/journal/journal.js';
import { PEEK_ARGUMENTS } from '#src/process/peek-arguments.js';

const SAMPLES = 2000;
const PEEKS = 20;

if (process.send) {
  process.debugPort = 0;
  process.on('message', () => process.send!(process.cpuUsage()));
} else {
  sampling();
  await peeking();
}

function sampling(): void {
  const dir = mkdtempSync(join(tmpdir(), 'forktrace-bench-'));
  const journal = openJournal({
    dir: join(dir, 'bench'),
    mode: 'auto',
    segmentBytes: 1 << 20,
    maxBytes: 1 << 26,
    inFlight: 64,
    resource: encodeResource({}),
    slot: 0,
  });
  const sampler = new VitalsSampler(journal.vitals()!, () => ({ inFlight: 1, served: 1, spans: 1 }));
  for (let i = 0; i < SAMPLES; i++) sampler.sample();
  const before = process.cpuUsage();
  for (let i = 0; i < SAMPLES; i++) sampler.sample();
  const { user, system } = process.cpuUsage(before);
  sampler.stop();
  journal.close();
  rmSync(dir, { recursive: true });
  const us = (user + system) / SAMPLES;
  console.log(
    `${process.version}: a sample of the vitals, once a second: ${us.toFixed(0)} µs, ${(us / 1e4).toFixed(4)} % of a processor`,
  );
}

async function peeking(): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url), { execArgv: [...PEEK_ARGUMENTS], silent: true });
  const lines = new InspectorLines(() => {});
  child.stderr!.on('data', (chunk: Buffer) => void lines.filter(chunk));
  const cpu = async () => {
    child.send('cpu');
    const [{ user, system }] = await once(child, 'message');
    return (user + system) / 1000;
  };
  const look = async () => {
    const found = await peek({ pid: child.pid!, signal: () => void child.kill('SIGUSR1'), lines }, 10_000);
    if (found.found !== 'stack') throw new Error(`not looked into: ${found.reason}`);
    return found.tookMs;
  };
  await cpu();
  await look();
  const before = await cpu();
  const took: number[] = [];
  for (let i = 0; i < PEEKS; i++) {
    took.push(await look());
    // Its event loop turns, and the inspector is closed.
    await cpu();
  }
  const costs = ((await cpu()) - before) / PEEKS;
  took.sort((a, b) => a - b);
  console.log(
    `${process.version}: a healthy process that is looked into: ${costs.toFixed(1)} ms of its processor, answered after ${took[PEEKS / 2]!.toFixed(0)} ms (median), ${took.at(-1)!.toFixed(0)} ms (longest)`,
  );
  child.kill();
}
