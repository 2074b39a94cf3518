/**
 * `npm run bench`: every benchmark, then the budgets with their verdicts, docs/benchmarks.md and its charts.
 *
 *   npm run bench                    half an hour
 *   npm run bench -- --headline      the first table alone: what frameworks cost at a fixed rate; 11 minutes
 *   npm run bench -- --quick         fewer rounds, for a look; writes nothing
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

const { quick, report, headline, cluster } = new Command('bench')
  .option('--headline', 'the first table alone')
  .option('--quick', 'fewer rounds')
  .option('--cluster', 'clusters, too')
  .option('--report', 'no measuring')
  .parse()
  .opts<{ quick?: boolean; report?: boolean; headline?: boolean; cluster?: boolean }>();

const { nodeOf } = (await import(new URL('../scripts/node-version.mjs', import.meta.url).href)) as {
  nodeOf(major: string): string;
};
interface Step {
  /** About how long it takes, for the time left. */
  minutes: number;
  command(): string[];
}

const rounds = (full: number) => ['--rounds', String(quick ? Math.min(full, 2) : full)];
const noLatency = ['--latency-rounds', '0'];
const sideBySide = 'untraced,forktrace-journal-mmap,otel-2,dd-trace';
const three = ['--contestants', 'untraced,forktrace-journal-mmap,otel-2'];
const step = (minutes: number, program: string, name: string, major: string, ...args: string[]): Step => ({
  minutes,
  command: () => [`${program}.js`, '--json', name, '--node', nodeOf(major), ...args],
});

const first = step(10.5, 'rate/main', 'rate', '24', ...(quick ? ['--launches', '1'] : ['--most-launches', '3']));
const rates = ['--rates', '500,5000,25%,50%,70%', '--latency', '--launches', '1', '--window-ms', '1500'];
const others: Step[] = [
  step(6.5, 'rate/main', 'rate-rates', '24', '--apps', 'hello,express', ...rates, ...rounds(3)),
  step(1.5, 'rate/main', 'rate-spans', '24', '--apps', 'spans-1,spans-10,spans-100', '--rates', '200', ...rounds(2)),
  // It installs dd-trace, which the next one takes when it is there.
  step(0.7, 'killed', 'killed', '24'),
  { minutes: 1.5, command: () => ['start.js', '--node', nodeOf('24'), ...rounds(7)] },
  step(1.5, 'memory', 'memory', '24', ...rounds(2)),
  { minutes: 2, command: () => ['span.js', '--node', nodeOf('24'), ...rounds(2)] },
  step(3, 'http', 'http-hello-node24', '24', ...three, ...noLatency, ...rounds(4)),
  step(3, 'http', 'http-peers-node24', '24', '--contestants', sideBySide, ...noLatency, ...rounds(3)),
  step(2, 'http', 'http-hello-node20', '20', ...three, ...noLatency, ...rounds(3)),
  step(1.5, 'http', 'http-express-node24', '24', '--app', 'express', ...three, ...noLatency, ...rounds(3)),
  ...['untraced', 'forktrace-journal-mmap'].map((contestant) => ({
    minutes: 0.3,
    command: () => ['profile.js', contestant, 'hello', '--node', nodeOf('24'), '--top', '10'],
  })),
];
const clusters: Step[] = [
  step(2.5, 'cluster', 'cluster', '24', ...rounds(1)),
  step(
    2,
    'cluster',
    'cluster-spans',
    '24',
    '--workers',
    '2',
    '--spans',
    '1,10,100',
    '--requests',
    '10000',
    ...rounds(1),
  ),
  step(2.5, 'cluster', 'cluster-connections', '24', '--workers', '2', '--connections', '10,1000,10000', ...rounds(1)),
];
const steps = [first, ...(headline ? [] : others), ...(cluster ? clusters : [])];

if (!report) {
  const startedAt = performance.now();
  let done = 0;
  for (const [index, { minutes, command }] of steps.entries()) {
    const left = duration(steps.slice(index).reduce((sum, step) => sum + step.minutes, 0) * 60 * pace(startedAt, done));
    const [program, ...args] = command();
    console.log(`\n${index + 1}/${steps.length}, about ${left} left: ${program} ${args.join(' ')}`);
    const { status, signal } = spawnSync(process.execPath, [join(benchRoot, '../dist-bench', program!), ...args], {
      stdio: 'inherit',
      ...(quick ? {} : { env: { ...process.env, BENCH_RESULTS: PUBLISHED } }),
    });
    if (status !== 0) throw new Error(`${program} ended with ${signal ?? status}`);
    done += minutes;
  }
}

/** How much slower than expected this machine is, once that shows. */
function pace(startedAt: number, doneMinutes: number): number {
  return doneMinutes === 0 ? (quick ? 0.4 : 1) : (performance.now() - startedAt) / 60_000 / doneMinutes;
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
