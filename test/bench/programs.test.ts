/** The benchmarks themselves, with as little to measure as they accept. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ClusterResults, HttpResults, KilledResults, RateResults, SpanResults } from '#bench/report.js';
import { runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';

const TIMEOUT_MS = 300_000;

async function bench<Results>(t: TestContext, program: string, name: string, args: string[]): Promise<Results> {
  const results = await tempDir(t);
  const path = fileURLToPath(new URL(`../../dist-bench/${program}.js`, import.meta.url));
  const running = runProgram(t, path, { args, env: { BENCH_RESULTS: results } });
  const { code } = await running.waitForExit(TIMEOUT_MS);
  assert.equal(code, 0, running.stderr);
  return JSON.parse(readFileSync(join(results, `${name}.json`), 'utf8'));
}

test('bench:span compares what forktrace and the SDK record, and measures it', async (t) => {
  const args = ['--rounds', '1', '--spans', '200', '--against', 'sdk-2'];
  const { cases } = await bench<SpanResults>(t, 'span', 'span', args);
  assert.ok(Object.keys(cases).length >= 12);
  for (const [name, { nanos, against }] of Object.entries(cases)) {
    assert.ok(nanos > 0, name);
    assert.deepEqual(
      against.map((one) => one.name),
      ['sdk-2'],
    );
  }
});

test('bench:http has throughput, CPU, memory, latency, attributes and what was delivered', async (t) => {
  const contestants = ['--contestants', 'untraced,forktrace-journal-mmap,forktrace-journal-write'];
  const few = ['--rounds', '1', '--requests', '10000', '--latency-rounds', '1', '--latency-ms', '300'];
  const { summary } = await bench<HttpResults>(t, 'http', 'http', [...contestants, ...few]);
  const [untraced, ...traced] = summary;
  assert.equal(untraced!.throughputRatio, 1);
  assert.equal(untraced!.delivered, undefined);
  assert.equal(traced.length, 2);
  for (const one of traced) {
    assert.equal(one.delivered, 1, one.name);
    assert.ok(one.throughputRatio! > 0 && one.p99Ratio! > 0 && one.latency!.p999 >= one.latency!.p50, one.name);
    assert.ok(one.memory > one.youngGeneration && one.youngGeneration > 0, one.name);
    assert.ok(one.attributes!.includes('url.path'), one.name);
  }
});

test('bench:rate has CPU, latency and what was delivered of each window', async (t) => {
  const args = ['--apps', 'hello', '--rates', '300', '--contestants', 'untraced,forktrace-journal-mmap', '--latency'];
  const { rows } = await bench<RateResults>(t, 'rate/main', 'rate', [...args, '--passes', '2', '--window-s', '1']);
  const [untraced, ours] = rows[0]!.contestants;
  assert.deepEqual([rows[0]!.passes, rows[0]!.rounds, rows[0]!.unable], [2, 2, []]);
  assert.ok(untraced!.worker > 0 && ours!.shipper > 0);
  assert.equal(untraced!.delivered, undefined);
  assert.equal(ours!.delivered, 1);
});

test('bench:cluster has CPU over all processes, memory, readiness, reload and what was delivered', async (t) => {
  const args = ['--contestants', 'untraced,forktrace-journal-mmap', '--workers', '2', '--spans', '3', '--rounds', '1'];
  const { summary } = await bench<ClusterResults>(t, 'cluster', 'cluster', args);
  const [untraced, traced] = summary;
  assert.equal(untraced!.delivered, undefined);
  assert.equal(traced!.delivered, 1);
  assert.ok(traced!.cpuMicros > 0 && traced!.readyMs > 0 && traced!.reloadMs! > 0);
  assert.ok(traced!.allMemory > 2 * traced!.workerMemory && traced!.workerMemory > untraced!.workerMemory);
});

test('bench:killed counts what is reported of the requests before a kill', async (t) => {
  const args = ['--contestants', 'forktrace-journal-mmap,forktrace-batch', '--requests', '20'];
  const { rows } = await bench<KilledResults>(t, 'killed', 'killed', args);
  const [journal, batch] = rows;
  assert.deepEqual(journal, { name: 'forktrace-journal-mmap', kept: 20 });
  assert.ok(batch!.kept < 20, 'what waits in memory for the next batch is lost');
});
