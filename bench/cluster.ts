/**
 * `npm run bench:cluster`: what a whole cluster costs, over all its processes, the shipper included.
 *
 *   npm run bench:cluster                                   1, 2 and 4 workers, hello-world
 *   npm run bench:cluster -- --workers 2 --spans 1,10,100   how cost grows with the spans of a request
 *   npm run bench:cluster -- --connections 10,1000,10000    and with concurrent requests
 *
 * @module
 */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { freePort } from './free-port.js';
import { BenchProcess, benchRoot, treeUsage } from './processes.js';
import { renderTable, saveResults } from './report.js';
import { median } from './statistics.js';

const numbers = (text: string) => text.split(',').map(Number);

const options = new Command('bench:cluster')
  .option('--workers <list>', 'cluster sizes', numbers, [1, 2, 4])
  .option('--spans <list>', 'spans of a request', numbers, [1])
  .option('--connections <list>', 'concurrent requests', numbers, [64])
  .option('--contestants <list>', 'comma-separated', 'bare,forktrace-journal-mmap,otel-2')
  .option('--rounds <n>', 'interleaved rounds', Number, 3)
  .option('--requests <n>', 'requests per contestant and round', Number, 20_000)
  .option('--json <file>', 'where the result goes', 'cluster')
  .parse()
  .opts();

interface Case {
  contestant: string;
  workers: number;
  spans: number;
  connections: number;
}

interface Measured {
  perSecond: number;
  cpuMicros: number;
  rss: number;
  readyMs: number;
  reloadMs: number | undefined;
  received: number;
  expected: number;
}

async function measure(one: Case, load: BenchProcess): Promise<Measured> {
  const journalDir = mkdtempSync(join(tmpdir(), 'forktrace-bench-'));
  const sink = new BenchProcess(join(benchRoot, '../dist-bench/sink.js'), []);
  const { port: sinkPort } = await sink.next<{ port: number }>();
  const port = await freePort();
  const app = one.spans === 1 ? 'hello' : 'spans';
  const cluster = new BenchProcess(
    join(benchRoot, 'cluster-server.cjs'),
    [one.contestant, app, String(one.workers), String(port)],
    {
      env: {
        NODE_ENV: 'production',
        SPANS: String(one.spans),
        OTEL_SERVICE_NAME: 'bench',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${sinkPort}`,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'none',
        FORKTRACE_JOURNAL_DIR: journalDir,
      },
    },
  );
  try {
    const { readyMs } = await cluster.next<{ readyMs: number }>();
    const job = { port, path: '/', connections: one.connections };
    const traced = one.contestant !== 'bare';
    const warmUp = Math.max(one.connections, options.requests / 10);
    await load.ask({ ...job, requests: warmUp });
    // Spans of the coordinator's own arrive here too, so what counts is what comes after.
    const arrived = await settled(sink, traced ? Number.POSITIVE_INFINITY : 0);
    const before = treeUsage(cluster.child.pid!);
    const result = await load.ask<{ perSecond: number; failed: number }>({ ...job, requests: options.requests });
    if (result.failed > 0) throw new Error(`${one.contestant}: ${result.failed} requests failed`);
    const expected = traced ? options.requests * one.spans : 0;
    const received = (await settled(sink, arrived + expected)) - arrived;
    const after = treeUsage(cluster.child.pid!);
    const reloadMs = one.contestant.startsWith('forktrace')
      ? (await cluster.ask<{ reloadMs: number }>('reload')).reloadMs
      : undefined;
    return {
      perSecond: result.perSecond,
      cpuMicros: ((after.cpuSeconds - before.cpuSeconds) * 1e6) / options.requests,
      rss: after.rss,
      readyMs,
      reloadMs,
      received,
      expected,
    };
  } finally {
    await cluster.stop();
    await sink.stop('SIGKILL');
    rmSync(journalDir, { recursive: true, force: true });
  }
}

/** Waits until all spans have arrived, or none has for longer than a batch's delay. */
async function settled(sink: BenchProcess, expected: number): Promise<number> {
  let last = -1;
  for (let since = performance.now(); ; ) {
    const { spans } = await sink.ask<{ spans: number }>('counts');
    if (spans !== last) since = performance.now();
    last = spans;
    if (spans >= expected || performance.now() - since > 6_000) return spans;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const cases: Case[] = options.workers.flatMap((workers: number) =>
  options.spans.flatMap((spans: number) =>
    options.connections.flatMap((connections: number) =>
      options.contestants.split(',').map((contestant: string) => ({ contestant, workers, spans, connections })),
    ),
  ),
);
const load = new BenchProcess(join(benchRoot, 'load.cjs'), []);
const measured = cases.map(() => [] as Measured[]);
const total = cases.length * options.rounds;
const startedAt = performance.now();
for (let round = 0; round < options.rounds; round++) {
  for (const [index, one] of cases.entries()) {
    measured[index]!.push(await measure(one, load));
    const done = round * cases.length + index + 1;
    const leftSeconds = ((performance.now() - startedAt) / done / 1000) * (total - done);
    process.stderr.write(`\r${done}/${total}  about ${leftSeconds.toFixed(0)} s left   `);
  }
}
process.stderr.write(`\r${' '.repeat(60)}\r`);
await load.stop('SIGKILL');

const summary = cases.map((one, index) => {
  const of = (key: 'perSecond' | 'cpuMicros' | 'rss' | 'readyMs') => median(measured[index]!.map((m) => m[key]));
  const bareIndex = cases.findIndex(
    (other) =>
      other.contestant === 'bare' &&
      other.workers === one.workers &&
      other.spans === one.spans &&
      other.connections === one.connections,
  );
  const bare = bareIndex >= 0 ? measured[bareIndex]! : undefined;
  const expected = measured[index]!.reduce((sum, m) => sum + m.expected, 0);
  const received = measured[index]!.reduce((sum, m) => sum + m.received, 0);
  const reloads = measured[index]!.flatMap(({ reloadMs }) => (reloadMs === undefined ? [] : [reloadMs]));
  return {
    ...one,
    perSecond: of('perSecond'),
    cpuMicros: of('cpuMicros'),
    addedMicros: bare && median(measured[index]!.map((m, round) => m.cpuMicros - bare[round]!.cpuMicros)),
    rssPerWorker: of('rss') / one.workers,
    readyMs: of('readyMs'),
    reloadMs: reloads.length > 0 ? median(reloads) : undefined,
    delivered: expected > 0 ? received / expected : undefined,
  };
});
console.log(
  renderTable(
    [
      'contestant',
      'workers',
      'spans',
      'conns',
      'req/s',
      'CPU µs/req',
      'added',
      'MB/worker',
      'ready ms',
      'reload ms',
      'delivered',
    ],
    summary.map((row) => [
      row.contestant,
      row.workers,
      row.spans,
      row.connections,
      row.perSecond.toFixed(0),
      row.cpuMicros.toFixed(1),
      row.addedMicros?.toFixed(1) ?? '–',
      (row.rssPerWorker / 1e6).toFixed(0),
      row.readyMs.toFixed(0),
      row.reloadMs?.toFixed(0) ?? '–',
      row.delivered === undefined ? '–' : `${(row.delivered * 100).toFixed(1)} %`,
    ]),
  ),
);
saveResults(options.json, { options, summary });
