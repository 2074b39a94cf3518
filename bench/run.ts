/**
 * `npm run bench`: every benchmark, then the budgets with their verdicts, docs/benchmarks.md and its charts.
 *
 *   npm run bench                    at most half an hour, however slow the machine is: fewer rounds then
 *   npm run bench -- --headline      the first table alone: what frameworks cost at a fixed rate; 13 minutes
 *   npm run bench -- --quick         fewer rounds, for a look; writes nothing
 *   npm run bench -- --minutes 8     as all, in less time, with fewer rounds
 *   npm run bench -- --cluster       clusters of several sizes, too; 8 minutes more
 *   npm run bench -- --report        the verdicts and pages from the results that are there
 *
 * What is measured here replaces bench/results, from which README and docs/benchmarks.md are written. What a
 * single benchmark measures when it is called by itself goes to bench/results/last, and nowhere else.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Command } from 'commander';
import { VERDICT_HEAD, verdictRow, verdicts } from './budgets.js';
import { writeCharts } from './charts.js';
import { benchRoot } from './processes.js';
import { duration } from './progress.js';
import { PUBLISHED, renderTable } from './report.js';
import { writeReportPage } from './report-page.js';
import { TimeLimit } from './time-limit.js';

/** Of all steps but clusters. */
const MOST_MINUTES = 29;

const { quick, report, headline, cluster, minutes } = new Command('bench')
  .option('--headline', 'the first table alone')
  .option('--quick', 'fewer rounds')
  .option('--cluster', 'clusters, too')
  .option('--report', 'no measuring')
  .option('--minutes <n>', 'of all steps but clusters: with fewer there are fewer rounds', Number, MOST_MINUTES)
  .parse()
  .opts<{ quick?: boolean; report?: boolean; headline?: boolean; cluster?: boolean; minutes: number }>();

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
const three = ['--contestants', 'untraced,forktrace-journal-mmap,otel-2'];
const unbounded = (minutes: number, ...command: string[]): Step => ({ minutes, command: () => command });
const bounded = (minutes: number, program: string, major: string, ...args: string[]): Step => ({
  minutes,
  command: (left) => [program, '--minutes', left.toFixed(2), '--node', nodeOf(major), ...args],
});
const named = (minutes: number, program: string, name: string, major: string, ...args: string[]): Step =>
  bounded(minutes, program, major, '--json', name, ...args);

const launches = quick ? ['--launches', '1'] : ['--launches', '2', '--most-launches', '4'];
const first = named(12.5, 'rate/main.js', 'rate', '24', ...launches, ...rounds(4));
const rates = ['--rates', '500,5000,25%,50%,70%', '--latency', '--launches', '1', '--window-ms', '1500'];
const spans = ['--apps', 'spans-1,spans-10,spans-100', '--rates', '200', '--launches', '1'];
const others: Step[] = [
  named(4.5, 'rate/main.js', 'rate-rates', '24', '--apps', 'hello,express', ...rates, ...rounds(4)),
  named(1.5, 'rate/main.js', 'rate-spans', '24', ...spans, ...rounds(4)),
  // It installs dd-trace, which the next ones take when it is there.
  unbounded(0.5, 'killed.js', '--json', 'killed', '--node', nodeOf('24')),
  bounded(1.8, 'start.js', '24', ...rounds(9)),
  named(1.2, 'memory.js', 'memory', '24', ...rounds(3)),
  bounded(1.5, 'span.js', '24', ...rounds(2)),
  named(1.8, 'http.js', 'http-hello-node24', '24', ...three, ...noLatency, ...rounds(5)),
  named(1.8, 'http.js', 'http-peers-node24', '24', '--contestants', sideBySide, ...noLatency, ...rounds(4)),
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

if (!report) {
  // The headline alone has its own share.
  const most = headline ? Math.min(first.minutes, minutes) : minutes;
  const limit = new TimeLimit(most * (sum(steps) / sum(withoutClusters)));
  for (const [index, { minutes, command }] of steps.entries()) {
    const left = limit.leftMinutes;
    // What a step has not used is the others' to share, and what it has taken too much of is gone.
    const [program, ...args] = command(Math.max(0, (left * minutes) / sum(steps.slice(index))));
    console.log(`\n${index + 1}/${steps.length}, at most ${duration(left * 60)} left: ${program} ${args.join(' ')}`);
    const { status, signal } = spawnSync(process.execPath, [join(benchRoot, '../dist-bench', program!), ...args], {
      stdio: 'inherit',
      ...(quick ? {} : { env: { ...process.env, BENCH_RESULTS: PUBLISHED } }),
    });
    if (status !== 0) throw new Error(`${program} ended with ${signal ?? status}`);
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
if (judged.some(({ held }) => !held)) process.exitCode = 1;
