/**
 * `npm run bench:http`: what tracing costs a server, as ratios to the same server untraced, in one run.
 *
 *   npm run bench:http                                    hello-world, the headline contestants
 *   npm run bench:http -- --app express --rounds 9
 *   npm run bench:http -- --contestants untraced,forktrace-journal-mmap,otel-2
 *
 * The server has a core of its own; load generator, sink and shipper share the other. Rounds are interleaved,
 * and every one has processes of its own, since where code and data come to lie makes a process faster or
 * slower for all its life. In each, every contestant serves the same number of requests, in an order that
 * rotates, by turns with the untraced server, in slices of some hundred milliseconds; a ratio compares the
 * two. Latency is measured in the first rounds, likewise, at 70 % of what the untraced server does.
 *
 * @module
 */

import { execFileSync } from 'node:child_process';
import { Command } from 'commander';
import { probe } from './arrival.js';
import { apps, Contestant, OTHER_CORE, peers } from './contestant.js';
import { guarded, type Latency, Load, latencyOf } from './load.js';
import { proportionalSetSize, treeCpuSeconds } from './processes.js';
import { Progress } from './progress.js';
import { renderHttpTable, saveResults } from './report.js';
import { median, quartile, spread } from './statistics.js';
import { TimeLimit } from './time-limit.js';

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

interface Usage {
  cpuMicros: number;
  youngGeneration: number;
  loopDelayP99: number;
}

/** Of a round: short enough for the machine to be the same one, long enough for caches not to count. */
const SLICES = 8;
/** Of a round's requests: so many does V8 need to compile what a server and its shipper do. */
const WARM_UP_SHARE = 0.5;

const options = new Command('bench:http')
  .option('--app <name>', Object.keys(apps).join(', '), 'hello')
  .option(
    '--contestants <names>',
    'comma-separated; otel-3 needs Node.js 22.15',
    'untraced,forktrace-journal-mmap,forktrace-journal-write,forktrace-batch,otel-2',
  )
  .option('--rounds <n>', 'interleaved rounds', Number, 7)
  .option('--minutes <n>', 'no further round begins that would end later', Number)
  .option('--requests <n>', 'requests per contestant and round', Number)
  .option('--connections <n>', 'keep-alive connections', Number, 32)
  .option('--latency-rounds <n>', 'of these, rounds with a part at a fixed rate; 0 leaves it out', Number, 5)
  .option('--latency-ms <n>', 'duration of each', Number, 2000)
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
// One for each of the two servers that take turns.
const load = new Load(OTHER_CORE);
const baseLoad = new Load(OTHER_CORE);
const hasUntraced = names.includes('untraced');
const traced = names.filter((name) => name !== 'untraced');

/** A contestant's, and the untraced server's of the same round; that one's own are its own. */
interface Pair<Measured> {
  own: Measured;
  base: Measured;
}

/** What is known of a contestant from all its processes. */
class Measurements {
  readonly samples: Pair<Sample>[] = [];
  readonly latencies: Pair<Latency>[] = [];
  /** Keys of its server span. */
  attributes: string[] | undefined = undefined;
  expected = 0;
  received = 0;

  add({ expected, received }: Contestant): void {
    this.expected += expected;
    this.received += received;
  }

  get delivered(): number | undefined {
    return this.expected > 0 ? this.received / this.expected : undefined;
  }
}

const measured = new Map(names.map((name) => [name, new Measurements()]));

/** One server's part of a round: its connections, and what it has used since they were opened. */
class Turn {
  readonly #shipper: number | undefined;
  #usage!: Usage;
  #treeSeconds = 0;
  #done = 0;
  #seconds = 0;
  #firstSeconds = 0;
  readonly latencies: number[] = [];

  private constructor(
    readonly contestant: Contestant,
    readonly load: Load,
  ) {
    this.#shipper = contestant.shipper();
  }

  static async begin(contestant: Contestant, load: Load): Promise<Turn> {
    const turn = new Turn(contestant, load);
    const { connections } = options;
    await load.connect({ port: contestant.port, path: app!.path, connections });
    contestant.expected += connections * spansPerRequest;
    contestant.server.tell('reset');
    turn.#usage = await contestant.server.ask<Usage>('usage');
    turn.#treeSeconds = treeCpuSeconds(contestant.server.child.pid!, turn.#shipper);
    return turn;
  }

  async flatOut(count: number): Promise<void> {
    const { seconds } = await this.load.flatOut(count, true);
    if (this.#done === 0) this.#firstSeconds = seconds;
    this.#seconds += seconds;
    this.#sent(count);
  }

  async atRate(rate: number, durationMs: number): Promise<void> {
    const { latencies } = await this.load.atRate(rate, durationMs, true);
    for (const one of latencies) this.latencies.push(one);
    this.#sent(latencies.length);
  }

  #sent(count: number): void {
    this.#done += count;
    this.contestant.expected += count * spansPerRequest;
  }

  /** Of the time, beyond its share, that the first slice took. */
  get startUpShare(): number {
    return this.#firstSeconds / this.#seconds - 1 / SLICES;
  }

  get perSecond(): number {
    return this.#done / this.#seconds;
  }

  async end(): Promise<Sample> {
    const { child } = this.contestant.server;
    const after = await this.contestant.server.ask<Usage>('usage');
    this.contestant.server.tell('idle');
    this.load.close();
    await this.contestant.settle();
    const treeSeconds = treeCpuSeconds(child.pid!, this.#shipper) - this.#treeSeconds;
    return {
      perSecond: this.perSecond,
      workerMicros: (after.cpuMicros - this.#usage.cpuMicros) / this.#done,
      allMicros: (treeSeconds * 1e6) / this.#done,
      memory: proportionalSetSize(child.pid!),
      youngGeneration: after.youngGeneration,
      loopDelayP99: after.loopDelayP99,
    };
  }
}

/**
 * A contestant and the untraced server by turns, a slice each, one of them first and then the other: the
 * speed of a shared machine changes within a second, so what is compared has to be close together.
 */
async function alternate(
  contestant: Contestant,
  untraced: Contestant | undefined,
  run: (turn: Turn) => Promise<void>,
): Promise<Turn[]> {
  const turns = [await Turn.begin(contestant, load)];
  if (untraced) turns.push(await Turn.begin(untraced, baseLoad));
  for (let slice = 0; slice < SLICES; slice++) {
    for (const turn of slice % 2 === 0 ? turns : [...turns].reverse()) await run(turn);
    await contestant.drain();
  }
  return turns;
}

async function measure(contestant: Contestant, untraced: Contestant | undefined) {
  const turns = await alternate(contestant, untraced, (turn) => turn.flatOut(Math.ceil(requests / SLICES)));
  const startUpShare = Math.max(...turns.map((turn) => turn.startUpShare));
  const [own, base] = [await turns[0]!.end(), await turns[1]?.end()];
  return { own, base: base ?? own, startUpShare };
}

/**
 * At 70 % of what the untraced server does at the time: a contestant that cannot keep up shows it as latency.
 */
async function measureLatency(contestant: Contestant, untraced: Contestant): Promise<Pair<Latency>> {
  const first = await Turn.begin(untraced, baseLoad);
  await first.flatOut(requests);
  await first.end();
  const rate = 0.7 * first.perSecond;
  const turns = await alternate(contestant, untraced, (turn) =>
    turn.atRate(rate, Math.ceil(options.latencyMs / SLICES)),
  );
  for (const turn of turns) await turn.end();
  const [own, base] = turns.map(({ latencies }) => latencyOf(latencies));
  return { own: own!, base: base! };
}

async function warmUp(contestant: Contestant, measurements: Measurements): Promise<void> {
  if (spansPerRequest > 0 && contestant.name !== 'untraced' && measurements.attributes === undefined) {
    measurements.attributes = await probe(contestant, app!.path, spansPerRequest);
    contestant.expected += spansPerRequest;
  }
  const turn = await Turn.begin(contestant, contestant.name === 'untraced' ? baseLoad : load);
  await turn.flatOut(Math.ceil(requests * WARM_UP_SHARE));
  await turn.end();
}

/** A round of one contestant, in processes that are there for it alone. */
async function runRound(name: string, round: number): Promise<void> {
  const measurements = measured.get(name)!;
  const contestant = new Contestant(name);
  const untraced = hasUntraced ? new Contestant('untraced') : undefined;
  try {
    for (const one of untraced ? [untraced, contestant] : [contestant]) {
      await one.start(options.app, { sampled: !options.notSampled, nodePath: options.node });
      await warmUp(one, measurements);
    }
    const { own, base } = await guarded(() => measure(contestant, untraced));
    measurements.samples.push({ own, base });
    if (untraced) measured.get('untraced')!.samples.push({ own: base, base });
    if (untraced && round < options.latencyRounds) {
      const latency = await measureLatency(contestant, untraced);
      measurements.latencies.push(latency);
      measured.get('untraced')!.latencies.push({ own: latency.base, base: latency.base });
    }
    if (contestant.speaksOtlp) measurements.add(contestant);
  } finally {
    await Promise.all([contestant.stop(), untraced?.stop()]);
  }
}

const progress = new Progress(traced.length * options.rounds);
const limit = new TimeLimit(options.minutes);
let rounds = 0;
try {
  while (rounds < options.rounds) {
    for (let index = 0; index < traced.length; index++) {
      const name = traced[(index + rounds) % traced.length]!;
      await runRound(name, rounds);
      progress.step(`round ${rounds + 1}  ${name}`);
    }
    rounds++;
    if (!limit.next()) break;
  }
  progress.end();
  const summary = [...measured].map(([name, measurements]) => {
    const { samples: pairs, latencies: latencyPairs, attributes, delivered } = measurements;
    const of = (key: keyof Sample) => median(pairs.map(({ own }) => own[key]));
    const latency = (key: keyof Latency) => median(latencyPairs.map(({ own }) => own[key]));
    const differences = (key: keyof Sample) => pairs.map(({ own, base }) => own[key] - base[key]);
    const added = (key: keyof Sample) => (hasUntraced ? median(differences(key)) : undefined);
    const throughput = hasUntraced ? pairs.map(({ own, base }) => own.perSecond / base.perSecond) : undefined;
    const p99 = latencyPairs.map(({ own, base }) => own.p99 / base.p99);
    return {
      name,
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
      delivered,
      attributes,
      threeQuarters: throughput && {
        throughputRatio: quartile(throughput, 'lower'),
        addedWorkerMicros: quartile(differences('workerMicros'), 'upper'),
        addedAllMicros: quartile(differences('allMicros'), 'upper'),
        memory: quartile(differences('memory'), 'upper'),
        p99Ratio: p99.length > 0 ? quartile(p99, 'upper') : undefined,
      },
    };
  });
  const unsampled = [...measured].find(([, { received }]) => spansPerRequest === 0 && received > 0);
  if (unsampled) throw new Error(`${unsampled[0]}: ${unsampled[1].received} spans arrived, though none is sampled`);
  console.log(renderHttpTable(options.app, summary));
  const node = execFileSync(options.node ?? process.execPath, ['--version'], { encoding: 'utf8' }).trim();
  const { latencyMs, connections } = options;
  const latencyRounds = hasUntraced ? Math.min(options.latencyRounds, rounds) : 0;
  saveResults(options.json, {
    app: options.app,
    node,
    options: { rounds, requests, connections, latencyRounds, latencyMs, notSampled: options.notSampled ?? false },
    summary,
  });
} finally {
  await load.stop();
  await baseLoad.stop();
}
