import assert from 'node:assert/strict';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { verdicts } from '#bench/budgets.js';
import { readmeShare, reportPage } from '#bench/report-page.js';
import { median, quartile, spread } from '#bench/statistics.js';
import { tempDir } from '../process/temp-dir.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const read = (file: string) => readFileSync(join(root, file), 'utf8');

test('docs/benchmarks.md and the README say what the results say', () => {
  assert.equal(reportPage(verdicts()), read('docs/benchmarks.md'));
  assert.ok(read('README.md').includes(readmeShare()));
});

test('a budget that the median holds is short when a quarter of the rounds does not', async (t) => {
  const dir = await tempDir(t);
  cpSync(join(root, 'bench/results'), dir, { recursive: true });
  process.env.BENCH_RESULTS = dir;
  t.after(() => delete process.env.BENCH_RESULTS);
  const file = join(dir, 'http-hello-node24.json');
  const results = JSON.parse(readFileSync(file, 'utf8'));
  const ours = results.summary.find(({ name }: { name: string }) => name === 'forktrace-journal-mmap');
  const verdictWith = (throughputRatio: number, threeQuarters: number) => {
    ours.throughputRatio = throughputRatio;
    ours.threeQuarters.throughputRatio = threeQuarters;
    writeFileSync(file, JSON.stringify(results));
    return verdicts()[0]!.held;
  };
  assert.equal(verdictWith(0.95, 0.91), true);
  assert.equal(verdictWith(0.95, 0.89), false);
});

test('median, quartiles and spread of rounds', () => {
  const rounds = [5, 1, 4, 2, 3];
  assert.equal(median(rounds), 3);
  assert.equal(median([1, 2, 3, 4]), 2.5);
  assert.equal(quartile(rounds, 'lower'), 2);
  assert.equal(quartile(rounds, 'upper'), 4);
  assert.equal(quartile([7], 'upper'), 7);
  assert.equal(spread([3, 3, 3]), 0);
  assert.ok(spread([1, 2, 3, 4, 5]) > 0);
});
