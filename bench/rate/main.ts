/**
 * `npm run bench:rate`: what tracing costs at rates that every contestant keeps, in CPU time of all
 * processes, which is what a user pays for the same requests.
 *
 *   npm run bench:rate                                                   every app at 2,000 requests/s
 *   npm run bench:rate -- --apps express --rates 2000 --minutes 1.5      a look
 *   npm run bench:rate -- --apps hello,express --rates 500,2000,5000,25%,50%,70% --latency
 *   npm run bench:rate -- --apps hello --env FORKTRACE_JOURNAL_MODE=write
 *
 * All servers of an app run at the same time, two of each contestant, warmed up once: a process is faster or
 * slower for all its life. In a pass each contestant serves one window, one after the other, so that what is
 * compared is seconds apart; the next pass is of the other servers, and every second pair of passes is in
 * reversed order. There are as many passes as fit into the time. They are put together into a few rounds of
 * neighbours, and a round has the means of its passes.
 *
 * The server has a core of its own; load generator, endpoint and shipper have the other. CPU time is the
 * operating system's (schedstat of all threads), of the worker, the shipper, and all else that they have
 * started; read at two moments of a load that goes on before and after.
 *
 * Excluded: start and warm-up (some seconds at saturation), the endpoint, the generator. With --latency each
 * contestant has a second window in a pass, in which the generator never sleeps; latency counts from when a
 * request was due (coordinated omission), and requests for which the generator itself was late are left out.
 *
 * @module
 */
import { execFileSync } from 'node:child_process';
import { Command } from 'commander';
import { apps, OTHER_CORE } from '../contestant.js';
import { areServersInstalled, startServers } from '../postgres-redis.js';
import { pin, prioritizeSession } from '../processes.js';
import { Progress } from '../progress.js';
import { saveResults } from '../report.js';
import { TimeLimit } from '../time-limit.js';
import { inRounds, type Passes, type RateRow, summarize, type Window } from './rounds.js';
import { Served } from './served.js';
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
  .option('--instances <n>', 'servers of each contestant, which take turns', Number, 2)
  .option('--passes <n>', 'at most', Number)
  .option('--rounds <n>', 'into which the passes are put together, at most', Number, 4)
  .option('--minutes <n>', 'shared by all apps: no further pass begins that would end later', Number)
  .option('--window-s <n>', 'of each contestant, rate and pass; whole, as the shipper gathers for a second', Number, 2)
  .option('--latency', 'a second window for latencies')
  .option('--env <NAME=value...>', 'for all servers')
  .option('--node <path>', 'the Node.js that the servers run on')
  .option('--json <name>', 'where the result goes', 'rate')
  .parse()
  .opts<{
    apps: string[];
    rates: string[];
    contestants: string[];
    instances: number;
    passes?: number;
    rounds: number;
    minutes?: number;
    windowS: number;
    latency?: boolean;
    env?: string[];
    node?: string;
    json: string;
  }>();
const { contestants, instances, windowS } = options;
for (const name of options.apps)
  if (!apps[name]) throw new Error(`--apps: got ${name}, expected some of ${Object.keys(apps).join(', ')}`);
if (!contestants.includes('untraced')) throw new Error('--contestants: expected untraced among them');
if (!Number.isInteger(windowS)) throw new Error(`--window-s: got ${windowS}, expected a whole number`);
/** Without a bound of time, as many as are put together by fours. */
const mostPasses = options.passes ?? (options.minutes === undefined ? options.rounds * 4 : Number.POSITIVE_INFINITY);
const given = Object.fromEntries((options.env ?? []).map((pair) => pair.split(/=(.*)/s).slice(0, 2)));

/** What is known of one app at one rate. */
interface Cell {
  asked: string;
  rate: number;
  /** Who can keep it. */
  names: string[];
  passes: Passes;
}

/** Above this share of what a contestant can do, a queue is what is measured. */
const MOST_LOAD = 0.95;

function cellOf(asked: string, servers: readonly Served[]): Cell {
  const { capacity } = servers.find(({ name }) => name === 'untraced')!;
  const rate = asked.endsWith('%') ? Math.round((capacity * Number.parseFloat(asked)) / 100) : Number(asked);
  const able = servers.filter((one) => rate <= MOST_LOAD * one.capacity);
  const names = able.map(({ name }) => name);
  return { asked, rate, names, passes: new Map(names.map((name) => [name, []])) };
}

/** One window of each of `all`, in their order. */
async function runPass(all: readonly Served[], { rate, names, passes }: Cell): Promise<void> {
  const found = new Map<string, Window>();
  for (const served of all.filter(({ name }) => names.includes(name))) {
    const cpu = await served.cpu(rate, windowS * 1000);
    if (cpu === undefined) {
      console.log(`${served.name} has not kept ${rate} requests/s: this pass is left out`);
      return;
    }
    const latency = options.latency ? await served.latency(rate, windowS * 1000) : undefined;
    found.set(served.name, { cpu, latency });
  }
  // All of a pass, or nothing.
  for (const [name, window] of found) passes.get(name)!.push(window);
}

/** All servers of an app, warm: they start at the same time, and are warmed up one after the other. */
async function startAll(app: string, env: NodeJS.ProcessEnv, into: Served[]): Promise<void> {
  const names = Array.from({ length: instances }, () => contestants).flat();
  const starts = names.map(async (name, index) => {
    into[index] = await Served.start(name, app, { nodePath: options.node, env });
  });
  const failed = (await Promise.allSettled(starts)).find(({ status }) => status === 'rejected');
  if (failed) throw (failed as PromiseRejectedResult).reason;
  // Not before: a shipper that starts would wait for a core that the load has.
  for (const served of into) await served.warmUp();
  await Promise.all(into.map((served) => served.settle()));
}

/** @returns its rows, once its servers have stopped, which takes time but hardly CPU */
async function runApp(app: string, minutes: number): Promise<{ rows: Promise<RateRow[]> }> {
  const limit = new TimeLimit(minutes);
  const needs = app === 'postgres-redis' ? await startServers() : undefined;
  const env = {
    ...given,
    ...(needs && { BENCH_POSTGRES: String(needs.postgres), BENCH_REDIS: String(needs.redis) }),
  };
  const servers: Served[] = [];
  const stop = async () => {
    // One that has not started has no place.
    await Promise.all(servers.filter((served) => served !== undefined).map((served) => served.stop()));
    await needs?.stop();
  };
  try {
    await startAll(app, env, servers);
    const passesLimit = new TimeLimit(limit.leftMinutes);
    const cells = options.rates.map((asked) => cellOf(asked, servers.slice(0, contestants.length)));
    for (let pass = 0; pass < mostPasses && (pass === 0 || passesLimit.next()); pass++) {
      const from = (pass % instances) * contestants.length;
      const own = servers.slice(from, from + contestants.length);
      if (Math.floor(pass / instances) % 2 === 1) own.reverse();
      for (const cell of cells) if (cell.names.includes('untraced')) await runPass(own, cell);
    }
    return { rows: stop().then(() => cells.flatMap((cell) => rowOf(app, cell, servers))) };
  } catch (error) {
    await stop();
    throw error;
  }
}

function rowOf(app: string, { asked, rate, passes }: Cell, servers: readonly Served[]): RateRow[] {
  const count = passes.get('untraced')?.length ?? 0;
  if (count === 0) {
    console.log(`${app} at ${asked}: left out, for it has not been kept`);
    return [];
  }
  const rounds = inRounds(passes, options.rounds);
  const summary = summarize(rounds, OURS, (name) => delivered(servers, name));
  const unable = contestants.filter((name) => !rounds.has(name));
  const counts = { passes: count, rounds: rounds.get('untraced')!.length };
  return [{ app, asked, rate, ...counts, contestants: summary, unable }];
}

/** The least of a contestant's servers. */
function delivered(servers: readonly Served[], name: string): number | undefined {
  const shares = servers.filter((one) => one.name === name).flatMap((one) => one.delivered ?? []);
  return shares.length > 0 ? Math.min(...shares) : undefined;
}

const chosen = options.apps.filter((app) => app !== 'postgres-redis' || areServersInstalled);
if (chosen.length < options.apps.length)
  console.log('postgres-redis: left out, for PostgreSQL or Redis is not installed');
// At rates that leave most of a core to others, whoever has to wait for one measures what else a shared
// machine does.
process.once('exit', prioritizeSession(process.pid));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(1));
// Of all that follows the server alone is moved to the other one.
pin(process.pid, OTHER_CORE);
const progress = new Progress(chosen.length);
const found: Promise<RateRow[]>[] = [];
const limit = new TimeLimit(options.minutes);
for (const [index, app] of chosen.entries()) {
  const { rows } = await runApp(app, limit.leftMinutes / (chosen.length - index));
  found.push(rows);
  progress.step(app);
}
progress.end();
const rows = (await Promise.all(found)).flat();
console.log(renderRateTable(rows));
const node = execFileSync(options.node ?? process.execPath, ['--version'], { encoding: 'utf8' }).trim();
saveResults(options.json, { node, windowMs: windowS * 1000, rows });
