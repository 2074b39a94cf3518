import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { cgroupLimit, cgroupUsed, oomKills } from '#src/forensics/cgroup-memory.js';
import { oldGenerationLimit } from '#src/forensics/heap-limit.js';
import { VitalsSampler } from '#src/forensics/vitals-sampler.js';
import { SECONDS, storeSample, VITAL, vitalsOf } from '#src/forensics/vitals-table.js';
import { openJournal } from '#src/journal/journal.js';
import { readVitals } from '#src/journal/vitals.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';

const into = (page: Float64Array) => (index: number, value: number) => {
  page[index] = value;
};
const sample = (atMs: number) => {
  const names = Object.keys(VITAL).filter((name) => name !== 'taken');
  return { ...Object.fromEntries(names.map((name, i) => [name, i])), atMs } as Omit<
    Record<keyof typeof VITAL, number>,
    'taken'
  >;
};

test('the last minute, the oldest second first, and the newest sample', () => {
  const page = new Float64Array(512);
  assert.equal(vitalsOf(page), undefined, 'a page without a sample');
  for (let second = 0; second < SECONDS + 15; second++) {
    storeSample(into(page), sample(second), second);
    const { last, minute } = vitalsOf(page)!;
    assert.equal(last.atMs, second);
    assert.equal(last.taken, second + 1);
    const first = Math.max(0, second + 1 - SECONDS);
    assert.deepEqual(
      minute.map(({ atMs }) => atMs),
      Array.from({ length: second + 1 - first }, (_, i) => first + i),
    );
  }
});

test('numbers that no process writes are no vitals', () => {
  const page = new Float64Array(512);
  storeSample(into(page), sample(1), 0);
  page[VITAL.rss] = Number.NaN;
  assert.equal(vitalsOf(page), undefined);
});

for (const mode of ['mmap', 'write'] as const) {
  test(`${mode}: this process's vitals, as another one reads them`, async (t) => {
    const dir = join(await tempDir(t), 'journal');
    const journal = openJournal({
      dir,
      mode,
      maxBytes: 2 ** 26,
      segmentBytes: 65536,
      inFlight: 16,
      resource: Buffer.alloc(0),
    });
    t.after(() => journal.close());
    const sampler = new VitalsSampler(journal.vitals()!, () => ({ inFlight: 2, served: 7, spans: 5 }));
    t.after(() => sampler.stop());
    const until = performance.now() + 30;
    while (performance.now() < until);
    sampler.sample();
    const { last, minute } = vitalsOf(readVitals(dir, journal.writerId)!.numbers)!;
    assert.equal(minute.length, 1);
    const { inFlight, served, spans, taken } = last;
    assert.deepEqual({ inFlight, served, spans, taken }, { inFlight: 2, served: 7, spans: 5, taken: 1 });
    assert.ok(Math.abs(last.atMs - Date.now()) < 60_000);
    assert.ok(last.heapUsed > 1e6 && last.heapUsed < last.heapLimit);
    assert.ok(last.rss > 1e7);
    assert.ok(last.utilization > 0 && last.utilization <= 1);
    assert.ok(last.cpuMs > 10);
    assert.ok(last.handles >= 0);
  });
}

test('a process that does nothing is woken for its samples, and for little else', async (t) => {
  const dir = join(await tempDir(t), 'journal');
  const program = runProgram(t, fixture('idle-vitals'), { args: [dir] });
  const [, id] = await program.waitForOutput(/writer ([0-9a-f]{32})/);
  const samples = (count: number) =>
    program.waitFor(() => (vitalsOf(readVitals(dir, id!)!.numbers)?.last.taken ?? 0) >= count, `${count} samples`);
  const wakeUps = () => {
    const status = readFileSync(`/proc/${program.pid}/status`, 'utf8');
    return Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)![1]);
  };
  // The first seconds have the start, and garbage of it.
  await samples(4);
  const before = wakeUps();
  await samples(9);
  const woken = wakeUps() - before;
  assert.ok(woken <= 25, `${woken} times in 5 s`);
});

test('the delay of an event loop that was idle is seen again once it is busy', async (t) => {
  const dir = join(await tempDir(t), 'journal');
  const options = { maxBytes: 2 ** 26, segmentBytes: 65536, inFlight: 16, resource: Buffer.alloc(0) };
  const journal = openJournal({ dir, mode: 'write', ...options });
  t.after(() => journal.close());
  const sampler = new VitalsSampler(journal.vitals()!, () => ({ inFlight: 0, served: 0, spans: 0 }));
  t.after(() => sampler.stop());
  const last = () => vitalsOf(readVitals(dir, journal.writerId)!.numbers)!.last;
  const block = (ms: number) => {
    const until = performance.now() + ms;
    while (performance.now() < until);
  };
  const idle = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
  await waitFor(async () => {
    sampler.sample();
    await idle(300);
    sampler.sample();
    return last().utilization < 0.01;
  }, 'an idle loop');
  await waitFor(async () => {
    block(50);
    sampler.sample();
    await idle(250);
    block(400);
    await idle(150);
    sampler.sample();
    return last().delayMs > 100;
  }, 'a delay');
});

test('the limit of the heap is where V8 gives up, which is below what Node tells', () => {
  const MB = 1024 * 1024;
  assert.equal(oldGenerationLimit(240 * MB, ['--max-old-space-size=48']), 48 * MB);
  assert.equal(oldGenerationLimit(240 * MB, ['--max_old_space_size', '48']), 48 * MB);
  assert.equal(oldGenerationLimit(248 * MB, ['--max-old-space-size=48', '--max-old-space-size=200']), 200 * MB);
  assert.equal(oldGenerationLimit(100 * MB, ['--max-heap-size=100']), 100 * MB);
  assert.equal(oldGenerationLimit(600 * MB, ['--max-semi-space-size=8']), 576 * MB);
  const told = getHeapStatistics().heap_size_limit;
  const found = oldGenerationLimit();
  assert.ok(found < told && found >= told / 2, `${found} of ${told}`);
});

test('a control group with a limit has one that is above what is used', () => {
  const used = cgroupUsed();
  const limit = cgroupLimit();
  if (used !== undefined && limit > 0) assert.ok(used > 0 && used <= limit);
  assert.ok(oomKills() >= 0);
});
