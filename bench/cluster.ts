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
import { probe } from './arrival.js';
import { environment, install, settled } from './contestant.js';
import { freePort } from './free-port.js';
import { type FlatOut, guarded, Load } from './load.js';
import { BenchProcess, benchRoot, members, proportionalSetSize, treeCpuSeconds } from './processes.js';
import { Progress } from './progress.js';
import { renderTable, saveResults } from './report.js';
import { median } from './statistics.js';

/** Rounds that V8 needs to compile what a worker does. */
const WARM_UPS = 2;

const numbers = (text: string) => text.split(',').map(Number);

const options = new Command('bench:cluster')
  .option('--workers <list>', 'cluster sizes', numbers, [1, 2, 4])
  .option('--spans <list>', 'spans of a request', numbers, [1])
  .option('--connections <list>', 'concurrent requests', numbers, [64])
  .option('--contestants <list>', 'comma-separated', 'untraced,forktrace-journal-mmap,otel-2')
  .option('--rounds <n>', 'interleaved rounds', Number, 3)
  .option('--requests <n>', 'requests per contestant and round', Number, 20_000)
  .option('--node <path>', 'the Node.js that the cluster runs on')
  .option('--json <file>', 'where the result goes', 'cluster')
  .parse()
  .opts();

interface Case {
  contestant: string;
  workers: number;
  spans: number;
  connections: number;
}

interface Measured extends FlatOut {
  cpuMicros: number;
  /** Bytes, proportional set size: of a worker, and of all processes. */
  workerMemory: number;
  allMemory: number;
  readyMs: number;
  reloadMs: number | undefined;
  received: number;
  expected: number;
}

async function measure(one: Case, load: Load): Promise<Measured> {
  const journalDir = mkdtempSync(join(tmpdir(), 'forktrace-bench-'));
  const sink = new BenchProcess(join(benchRoot, '../dist-bench/sink.js'), []);
  const ports = await sink.next<{ port: number; httpPort: number }>();
  const port = await freePort();
  const app = one.spans === 1 ? 'hello' : 'spans';
  const cluster = new BenchProcess(
    join(benchRoot, 'cluster-server.cjs'),
    [one.contestant, app, String(one.workers), String(port)],
    { nodePath: options.node, env: { ...environment(ports, journalDir), SPANS: String(one.spans) } },
  );
  try {
    const { readyMs } = await cluster.next<{ readyMs: number }>();
    const target = { port, path: '/', connections: one.connections };
    const traced = one.contestant !== 'untraced';
    const requests = Math.max(options.requests, one.connections * 20);
    if (traced) await probe({ name: one.contestant, speaksOtlp: true, sink, port }, '/', one.spans);
    for (let i = 0; i < WARM_UPS; i++) {
      await load.connect(target);
      await load.flatOut(options.requests);
    }
    // Spans of the coordinator's own arrive here too, so what counts is what comes after.
    const earlier = traced ? await settled(sink, Number.POSITIVE_INFINITY) : 0;
    let [received, expected] = [0, 0];
    const run = await guarded(async () => {
      await load.connect(target);
      const before = treeCpuSeconds(cluster.child.pid!);
      const flatOut = await load.flatOut(requests);
      if (traced) expected += (one.connections + requests) * one.spans;
      received = (await settled(sink, earlier + expected)) - earlier;
      return { ...flatOut, cpuMicros: ((treeCpuSeconds(cluster.child.pid!) - before) * 1e6) / requests };
    });
    const memory = members(cluster.child.pid!).map((process) => ({
      ...process,
      pss: proportionalSetSize(process.pid),
    }));
    const workers = memory.filter(
      ({ pid, command }) => pid !== cluster.child.pid && command.includes('cluster-server.cjs'),
    );
    const reloadMs = one.contestant.startsWith('forktrace')
      ? (await cluster.ask<{ reloadMs: number }>('reload')).reloadMs
      : undefined;
    return {
      ...run,
      workerMemory: median(workers.map(({ pss }) => pss)),
      allMemory: memory.reduce((sum, { pss }) => sum + pss, 0),
      readyMs,
      reloadMs,
      received,
      expected,
    };
  } finally {
    await cluster.stop();
    await sink.stop('SIGKILL');
    rmSync(journalDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

const cases: Case[] = options.workers.flatMap((workers: number) =>
  options.spans.flatMap((spans: number) =>
    options.connections.flatMap((connections: number) =>
      options.contestants.split(',').map((contestant: string) => ({ contestant, workers, spans, connections })),
    ),
  ),
);
for (const contestant of options.contestants.split(',')) install(contestant);
const load = new Load();
const measured = cases.map(() => [] as Measured[]);
const progress = new Progress(cases.length * options.rounds);
for (let round = 0; round < options.rounds; round++) {
  for (const [index, one] of cases.entries()) {
    measured[index]!.push(await measure(one, load));
    progress.step(`${one.contestant}, ${one.workers} workers`);
  }
}
progress.end();
await load.stop();

const summary = cases.map((one, index) => {
  const of = (key: keyof Omit<Measured, 'reloadMs'>) => median(measured[index]!.map((m) => m[key]));
  const untracedIndex = cases.findIndex(
    (other) =>
      other.contestant === 'untraced' &&
      other.workers === one.workers &&
      other.spans === one.spans &&
      other.connections === one.connections,
  );
  const untraced = untracedIndex >= 0 ? measured[untracedIndex]! : undefined;
  const expected = measured[index]!.reduce((sum, m) => sum + m.expected, 0);
  const received = measured[index]!.reduce((sum, m) => sum + m.received, 0);
  const reloads = measured[index]!.flatMap(({ reloadMs }) => (reloadMs === undefined ? [] : [reloadMs]));
  return {
    ...one,
    perSecond: of('perSecond'),
    cpuMicros: of('cpuMicros'),
    addedMicros: untraced && median(measured[index]!.map((m, round) => m.cpuMicros - untraced[round]!.cpuMicros)),
    workerMemory: of('workerMemory'),
    allMemory: of('allMemory'),
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
      'MB, all',
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
      (row.workerMemory / 1e6).toFixed(0),
      (row.allMemory / 1e6).toFixed(0),
      row.readyMs.toFixed(0),
      row.reloadMs?.toFixed(0) ?? '–',
      row.delivered === undefined ? '–' : `${(row.delivered * 100).toFixed(1)} %`,
    ]),
  ),
);
saveResults(options.json, { options, summary });
