/**
 * `npm run bench`: every benchmark, then the budgets with their verdicts, docs/benchmarks.md and its charts.
 *
 *   npm run bench                    about half an hour
 *   npm run bench -- --quick         fewer rounds, for a look
 *   npm run bench -- --report        the verdicts and pages from the results that are there
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
import { renderTable } from './report.js';
import { writeReportPage } from './report-page.js';

const { quick, report } = new Command('bench')
  .option('--quick', 'fewer rounds')
  .option('--report', 'no measuring')
  .parse()
  .opts<{ quick?: boolean; report?: boolean }>();

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
const http = (minutes: number, name: string, major: string, ...args: string[]): Step => ({
  minutes,
  command: () => [
    'http.js',
    '--json',
    name,
    '--node',
    nodeOf(major),
    ...(quick ? ['--latency-rounds', '2'] : []),
    ...args,
  ],
});
const cluster = (minutes: number, name: string, ...args: string[]): Step => ({
  minutes,
  command: () => ['cluster.js', '--json', name, '--node', nodeOf('24'), ...args],
});
const headline = ['--contestants', 'bare,forktrace-journal-mmap,otel-2'];
const everyPipeline = 'bare,forktrace-journal-mmap,forktrace-journal-write,forktrace-batch,otel-2';

const steps: Step[] = [
  { minutes: 3.5, command: () => ['span.js', '--node', nodeOf('24'), ...rounds(3)] },
  http(
    10,
    'http-hello-node24',
    '24',
    '--contestants',
    `${everyPipeline},otel-3`,
    '--latency-rounds',
    '3',
    ...rounds(4),
  ),
  http(3, 'http-hello-node20', '20', ...headline, ...noLatency, ...rounds(4)),
  http(2, 'http-express-node24', '24', '--app', 'express', ...headline, ...noLatency, ...rounds(3)),
  http(2, 'http-fastify-node24', '24', '--app', 'fastify', ...headline, ...noLatency, ...rounds(3)),
  http(1.5, 'http-io-node24', '24', '--app', 'io', '--connections', '128', ...headline, ...noLatency, ...rounds(3)),
  http(1.5, 'http-not-sampled-node24', '24', '--not-sampled', ...headline, ...noLatency, ...rounds(3)),
  ...['bare', 'forktrace-journal-mmap'].map((contestant) => ({
    minutes: 0.3,
    command: () => ['profile.js', contestant, 'hello', '--node', nodeOf('24'), '--top', '10'],
  })),
  cluster(2.5, 'cluster', ...rounds(1)),
  cluster(2, 'cluster-spans', '--workers', '2', '--spans', '1,10,100', '--requests', '10000', ...rounds(1)),
  cluster(2.5, 'cluster-connections', '--workers', '2', '--connections', '10,1000,10000', ...rounds(1)),
];

if (!report) {
  const startedAt = performance.now();
  let done = 0;
  for (const [index, { minutes, command }] of steps.entries()) {
    const left = duration(steps.slice(index).reduce((sum, step) => sum + step.minutes, 0) * 60 * pace(startedAt, done));
    const [program, ...args] = command();
    console.log(`\n${index + 1}/${steps.length}, about ${left} left: ${program} ${args.join(' ')}`);
    const { status, signal } = spawnSync(process.execPath, [join(benchRoot, '../dist-bench', program!), ...args], {
      stdio: 'inherit',
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
await writeCharts();
writeReportPage(judged);
if (judged.some(({ held }) => !held)) process.exitCode = 1;
