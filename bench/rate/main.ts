/**
 * `npm run bench:rate`: what tracing costs at rates that every contestant keeps, in CPU time of all
 * processes, which is what a user pays for the same requests.
 *
 *   npm run bench:rate                                                   every app at 2,000 requests/s
 *   npm run bench:rate -- --apps express --rates 2000 --rounds 3         a look
 *   npm run bench:rate -- --apps hello,express --rates 500,2000,5000,25%,50%,70% --latency
 *   npm run bench:rate -- --apps hello --env FORKTRACE_JOURNAL_MODE=write
 *
 * Contestants run at the same time and serve one after the other, a window of time each, in an order that is
 * turned round in every round, so that what is compared is seconds apart. The server has a core of its own;
 * load generator, endpoint and shipper have the other. CPU time is the operating system's (schedstat of all
 * threads), of the worker, the shipper, and all else that they have started; read at two moments of a load
 * that goes on before and after.
 *
 * Excluded: start and warm-up (some seconds at saturation), the endpoint, the generator. With --latency each
 * round has a second window in which the generator never sleeps; latency counts from when a request was due
 * (coordinated omission).
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { Command } from 'commander';
import { apps } from '../contestant.js';
import type { Latency } from '../load.js';
import { areServersInstalled, startServers } from '../postgres-redis.js';
import { prioritizeSession } from '../processes.js';
import { Progress } from '../progress.js';
import { saveResults } from '../report.js';
import { TimeLimit } from '../time-limit.js';
import { type RateRow, type Rounds, summarize } from './rounds.js';
import { type CpuPerRequest, Served } from './served.js';
import { renderRateTable } from './table.js';

const OURS = 'forktrace-journal-mmap';
const list = (text: string) => text.split(',').filter((one) => one !== '');

const options = new Command('bench:rate')
  .option('--apps <names>', Object.keys(apps).join(', '), list, [
    'hello',
    'express',
    'fastify',
    'koa',
    'hono',
    'nestjs',
    'io',
    'postgres-redis',
  ])
  .option('--rates <list>', 'requests/s, or shares of what the untraced server can do, like 50%', list, ['2000'])
  .option('--contestants <names>', 'as in bench:http; dd-trace, too, once bench/peers is installed', list, [
    'untraced',
    OURS,
    'otel-2',
  ])
  .option('--launches <n>', 'how often all processes are started anew', Number, 2)
  .option('--rounds <n>', 'of each launch and rate', Number, 3)
  .option('--most-launches <n>', 'more of them until the quartiles of all ratios are within 15 %', Number)
  .option('--minutes <n>', 'shared by all apps: no further round or launch begins that would end later', Number)
  .option('--window-ms <n>', 'of each contestant, rate and round', Number, 2000)
  .option('--latency', 'a second window for latencies')
  .option('--env <NAME=value...>', 'for all servers')
  .option('--node <path>', 'the Node.js that the servers run on')
  .option('--json <name>', 'where the result goes', 'rate')
  .parse()
  .opts<{
    apps: string[];
    rates: string[];
    contestants: string[];
    launches: number;
    rounds: number;
    mostLaunches?: number;
    minutes?: number;
    windowMs: number;
    latency?: boolean;
    env?: string[];
    node?: string;
    json: string;
  }>();
const { contestants, windowMs } = options;
for (const name of options.apps)
  if (!apps[name]) throw new Error(`--apps: got ${name}, expected some of ${Object.keys(apps).join(', ')}`);
if (!contestants.includes('untraced')) throw new Error('--contestants: expected untraced among them');
const mostLaunches = options.mostLaunches ?? options.launches;
const given = Object.fromEntries((options.env ?? []).map((pair) => pair.split(/=(.*)/s).slice(0, 2)));

/** What is known of one app at one rate. */
interface Cell {
  asked: string;
  rate: number;
  /** Who can keep it. */
  names: string[];
  rounds: Rounds;
}

/** Until the last spans of those that lose some are given up. */
const STOP_MINUTES = 0.1;
/** Above this share of what a contestant can do, a queue is what is measured. */
const MOST_LOAD = 0.95;

function cellOf(asked: string, servers: readonly Served[]): Cell {
  const { capacity } = servers.find(({ name }) => name === 'untraced')!;
  const rate = asked.endsWith('%') ? Math.round((capacity * Number.parseFloat(asked)) / 100) : Number(asked);
  const able = servers.filter((one) => rate <= MOST_LOAD * one.capacity);
  return { asked, rate, names: able.map(({ name }) => name), rounds: new Map() };
}

async function runRound(all: readonly Served[], cell: Cell, isReversed: boolean): Promise<void> {
  const { rate, names } = cell;
  const servers = all.filter(({ name }) => names.includes(name));
  const found = new Map<string, { cpu: CpuPerRequest; latency: Latency | undefined }>();
  for (const served of isReversed ? [...servers].reverse() : servers) {
    const cpu = await served.cpu(rate, windowMs);
    if (cpu === undefined) {
      console.log(`${served.name} has not kept ${rate} requests/s: this round is left out`);
      return;
    }
    const latency = options.latency ? await served.latency(rate, windowMs) : undefined;
    found.set(served.name, { cpu, latency });
  }
  // All of a round, or nothing.
  for (const name of names) cell.rounds.set(name, [...(cell.rounds.get(name) ?? []), found.get(name)!]);
}

const isSettled = ({ rounds }: Cell) =>
  rounds.size > 0 &&
  summarize(rounds, OURS, () => undefined).every(({ share }) => share === undefined || share.isKnown);

async function runApp(app: string, minutes: number, progress: Progress): Promise<RateRow[]> {
  const needs = app === 'postgres-redis' ? await startServers() : undefined;
  const env = {
    ...given,
    ...(needs && { BENCH_POSTGRES: String(needs.postgres), BENCH_REDIS: String(needs.redis) }),
  };
  let cells: Cell[] = [];
  const limit = new TimeLimit(minutes);
  const delivered = new Map<string, number | undefined>();
  try {
    for (let launch = 0; launch < mostLaunches; launch++) {
      if (launch > 0 && !limit.next()) break;
      if (launch >= options.launches && cells.every(isSettled)) break;
      const launchLimit = new TimeLimit(limit.leftMinutes / Math.max(1, options.launches - launch));
      const servers: Served[] = [];
      try {
        for (const name of contestants) servers.push(await Served.start(name, app, { nodePath: options.node, env }));
        await Promise.all(servers.map((served) => served.settle()));
        const roundsLimit = new TimeLimit(launchLimit.leftMinutes - STOP_MINUTES);
        if (launch === 0) cells = options.rates.map((asked) => cellOf(asked, servers));
        for (let round = 0; round < options.rounds; round++) {
          for (const cell of cells) if (cell.names.includes('untraced')) await runRound(servers, cell, round % 2 === 1);
          progress.step(`${app}, launch ${launch + 1}, round ${round + 1}`);
          if (!roundsLimit.next()) break;
        }
      } finally {
        await Promise.all(servers.map((served) => served.stop()));
        for (const served of servers) {
          const share = served.delivered;
          if (share !== undefined) delivered.set(served.name, Math.min(share, delivered.get(served.name) ?? 1));
        }
      }
    }
  } finally {
    await needs?.stop();
  }
  return cells.flatMap(({ asked, rate, rounds }): RateRow[] => {
    if (rounds.size === 0) {
      console.log(`${app} at ${asked}: left out, for it has not been kept`);
      return [];
    }
    const summary = summarize(rounds, OURS, (name) => delivered.get(name));
    const unable = contestants.filter((name) => !rounds.has(name));
    return [{ app, asked, rate, rounds: rounds.get('untraced')!.length, contestants: summary, unable }];
  });
}

const chosen = options.apps.filter((app) => app !== 'postgres-redis' || areServersInstalled);
if (chosen.length < options.apps.length)
  console.log('postgres-redis: left out, for PostgreSQL or Redis is not installed');
// At rates that leave most of a core to others, whoever has to wait for one measures what else a shared
// machine does.
process.once('exit', prioritizeSession(process.pid));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
const progress = new Progress(chosen.length * options.launches * options.rounds);
const rows: RateRow[] = [];
const limit = new TimeLimit(options.minutes);
for (const [index, app] of chosen.entries()) {
  rows.push(...(await runApp(app, limit.leftMinutes / (chosen.length - index), progress)));
  if (app === chosen.at(-1)) progress.end();
}
console.log(renderRateTable(rows));
const node = execFileSync(options.node ?? process.execPath, ['--version'], { encoding: 'utf8' }).trim();
saveResults(options.json, { node, windowMs, rows });
