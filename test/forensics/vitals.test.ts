import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { getHeapStatistics } from 'node:v8';
import { cgroupMemory, oomKills } from '#src/forensics/cgroup-memory.js';
import { oldGenerationLimit } from '#src/forensics/heap-limit.js';
import { VitalsSampler } from '#src/forensics/vitals-sampler.js';
import { SECONDS, storeSample, VITAL, vitalsOf } from '#src/forensics/vitals-table.js';
import { openJournal } from '#src/journal/journal.js';
import { readVitals } from '#src/journal/vitals.js';
import { tempDir } from '../process/temp-dir.js';

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
  const memory = cgroupMemory();
  if (memory !== undefined && memory.limit > 0) assert.ok(memory.used > 0 && memory.used <= memory.limit);
  assert.ok(oomKills() >= 0);
});
