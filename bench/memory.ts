/**
 * `npm run bench:memory`: what tracing adds to the memory of a server that has served for a while, and what
 * the shipper takes beside it: memory, and CPU time while nothing is traced.
 *
 *   npm run bench:memory
 *
 * An hour at 1,000 requests/s:
 *
 *   npm run bench:memory -- --contestants untraced,forktrace-journal-mmap --requests 3600000
 *
 * Memory is the proportional set size (smaps, proc(5)) after the requests: pages that processes share, such
 * as the journal's segments, count by their share. Node's own code does not count: it is there once for all
 * who run it. V8 sizes its young generation by itself, by how much outlives its collections, so it is apart:
 * `rest` is without it. Each round has processes of its own; a difference is to the untraced server of the
 * same round.
 *
 * Excluded: the endpoint and the generator. The peers are those of bench/peers that are installed.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { apps, Contestant, OTHER_CORE, peers } from './contestant.js';
import { Load } from './load.js';
import { benchRoot, proportionalSetSize, treeCpuSeconds } from './processes.js';
import { Progress } from './progress.js';
import { type MemoryRow, renderTable, saveResults } from './report.js';
import { median, quartile } from './statistics.js';
import { TimeLimit } from './time-limit.js';

const installed = peers.filter((name) => existsSync(join(benchRoot, 'peers/node_modules', packageOf(name))));
const options = new Command('bench:memory')
  .option('--app <name>', Object.keys(apps).join(', '), 'express')
  .option('--contestants <names>', 'comma-separated', ['untraced,forktrace-journal-mmap,otel-2', ...installed].join())
  .option('--rounds <n>', 'of each contestant', Number, 3)
  .option('--minutes <n>', 'no further round begins that would end later', Number)
  .option('--requests <n>', 'before it is measured', Number, 60_000)
  .option('--node <path>', 'the Node.js that the servers run on')
  .option('--json <name>', 'where the result goes', 'memory')
  .parse()
  .opts<{
    app: string;
    contestants: string;
    rounds: number;
    minutes?: number;
    requests: number;
    node?: string;
    json: string;
  }>();
const { app, requests } = options;
const names = options.contestants.split(',');
if (!apps[app]) throw new Error(`--app: got ${app}, expected one of ${Object.keys(apps).join(', ')}`);
if (!names.includes('untraced')) throw new Error('--contestants: expected untraced among them');

function packageOf(peer: string): string {
  return { sentry: '@sentry/node', 'elastic-apm': 'elastic-apm-node' }[peer] ?? peer;
}

/** Bytes. */
interface Sample {
  worker: number;
  young: number;
  shipper: number;
  shipperIdle: number;
}

/** The shipper looks once a second, renews its lock and looks for leftovers every five. */
const IDLE_MS = 5000;

/** Share of a core that a process takes by itself. */
async function idleShare(pid: number): Promise<number> {
  const before = treeCpuSeconds(pid);
  const from = performance.now();
  await sleep(IDLE_MS);
  return (treeCpuSeconds(pid) - before) / ((performance.now() - from) / 1000);
}

async function measure(name: string): Promise<Sample> {
  const contestant = new Contestant(name);
  const load = new Load(OTHER_CORE);
  try {
    await contestant.start(app, options.node ? { nodePath: options.node } : {});
    await load.connect({ port: contestant.port, path: apps[app]!.path, connections: 32 });
    await load.flatOut(requests, true);
    contestant.expected = name === 'untraced' ? 0 : (requests + 32) * apps[app]!.spans;
    await contestant.settle();
    // Not before: while the load generator has its core, a shipper takes long to start.
    const shipper = contestant.shipper();
    if (shipper === undefined && name.startsWith('forktrace-journal')) throw new Error(`${name} has no shipper`);
    const { youngGeneration } = await contestant.server.ask<{ youngGeneration: number }>('usage');
    return {
      worker: proportionalSetSize(contestant.server.child.pid!),
      young: youngGeneration,
      shipper: shipper === undefined ? 0 : proportionalSetSize(shipper),
      shipperIdle: shipper === undefined ? 0 : await idleShare(shipper),
    };
  } finally {
    await load.stop();
    await contestant.stop();
  }
}

const samples = new Map(names.map((name) => [name, [] as Sample[]]));
const progress = new Progress(names.length * options.rounds);
const limit = new TimeLimit(options.minutes);
for (let round = 0; round < options.rounds; round++) {
  for (let at = 0; at < names.length; at++) {
    const name = names[(at + round) % names.length]!;
    samples.get(name)!.push(await measure(name));
    progress.step(`round ${round + 1}  ${name}`);
  }
  if (!limit.next()) break;
}
progress.end();

const base = samples.get('untraced')!;
const rest = ({ worker, young }: Sample) => worker - young;
const rows = names.map((name): MemoryRow => {
  const own = samples.get(name)!;
  const added = own.map((sample, round) => sample.worker - base[round]!.worker);
  const addedRest = own.map((sample, round) => rest(sample) - rest(base[round]!));
  return {
    name,
    worker: median(own.map(({ worker }) => worker)),
    young: median(own.map(({ young }) => young)),
    added: median(added),
    addedRest: median(addedRest),
    addedRestThreeQuarters: quartile(addedRest, 'upper'),
    shipper: median(own.map(({ shipper }) => shipper)),
    shipperThreeQuarters: quartile(
      own.map(({ shipper }) => shipper),
      'upper',
    ),
    shipperIdle: median(own.map(({ shipperIdle }) => shipperIdle)),
    shipperIdleThreeQuarters: quartile(
      own.map(({ shipperIdle }) => shipperIdle),
      'upper',
    ),
  };
});
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
console.log(
  renderTable(
    [app, 'worker MB', 'of it young', '+ MB', '+ without young', '3/4 of rounds', 'shipper MB', 'idle %'],
    rows.map(({ name, worker, young, added, addedRest, addedRestThreeQuarters, shipper, shipperIdle }) => [
      name,
      ...[worker, young, added, addedRest, addedRestThreeQuarters, shipper].map(megabytes),
      (shipperIdle * 100).toFixed(2),
    ]),
  ),
);
const node = execFileSync(options.node ?? process.execPath, ['--version'], { encoding: 'utf8' }).trim();
saveResults(options.json, { node, app, options: { rounds: base.length, requests }, rows });
