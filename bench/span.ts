/**
 * `npm run bench:span`: CPU time of one span, started, ended and turned into OTLP bytes: forktrace's tracer
 * into a log in memory that copies as the journal does, against the spans of OpenTelemetry's SDK, 2.x and
 * 3.x, and its `ProtobufTraceSerializer` in batches of 512, the batch processor's size. 3.x needs Node.js
 * 22.15 and is left out on an older one. Excluded: sending, and the system calls of either side. Included:
 * garbage collection, the API's context manager, two readings of the clock.
 *
 *   npm run bench:span
 *   npm run bench:span -- --rounds 15 --cases "3 attributes" --node .node/24/node_modules/node/bin/node
 *
 * Each contestant has processes of its own, so that none spoils what V8 has learned from another; rounds are
 * interleaved. It has several, one after the other: where code and data come to lie differs from process to
 * process, and makes the same span up to 12 % slower or faster.
 *
 * @module
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { decode } from '#src/wire/decode.js';
import { TracesRequest } from '#src/wire/otlp.js';
import { install } from './contestant.js';
import { BenchProcess } from './processes.js';
import { Progress } from './progress.js';
import { renderTable, type SpanResults, saveResults } from './report.js';
import { type Contestant, spanCases } from './span-cases.js';
import { median, quartile, spread } from './statistics.js';
import { TimeLimit } from './time-limit.js';

const options = new Command('bench:span')
  .option('--rounds <n>', 'rounds of each process', Number, 4)
  .option('--processes <n>', 'processes of each contestant', Number, 3)
  .option('--minutes <n>', 'no further process begins that would end later', Number)
  .option('--spans <n>', 'spans of a round', Number, 60_000)
  .option('--cases <names>', 'comma-separated', Object.keys(spanCases).join(','))
  .option('--against <names>', 'comma-separated', 'sdk-2,sdk-3')
  .option('--node <path>', 'the Node.js to measure on')
  .parse()
  .opts<{
    rounds: number;
    processes: number;
    minutes?: number;
    spans: number;
    cases: string;
    against: string;
    node?: string;
  }>();

const cases = options.cases.split(',');
const unknown = cases.filter((name) => !(name in spanCases));
if (unknown.length > 0) throw new Error(`--cases: got ${unknown}, expected some of ${Object.keys(spanCases)}`);

const node = execFileSync(options.node ?? process.execPath, ['--version'], { encoding: 'utf8' }).trim();
const [major, minor] = node.slice(1).split('.').map(Number) as [number, number];
const runsSdk3 = major > 22 || (major === 22 && minor >= 15);
const against = options.against.split(',').filter((name) => name !== 'sdk-3' || runsSdk3);
if (against.includes('sdk-3')) install('otel-3');
const names = ['forktrace', ...against] as Contestant[];
const program = fileURLToPath(new URL('span-contestant.js', import.meta.url));

interface Running {
  name: Contestant;
  process: BenchProcess;
}

function start(name: Contestant): Running {
  return { name, process: new BenchProcess(program, [name], { ...(options.node && { nodePath: options.node }) }) };
}

/** CPU time of one span in nanoseconds. */
async function measure({ name, process }: Running, spanCase: string): Promise<number> {
  const { spans } = options;
  const { nanos, delivered } = await process.ask<{ nanos: number; delivered: number }>({ name: spanCase, spans });
  assert.equal(delivered, spans * spanCases[spanCase]!.delivers, `${name} did not deliver every span of ${spanCase}`);
  return nanos / spans;
}

/** One run of a case, decoded: what a span has, without what differs from run to run. */
async function recorded({ process }: Running, spanCase: string): Promise<object[]> {
  const { body } = await process.ask<{ body?: string }>({ name: spanCase, spans: 1, keep: true });
  const { resourceSpans } = decode(Buffer.from(body ?? '', 'base64'), TracesRequest);
  return (resourceSpans ?? [])
    .flatMap(({ scopeSpans }) => scopeSpans ?? [])
    .flatMap(({ spans }) => spans ?? [])
    .map(({ name, kind, attributes, events, status }) => ({
      name,
      kind,
      attributes: attributes ?? [],
      events: events?.map((event) => ({ name: event.name, attributes: event.attributes ?? [] })) ?? [],
      status: status?.code ?? 0,
    }));
}

/** V8 compiles in the first rounds. */
const WARM_UP = 2;
const progress = new Progress(options.processes * cases.length * (WARM_UP + options.rounds));
/** By case and contestant. */
const samples = new Map(cases.map((spanCase) => [spanCase, names.map(() => [] as number[])]));
const limit = new TimeLimit(options.minutes);
let processes = 0;
while (processes < options.processes) {
  const contestants = names.map(start);
  for (const spanCase of cases) {
    // What is measured happens, and it is the same for all.
    const [first, ...others] = await Promise.all(contestants.map((contestant) => recorded(contestant, spanCase)));
    assert.equal(first!.length, spanCases[spanCase]!.delivers, `spans of ${spanCase}`);
    for (const other of others) assert.deepEqual(first, other, `${spanCase}: the contestants record different spans`);
    for (let round = -WARM_UP; round < options.rounds; round++) {
      for (let index = 0; index < contestants.length; index++) {
        const turn = (index + WARM_UP + round) % contestants.length;
        const nanos = await measure(contestants[turn]!, spanCase);
        if (round >= 0) samples.get(spanCase)![turn]!.push(nanos);
      }
      progress.step(spanCase);
    }
  }
  await Promise.all(contestants.map((contestant) => contestant.process.stop()));
  processes++;
  if (!limit.next()) break;
}
progress.end();

const results: SpanResults['cases'] = {};
for (const [spanCase, [ours, ...sdks]] of samples) {
  results[spanCase] = {
    nanos: median(ours!),
    against: sdks.map((sdk, index) => {
      const ratios = ours!.map((nanos, round) => nanos / sdk[round]!);
      return {
        name: names[index + 1]!,
        nanos: median(sdk),
        ratio: median(ratios),
        threeQuarters: quartile(ratios, 'upper'),
        spread: spread(ratios),
      };
    }),
  };
}

console.log(
  renderTable(
    ['ns', 'forktrace', ...names.slice(1).flatMap((name) => [name, `${name} ÷ forktrace`, '±'])],
    Object.entries(results).map(([name, { nanos, against }]) => [
      name,
      nanos.toFixed(0),
      ...against.flatMap((sdk) => [sdk.nanos.toFixed(0), (1 / sdk.ratio).toFixed(1), sdk.spread.toFixed(3)]),
    ]),
  ),
);
const { rounds, spans } = options;
saveResults('span', { node, options: { rounds, processes, spans }, cases: results });
