/**
 * `npm run bench`: every benchmark, then the budgets with their verdicts, docs/benchmarks.md and its charts.
 *
 *   npm run bench                    at most half an hour, however slow the machine is: fewer rounds then
 *   npm run bench -- --headline      the first table alone: what frameworks cost at a fixed rate; 13 minutes
 *   npm run bench -- --quick         fewer rounds, for a look; writes nothing
 *   npm run bench -- --minutes 8     as all, in less time, with fewer rounds
 *   npm run bench -- --cluster       clusters of several sizes, too; 8 minutes more
 *   npm run bench -- --steps 6-9     some of the steps, where the others have their results
 *   npm run bench -- --report        the verdicts and pages from the results that are there
 *
 * What is measured here replaces bench/results, from which README and docs/benchmarks.md are written. What a
 * single benchmark measures when it is called by itself goes to bench/results/last, and nowhere else. A step
 * that fails, or hangs, costs its own results alone: those of before stay, the others follow, and the end
 * says which it was.
 *
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Command } from 'commander';
import { VERDICT_HEAD, verdictRow, verdicts } from './budgets.js';
import { writeCharts } from './charts.js';
import { benchRoot, prioritizeSession } from './processes.js';
import { duration } from './progress.js';
import { PUBLISHED, renderTable } from './report.js';
import { writeReportPage } from './report-page.js';
import { TimeLimit } from './time-limit.js';

/** Of all steps but clusters. */
const MOST_MINUTES = 29;
/**
 * A step that is told how long it has may still take that long beyond: starting and stopping its processes.
 */
const GRACE_MINUTES = 2;

const {
  quick,
  report,
  headline,
  cluster,
  minutes,
  steps: chosen,
} = new Command('bench')
  .option('--headline', 'the first table alone')
  .option('--quick', 'fewer rounds')
  .option('--cluster', 'clusters, too')
  .option('--report', 'no measuring')
  .option('--minutes <n>', 'of all steps but clusters: with fewer there are fewer rounds', Number, MOST_MINUTES)
  .option('--steps <from-to>', 'some of them, by their numbers')
  .parse()
  .opts<{
    quick?: boolean;
    report?: boolean;
    headline?: boolean;
    cluster?: boolean;
    minutes: number;
    steps?: string;
  }>();

const { nodeOf } = (await import(new URL('../scripts/node-version.mjs', import.meta.url).href)) as {
  nodeOf(major: string): string;
};
interface Step {
  /** Its share of the time. Programs that can be bounded are told how long they have. */
  minutes: number;
  command(minutes: number): string[];
}

const rounds = (full: number) => ['--rounds', String(quick ? Math.min(full, 2) : full)];
const noLatency = ['--latency-rounds', '0'];
const sideBySide = 'untraced,forktrace-journal-mmap,otel-2,dd-trace';
const beside = `${sideBySide},elastic-apm`;
const three = ['--contestants', 'untraced,forktrace-journal-mmap,otel-2'];
const unbounded = (minutes: number, ...command: string[]): Step => ({ minutes, command: () => command });
const bounded = (minutes: number, program: string, major: string, ...args: string[]): Step => ({
  minutes,
  command: (left) => [program, '--minutes', left.toFixed(2), '--node', nodeOf(major), ...args],
});
const named = (minutes: number, program: string, name: string, major: string, ...args: string[]): Step =>
  bounded(minutes, program, major, '--json', name, ...args);

const passes = quick ? ['--passes', '3'] : [];
const first = named(12.5, 'rate/main.js', 'rate', '24', ...passes);
const rates = ['--rates', '500,5000,25%,50%,70%', '--latency', '--instances', '1', '--window-s', '1'];
const spans = ['--apps', 'spans-1,spans-10,spans-100', '--rates', '1000', '--instances', '1', '--window-s', '1'];
const others: Step[] = [
  named(5, 'rate/main.js', 'rate-rates', '24', '--apps', 'hello,express', ...rates, ...passes),
  named(2.5, 'rate/main.js', 'rate-spans', '24', ...spans, ...passes),
  // It installs dd-trace, which the next ones take when it is there.
  unbounded(0.5, 'killed.js', '--json', 'killed', '--node', nodeOf('24')),
  bounded(1.8, 'start.js', '24', ...rounds(9)),
  // Not Sentry, which posts each request by itself: it takes longer than all others together.
  named(2.5, 'memory.js', 'memory', '24', '--contestants', beside, '--requests', '20000', ...rounds(3)),
  bounded(1.5, 'span.js', '24', ...rounds(2)),
  named(2.4, 'http.js', 'http-hello-node24', '24', '--contestants', sideBySide, ...noLatency, ...rounds(5)),
  named(1, 'http.js', 'http-hello-node20', '20', ...three, ...noLatency, ...rounds(4)),
  named(1, 'http.js', 'http-express-node24', '24', '--app', 'express', ...three, ...noLatency, ...rounds(4)),
  ...['untraced', 'forktrace-journal-mmap'].map((contestant) =>
    unbounded(0.3, 'profile.js', contestant, 'hello', '--node', nodeOf('24'), '--top', '10'),
  ),
];
const clusterOf = (minutes: number, name: string, ...args: string[]) =>
  unbounded(minutes, 'cluster.js', '--json', name, '--node', nodeOf('24'), ...rounds(1), ...args);
const clusters: Step[] = [
  clusterOf(2.5, 'cluster'),
  clusterOf(2, 'cluster-spans', '--workers', '2', '--spans', '1,10,100', '--requests', '10000'),
  clusterOf(2.5, 'cluster-connections', '--workers', '2', '--connections', '10,1000,10000'),
];
const sum = (steps: readonly Step[]) => steps.reduce((total, { minutes }) => total + minutes, 0);
const withoutClusters = [first, ...(headline ? [] : others)];
const steps = [...withoutClusters, ...(cluster ? clusters : [])];

/** The step at hand. */
let running: ChildProcess | undefined;

/** Runs one step. @returns why it has failed, or undefined */
async function run(program: string, args: readonly string[], minutes: number): Promise<string | undefined> {
  const timeout = Math.ceil((2 * minutes + GRACE_MINUTES) * 60_000);
  const startedAt = performance.now();
  running = spawn(process.execPath, [join(benchRoot, '../dist-bench', program), ...args], {
    stdio: 'inherit',
    timeout,
    ...(quick ? {} : { env: { ...process.env, BENCH_RESULTS: PUBLISHED } }),
  });
  const [status, signal] = (await once(running, 'exit')) as [number | null, NodeJS.Signals | null];
  if (status === 0) return undefined;
  if (performance.now() - startedAt >= timeout) return 'has not ended in time';
  return `ended with ${signal ?? status}`;
}

/** `6`, or `6-9`. */
function rangeOf(text: string, most: number): [number, number] {
  const [from, to = from] = text.split('-').map(Number);
  if (Number.isInteger(from) && Number.isInteger(to) && from! >= 1 && to! >= from! && to! <= most) return [from!, to!];
  throw new Error(`--steps: got ${text}, expected numbers from 1 to ${most}, as 6 or 6-9`);
}

const failed: string[] = [];
if (!report) {
  // What else the machine does is not what is measured. All steps are of this session.
  process.once('exit', prioritizeSession(process.pid));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      running?.kill(signal);
      process.exit(1);
    });
  }
  const [from, to] = chosen === undefined ? [1, steps.length] : rangeOf(chosen, steps.length);
  const left = steps.slice(from - 1, to);
  // The headline alone has its own share, and so have some of the steps.
  const most = headline ? Math.min(first.minutes, minutes) : minutes;
  const limit = new TimeLimit(most * (sum(left) / sum(withoutClusters)));
  for (const [index, { minutes, command }] of left.entries()) {
    // What a step has not used is the others' to share, and what it has taken too much of is gone.
    const own = Math.max(0, (limit.leftMinutes * minutes) / sum(left.slice(index)));
    const [program, ...args] = command(own);
    const name = `step ${from + index} of ${steps.length}`;
    console.log(`\n${name}, at most ${duration(limit.leftMinutes * 60)} left: ${program} ${args.join(' ')}`);
    const failure = await run(program!, args, own);
    if (failure === undefined) continue;
    failed.push(`${name}, ${program}, ${failure}`);
    console.log(failed.at(-1));
  }
}

const judged = verdicts();
console.log(
  renderTable(
    VERDICT_HEAD,
    judged.map((verdict) => verdictRow(verdict)),
  ),
);
if (!quick) {
  await writeCharts();
  writeReportPage(judged);
}
for (const failure of failed) console.log(`FAILED: ${failure}: its results are those of before`);
if (failed.length > 0 || judged.some(({ held }) => !held)) process.exitCode = 1;
