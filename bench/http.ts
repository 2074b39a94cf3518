/**
 * `npm run bench:http`: what tracing costs a server, as ratios to the same server untraced, in one run.
 *
 *   npm run bench:http                                    hello-world, the headline contestants
 *   npm run bench:http -- --app express --rounds 9
 *   npm run bench:http -- --contestants bare,forktrace-journal-mmap,otel-2
 *
 * The server has a core of its own; load generator, sink and shipper share the other. Rounds are interleaved: every
 * contestant serves the same number of requests in each, in an order that rotates, right after the untraced server did; a ratio
 * compares these two runs. Latency has rounds of its own, likewise, at 70 % of what the untraced server does.
 *
 * @module
 */

import { execFileSync } from 'node:child_process';
import { Command } from 'commander';
import { probe } from './arrival.js';
import { apps, Contestant, OTHER_CORE, peers } from './contestant.js';
import { type FlatOut, guarded, type Latency, Load } from './load.js';
import { proportionalSetSize, treeCpuSeconds } from './processes.js';
import { Progress } from './progress.js';
import { renderHttpTable, saveResults } from './report.js';
import { median, quartile, spread } from './statistics.js';

interface Sample {
  perSecond: number;
  workerMicros: number;
  allMicros: number;
  /** Bytes, proportional set size. */
  memory: number;
  /** Bytes of it that V8's young generation has. */
  youngGeneration: number;
  loopDelayP99: number;
}

/** Rounds that V8 needs to compile what a server does. */
const WARM_UPS = 2;

const options = new Command('bench:http')
  .option('--app <name>', Object.keys(apps).join(', '), 'hello')
  .option(
    '--contestants <names>',
    'comma-separated; otel-3 needs Node.js 22.15',
    'bare,forktrace-journal-mmap,forktrace-journal-write,forktrace-batch,otel-2',
  )
  .option('--rounds <n>', 'interleaved rounds', Number, 7)
  .option('--requests <n>', 'requests per contestant and round', Number)
  .option('--connections <n>', 'keep-alive connections', Number, 32)
  .option('--latency-rounds <n>', 'interleaved rounds at a fixed rate; 0 leaves them out', Number, 5)
  .option('--latency-ms <n>', 'duration of each', Number, 1500)
  .option('--not-sampled', 'sampler always_off')
  .option('--node <path>', 'the Node.js that the servers run on')
  .option('--peers', 'the peers, too: installs bench/peers')
  .option('--json <file>', 'where the result goes', 'http')
  .parse()
  .opts();

const app = apps[options.app];
if (!app) throw new Error(`--app: got ${options.app}, expected one of ${Object.keys(apps).join(', ')}`);
const names: string[] = [...options.contestants.split(','), ...(options.peers ? peers : [])];
const requests: number = options.requests ?? app.requests;
const spansPerRequest = options.notSampled ? 0 : app.spans;
const load = new Load(OTHER_CORE);
const contestants = names.map((name) => new Contestant(name));
const bare = contestants.find(({ name }) => name === 'bare');
/** A contestant's, and the untraced server's just before; that one's own are its own. */
interface Pair<Measured> {
  own: Measured;
  base: Measured;
}
const samples = new Map(contestants.map((contestant) => [contestant, [] as Pair<Sample>[]]));
const latencies = new Map(contestants.map((contestant) => [contestant, [] as Pair<Latency>[]]));
const attributes = new Map<Contestant, string[]>();

async function connect(contestant: Contestant): Promise<void> {
  const { connections } = options;
  await load.connect({ port: contestant.port, path: app!.path, connections });
  contestant.expected += connections * spansPerRequest;
}

async function measure(contestant: Contestant): Promise<Sample & FlatOut> {
  const { server } = contestant;
  const shipper = contestant.shipper();
  await connect(contestant);
  server.tell('reset');
  const before = await server.ask<{ cpuMicros: number }>('usage');
  const treeBefore = treeCpuSeconds(server.child.pid!, shipper);
  const run = await load.flatOut(requests);
  const after = await server.ask<{ cpuMicros: number; youngGeneration: number; loopDelayP99: number }>('usage');
  contestant.expected += requests * spansPerRequest;
  await contestant.settle();
  const treeAfter = treeCpuSeconds(server.child.pid!, shipper);
  return {
    ...run,
    workerMicros: (after.cpuMicros - before.cpuMicros) / requests,
    allMicros: ((treeAfter - treeBefore) * 1e6) / requests,
    memory: proportionalSetSize(server.child.pid!),
    youngGeneration: after.youngGeneration,
    loopDelayP99: after.loopDelayP99,
  };
}

async function warmUp(contestant: Contestant): Promise<void> {
  if (spansPerRequest > 0 && contestant.name !== 'bare') {
    attributes.set(contestant, await probe(contestant, app!.path, spansPerRequest));
    contestant.expected += spansPerRequest;
  }
  for (let round = 0; round < WARM_UPS; round++) {
    await connect(contestant);
    await load.flatOut(requests);
    contestant.expected += requests * spansPerRequest;
    await contestant.settle();
  }
}

async function measureLatency(contestant: Contestant, rate: number): Promise<Latency> {
  contestant.shipper();
  await connect(contestant);
  const { done, ...latency } = await load.atRate(rate, options.latencyMs);
  contestant.expected += done * spansPerRequest;
  await contestant.settle();
  return latency;
}

/**
 * Every contestant once, in an order that rotates from round to round, each right after the untraced server: the speed of a
 * shared machine changes within seconds.
 */
async function interleaved<Measured>(
  round: number,
  what: string,
  pairs: Map<Contestant, Pair<Measured>[]>,
  run: (contestant: Contestant) => Promise<Measured>,
) {
  const others = contestants.filter((contestant) => contestant !== bare);
  for (let index = 0; index < others.length; index++) {
    const contestant = others[(index + round) % others.length]!;
    const base = bare && (await run(bare));
    const own = await run(contestant);
    pairs.get(contestant)!.push({ own, base: base ?? own });
    if (base) pairs.get(bare)!.push({ own: base, base });
    progress.step(`${what} ${round + 1}  ${contestant.name}`);
  }
}

const latencyRounds = bare ? options.latencyRounds : 0;
const progress = new Progress((contestants.length - (bare ? 1 : 0)) * (options.rounds + latencyRounds));
try {
  for (const contestant of contestants) {
    await contestant.start(options.app, { sampled: !options.notSampled, nodePath: options.node });
  }
  for (const contestant of contestants) await warmUp(contestant);
  for (let round = 0; round < options.rounds; round++) {
    await interleaved(round, 'throughput', samples, (contestant) => guarded(() => measure(contestant)));
  }
  for (let round = 0; bare && round < latencyRounds; round++) {
    // 70 % of what the untraced server does at the time: a contestant that cannot keep up shows it as latency.
    const rate = 0.7 * (await measure(bare)).perSecond;
    await interleaved(round, 'latency', latencies, (contestant) => measureLatency(contestant, rate));
  }
  progress.end();
  const summary = contestants.map((contestant) => {
    const pairs = samples.get(contestant)!;
    const latencyPairs = latencies.get(contestant)!;
    const of = (key: keyof Sample) => median(pairs.map(({ own }) => own[key]));
    const latency = (key: keyof Latency) => median(latencyPairs.map(({ own }) => own[key]));
    const differences = (key: keyof Sample) => pairs.map(({ own, base }) => own[key] - base[key]);
    const added = (key: keyof Sample) => bare && median(differences(key));
    const throughput = bare && pairs.map(({ own, base }) => own.perSecond / base.perSecond);
    const p99 = latencyPairs.map(({ own, base }) => own.p99 / base.p99);
    return {
      name: contestant.name,
      perSecond: of('perSecond'),
      throughputRatio: throughput && median(throughput),
      throughputSpread: throughput && spread(throughput),
      workerMicros: of('workerMicros'),
      addedWorkerMicros: added('workerMicros'),
      addedAllMicros: added('allMicros'),
      memory: of('memory'),
      youngGeneration: of('youngGeneration'),
      loopDelayP99: of('loopDelayP99'),
      latency:
        latencyPairs.length > 0 ? { p50: latency('p50'), p99: latency('p99'), p999: latency('p999') } : undefined,
      p99Ratio: p99.length > 0 ? median(p99) : undefined,
      p99Spread: p99.length > 0 ? spread(p99) : undefined,
      delivered: contestant.delivered,
      attributes: attributes.get(contestant),
      threeQuarters: bare && {
        throughputRatio: quartile(throughput!, 'lower'),
        addedWorkerMicros: quartile(differences('workerMicros'), 'upper'),
        addedAllMicros: quartile(differences('allMicros'), 'upper'),
        memory: quartile(differences('memory'), 'upper'),
        p99Ratio: p99.length > 0 ? quartile(p99, 'upper') : undefined,
      },
    };
  });
  const unsampled = contestants.find(({ received }) => spansPerRequest === 0 && received > 0);
  if (unsampled) throw new Error(`${unsampled.name}: ${unsampled.received} spans arrived, though none is sampled`);
  console.log(renderHttpTable(options.app, summary));
  const node = execFileSync(options.node ?? process.execPath, ['--version'], { encoding: 'utf8' }).trim();
  const { rounds, latencyMs, connections } = options;
  saveResults(options.json, {
    app: options.app,
    node,
    options: { rounds, requests, connections, latencyRounds, latencyMs, notSampled: options.notSampled ?? false },
    summary,
  });
} finally {
  await Promise.all(contestants.map((contestant) => contestant.stop()));
  await load.stop();
}
