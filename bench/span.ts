/**
 * `npm run bench:span`: CPU time of one span, started, ended and turned into OTLP bytes: the lean tracer into a log in memory
 * that copies as the journal does, against the SDK's span and `ProtobufTraceSerializer` in batches of 512, the batch
 * processor's size. Excluded: sending, and the system calls of either side. Included: garbage collection, the API's context
 * manager, two readings of the clock.
 *
 *   npm run bench:span
 *   npm run bench:span -- --rounds 15 --cases "3 attributes"
 *
 * Each contestant has a process of its own, so that neither spoils what V8 has learned from the other; rounds are interleaved.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import Table from 'cli-table3';
import { Command } from 'commander';
import { saveResults } from './report.js';
import { type Contestant, spanCases } from './span-cases.js';
import { median, spread } from './statistics.js';

/** The lean tracer against the SDK, for a child span with 3 attributes. */
const BUDGET = 1 / 8;

const options = new Command()
  .option('--rounds <n>', 'rounds', '11')
  .option('--spans <n>', 'spans of a round', '60000')
  .option('--cases <names>', 'comma-separated', Object.keys(spanCases).join(','))
  .parse()
  .opts<{ rounds: string; spans: string; cases: string }>();

const names = options.cases.split(',');
const unknown = names.filter((name) => !(name in spanCases));
if (unknown.length > 0) throw new Error(`--cases: got ${unknown}, expected some of ${Object.keys(spanCases)}`);

const contestants: Record<Contestant, ChildProcess> = {
  lean: fork(fileURLToPath(new URL('span-contestant.js', import.meta.url)), ['lean']),
  sdk: fork(fileURLToPath(new URL('span-contestant.js', import.meta.url)), ['sdk']),
};

async function measure(contestant: Contestant, name: string, spans: number): Promise<number> {
  const child = contestants[contestant];
  child.send({ name, spans });
  const [{ nanos, delivered }] = (await once(child, 'message')) as [{ nanos: number; delivered: number }];
  assert.equal(delivered, spans * spanCases[name]!.delivers, `${contestant} did not deliver every span of ${name}`);
  return nanos / spans;
}

const table = new Table({
  head: ['', 'lean ns', 'SDK ns', 'ratio', '±', 'SDK ÷ lean'],
  style: { head: [], border: [] },
});
const results: Record<string, object> = {};
let held = true;
for (const name of names) {
  const samples: Record<Contestant, number[]> = { lean: [], sdk: [] };
  const ratios: number[] = [];
  for (let round = -2; round < Number(options.rounds); round++) {
    const order: Contestant[] = round % 2 === 0 ? ['lean', 'sdk'] : ['sdk', 'lean'];
    const nanos = { lean: 0, sdk: 0 };
    for (const contestant of order) nanos[contestant] = await measure(contestant, name, Number(options.spans));
    // V8 compiles in the first rounds.
    if (round < 0) continue;
    samples.lean.push(nanos.lean);
    samples.sdk.push(nanos.sdk);
    ratios.push(nanos.lean / nanos.sdk);
  }
  const ratio = median(ratios);
  results[name] = { leanNanos: median(samples.lean), sdkNanos: median(samples.sdk), ratio, spread: spread(ratios) };
  table.push([
    name,
    median(samples.lean).toFixed(0),
    median(samples.sdk).toFixed(0),
    ratio.toFixed(3),
    spread(ratios).toFixed(3),
    (1 / ratio).toFixed(1),
  ]);
  if (name === '3 attributes' && ratio > BUDGET) held = false;
}
for (const child of Object.values(contestants)) child.disconnect();
console.log(table.toString());
console.log(`Budget: 3 attributes at most ${BUDGET} of the SDK: ${held ? 'held' : 'MISSED'}`);
saveResults('span', { budget: BUDGET, cases: results });
if (!held) process.exitCode = 1;
