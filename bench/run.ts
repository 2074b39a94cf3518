/**
 * `npm run bench`: every benchmark, then the budgets with their verdicts, docs/benchmarks.md and its charts.
 *
 *   npm run bench                    about 25 minutes
 *   npm run bench -- --quick         fewer rounds, for a look
 *   npm run bench -- --report        the verdicts and pages from the results that are there
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { Command } from 'commander';
import { verdicts } from './budgets.js';
import { writeCharts } from './charts.js';
import { benchRoot } from './processes.js';
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
const rounds = (full: number) => ['--rounds', String(quick ? 3 : full)];
const http = (name: string, major: string, ...args: string[]) => [
  'http.js',
  ...['--json', name, '--node', nodeOf(major)],
  ...args,
];
const headline = ['--contestants', 'bare,forktrace-journal-mmap,otel-2'];

const steps: (() => string[])[] = [
  () => ['span.js', ...rounds(11)],
  () => http('http-hello-node24', '24', ...rounds(9)),
  () => http('http-hello-node20', '20', ...rounds(9)),
  () => http('http-express-node24', '24', '--app', 'express', ...headline, ...rounds(5)),
  () => http('http-fastify-node24', '24', '--app', 'fastify', ...headline, ...rounds(5)),
  () =>
    http('http-io-node24', '24', '--app', 'io', '--latency-ms', '0', '--connections', '128', ...headline, ...rounds(3)),
  () => http('http-not-sampled-node24', '24', '--not-sampled', '--latency-ms', '0', ...headline, ...rounds(5)),
  () => ['cluster.js', ...rounds(3)],
  () => [
    'cluster.js',
    '--json',
    'cluster-spans',
    '--workers',
    '2',
    '--spans',
    '1,10,100',
    '--requests',
    '4000',
    ...rounds(3),
  ],
  () => [
    'cluster.js',
    '--json',
    'cluster-connections',
    '--workers',
    '2',
    '--connections',
    '10,1000,10000',
    ...rounds(3),
  ],
];

if (!report) {
  const startedAt = performance.now();
  for (const [index, step] of steps.entries()) {
    const [program, ...args] = step();
    const minutes = ((performance.now() - startedAt) / 60_000).toFixed(1);
    console.log(`\n${index + 1}/${steps.length}, ${minutes} min so far: ${program} ${args.join(' ')}`);
    // A budget that is short is a verdict below, not a reason to stop.
    const { signal } = spawnSync(process.execPath, [join(benchRoot, '../dist-bench', program!), ...args], {
      stdio: 'inherit',
    });
    if (signal) process.exit(1);
  }
}

const judged = verdicts();
console.log(
  renderTable(
    ['budget', 'bound', 'measured', ''],
    judged.map(({ what, bound, measured, held }) => [what, bound, measured, held ? 'pass' : 'SHORT']),
  ),
);
await writeCharts();
writeReportPage(judged);
if (judged.some(({ held }) => !held)) process.exitCode = 1;
