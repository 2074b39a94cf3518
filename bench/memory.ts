/**
 * `npm run bench:memory`: what tracing adds to the memory of a server that has served for a while, and what
 * the shipper takes beside it: memory, and CPU time while nothing is traced.
 *
 *   npm run bench:memory
 *
 * An hour at 1,000 requests/s:
 *
 *   npm run bench:memory -- --apps hello --contestants untraced,forktrace-journal-mmap --requests 3600000
 *
 * Memory is the proportional set size (smaps, proc(5)) after the requests: pages that processes share, such
 * as the journal's segments, count by their share. Node's own code does not count: it is there once for all
 * who run it. V8 sizes its young generation by itself, by how much outlives its collections, so it is apart:
 * `rest` is without it. In a round all contestants run at the same time, in processes of its own; they get
 * their requests one after the other, then all of them 500 a second for 12 s, after which what a process does
 * once it has warmed up is done. A difference is to the untraced server of the same round.
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
import { benchRoot, prioritizeSession, proportionalSetSize, treeCpuSeconds } from './processes.js';
import { Progress } from './progress.js';
import { type MemoryRow, renderTable, saveResults } from './report.js';
import { median, quartile } from './statistics.js';
import { TimeLimit } from './time-limit.js';

const installed = peers.filter((name) => existsSync(join(benchRoot, 'peers/node_modules', packageOf(name))));
const options = new Command('bench:memory')
  .option('--apps <names>', `comma-separated: ${Object.keys(apps).join(', ')}`, 'hello,express')
  .option('--contestants <names>', 'comma-separated', ['untraced,forktrace-journal-mmap,otel-2', ...installed].join())
  .option('--rounds <n>', 'of each contestant', Number, 3)
  .option('--minutes <n>', 'no further round begins that would end later', Number)
  .option('--requests <n>', 'before it is measured', Number, 60_000)
  .option('--node <path>', 'the Node.js that the servers run on')
  .option('--json <name>', 'where the result goes', 'memory')
  .parse()
  .opts<{
    apps: string;
    contestants: string;
    rounds: number;
    minutes?: number;
    requests: number;
    node?: string;
    json: string;
  }>();
const { requests } = options;
const appNames = options.apps.split(',');
const names = options.contestants.split(',');
for (const app of appNames)
  if (!apps[app]) throw new Error(`--apps: got ${app}, expected some of ${Object.keys(apps).join(', ')}`);
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

const CONNECTIONS = 32;
/**
 * How all contestants are served before they are measured: requests a second, and for so long. At 100 a
 * second V8 finds that little is allocated, and shrinks the heaps of those who have collected it once before.
 */
const RATE = 500;
const SERVING_MS = 12_000;
/** The shipper looks once a second, renews its lock and looks for leftovers every five. */
const IDLE_MS = 5000;

/** Share of a core that a process takes by itself. */
async function idleShare(pid: number): Promise<number> {
  const before = treeCpuSeconds(pid);
  const from = performance.now();
  await sleep(IDLE_MS);
  return (treeCpuSeconds(pid) - before) / ((performance.now() - from) / 1000);
}

class Served {
  readonly contestant: Contestant;
  readonly #load = new Load(OTHER_CORE);

  constructor(
    readonly app: string,
    readonly name: string,
  ) {
    this.contestant = new Contestant(name);
  }

  async warmUp(): Promise<void> {
    const { app, contestant } = this;
    await contestant.start(app, options.node ? { nodePath: options.node } : {});
    await this.#load.connect({ port: contestant.port, path: apps[app]!.path, connections: CONNECTIONS });
    await this.#load.flatOut(requests, true);
  }

  /** Read right after requests: a process that has nothing to do for some seconds collects its garbage. */
  async sample(): Promise<Sample> {
    const { contestant, name } = this;
    const { done } = await this.#load.atRate(RATE, SERVING_MS, true, true);
    const shipper = contestant.shipper();
    if (shipper === undefined && name.startsWith('forktrace-journal')) throw new Error(`${name} has no shipper`);
    const { youngGeneration } = await contestant.server.ask<{ youngGeneration: number }>('usage');
    const memory = {
      worker: proportionalSetSize(contestant.server.child.pid!),
      young: youngGeneration,
      shipper: shipper === undefined ? 0 : proportionalSetSize(shipper),
    };
    contestant.expected = name === 'untraced' ? 0 : (requests + CONNECTIONS + done) * apps[this.app]!.spans;
    await contestant.settle();
    return { ...memory, shipperIdle: shipper === undefined ? 0 : await idleShare(shipper) };
  }

  async stop(): Promise<void> {
    await this.#load.stop();
    await this.contestant.stop();
  }
}

async function runRound(app: string): Promise<Map<string, Sample>> {
  const servers: Served[] = [];
  try {
    for (const name of names) {
      const served = new Served(app, name);
      servers.push(served);
      await served.warmUp();
      progress.step(`${app}  ${name}`);
    }
    const samples = await Promise.all(servers.map((served) => served.sample()));
    return new Map(names.map((name, index) => [name, samples[index]!]));
  } finally {
    await Promise.all(servers.map((served) => served.stop()));
  }
}

// A server that waits for its core is one that has not warmed up.
process.once('exit', prioritizeSession(process.pid));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
/** Of each app, its rounds. */
const rounds = new Map(appNames.map((app) => [app, [] as Map<string, Sample>[]]));
const progress = new Progress(names.length * appNames.length * options.rounds);
const limit = new TimeLimit(options.minutes);
for (let round = 0; round < options.rounds; round++) {
  for (const app of appNames) rounds.get(app)!.push(await runRound(app));
  if (!limit.next()) break;
}
progress.end();

const rest = ({ worker, young }: Sample) => worker - young;
const rows = [...rounds].flatMap(([app, samples]) => names.map((name) => rowOf(app, name, samples)));

function rowOf(app: string, name: string, samples: readonly Map<string, Sample>[]): MemoryRow {
  const own = samples.map((round) => round.get(name)!);
  const added = (of: (sample: Sample) => number) =>
    samples.map((round) => of(round.get(name)!) - of(round.get('untraced')!));
  const middle = (of: (sample: Sample) => number) => median(own.map(of));
  const threeQuarters = (of: (sample: Sample) => number) => quartile(own.map(of), 'upper');
  return {
    app,
    name,
    worker: middle(({ worker }) => worker),
    young: middle(({ young }) => young),
    added: median(added(({ worker }) => worker)),
    addedThreeQuarters: quartile(
      added(({ worker }) => worker),
      'upper',
    ),
    addedRest: median(added(rest)),
    shipper: middle(({ shipper }) => shipper),
    shipperThreeQuarters: threeQuarters(({ shipper }) => shipper),
    shipperIdle: middle(({ shipperIdle }) => shipperIdle),
    shipperIdleThreeQuarters: threeQuarters(({ shipperIdle }) => shipperIdle),
  };
}
const megabytes = (bytes: number) => (bytes / 1e6).toFixed(1);
console.log(
  renderTable(
    ['app', '', 'worker MB', 'of it young', '+ MB', '3/4 of rounds', '+ without young', 'shipper MB', 'idle %'],
    rows.map(({ app, name, worker, young, added, addedThreeQuarters, addedRest, shipper, shipperIdle }) => [
      app,
      name,
      ...[worker, young, added, addedThreeQuarters ?? added, addedRest, shipper].map(megabytes),
      (shipperIdle * 100).toFixed(2),
    ]),
  ),
);
const node = execFileSync(options.node ?? process.execPath, ['--version'], { encoding: 'utf8' }).trim();
saveResults(options.json, { node, options: { rounds: rounds.get(appNames[0]!)!.length, requests }, rows });
