/**
 * `npm run soak`: a cluster at full load for minutes. At the end memory must be flat in workers and shipper,
 * every span delivered once, and the journal directory empty.
 *
 *   npm run soak                              10 minutes
 *   npm run soak -- --minutes 5 --outage 120  the endpoint is away for 2 minutes in between
 *   npm run soak -- --faults                  faults of every kind instead of full load: test/soak/main.ts
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Command } from 'commander';
import { shipperPid } from '#src/shipper/lock.js';
import { freePort } from './free-port.js';
import { Load } from './load.js';
import { BenchProcess, benchRoot, members } from './processes.js';
import { renderTable } from './report.js';
import { median } from './statistics.js';

const { minutes, outage, rate, faults, page } = new Command('soak')
  .option('--minutes <n>', 'how long', Number, 10)
  .option('--outage <seconds>', 'how long the endpoint is away, in the middle', Number, 0)
  .option('--rate <n>', 'requests per second; 0 is as fast as it goes', Number, 0)
  .option('--faults', 'faults of every kind, for 30 minutes unless it is said')
  .option('--page', 'write docs/soak.md; with --faults')
  .parse()
  .opts<{ minutes: number; outage: number; rate: number; faults?: true; page?: true }>();
if (faults) {
  const said = process.argv.some((argument) => argument.startsWith('--minutes'));
  const program = join(benchRoot, '../dist-test/soak/main.js');
  const args = [String(said ? minutes : 30), ...(page ? ['--page'] : [])];
  process.exit(spawnSync(process.execPath, [program, ...args], { stdio: 'inherit' }).status ?? 1);
}

const CONNECTIONS = 64;
const dir = mkdtempSync(join(tmpdir(), 'forktrace-soak-'));
const journal = join(dir, 'bench');
const sinkPort = await freePort();
const port = await freePort();
const startSink = async () => {
  const sink = new BenchProcess(join(benchRoot, '../dist-bench/sink.js'), [], { env: { SINK_PORT: String(sinkPort) } });
  await sink.next();
  return sink;
};
let sink = await startSink();
/** Counted by sinks that have been stopped. */
let counted = 0;
const cluster = new BenchProcess(
  join(benchRoot, 'cluster-server.cjs'),
  ['forktrace-journal-mmap', 'hello', '2', String(port)],
  {
    env: {
      NODE_ENV: 'production',
      OTEL_SERVICE_NAME: 'bench',
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${sinkPort}`,
      OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
      FORKTRACE_JOURNAL_DIR: dir,
      // An outage at full load is within it.
      FORKTRACE_JOURNAL_MAX_BYTES: String(8 * 2 ** 30),
    },
  },
);
await cluster.next();
const load = new Load();

const samples: Record<string, number>[] = [];
const startedAt = performance.now();
const seconds = () => (performance.now() - startedAt) / 1000;
let requests = 0;
let away: 'not yet' | 'now' | 'over' = outage > 0 ? 'not yet' : 'over';
while (seconds() < minutes * 60) {
  const middle = (minutes * 60 - outage) / 2;
  if (away === 'not yet' && seconds() > middle) {
    counted += (await sink.ask<{ spans: number }>('counts')).spans;
    await sink.stop('SIGKILL');
    away = 'now';
  } else if (away === 'now' && seconds() > middle + outage) {
    sink = await startSink();
    away = 'over';
  }
  await load.connect({ port, path: '/', connections: CONNECTIONS });
  const done = rate > 0 ? (await load.atRate(rate, 5000)).latencies.length : (await load.flatOut(20_000)).done;
  requests += CONNECTIONS + done;
  const sample: Record<string, number> = {};
  for (const { pid, rss } of members(cluster.child.pid!))
    sample[pid === shipperPid(journal) ? 'shipper' : pid] = rss / 1e6;
  samples.push(sample);
  process.stderr.write(`\r${seconds().toFixed(0)} s  ${requests} requests  `);
}
process.stderr.write('\n');

const lifecycle = 2; // worker.start of two workers
let received = 0;
for (const until = performance.now() + 120_000; performance.now() < until; await sleep(100)) {
  received = counted + (await sink.ask<{ spans: number }>('counts')).spans;
  if (received >= requests + lifecycle) break;
}
await load.stop();
await cluster.stop();
const left = readdirSync(journal).filter((name) => !name.startsWith('shipper-'));
await sink.stop('SIGKILL');
rmSync(dir, { recursive: true, force: true });

// The first third warms up; what grows afterwards is a leak.
const third = Math.floor(samples.length / 3);
const rows = Object.keys(samples.at(-1)!).map((name) => {
  const of = (part: typeof samples) => median(part.flatMap((sample) => sample[name] ?? []));
  const [second, last] = [of(samples.slice(third, 2 * third)), of(samples.slice(2 * third))];
  return { name, second, last, growth: last / second - 1 };
});
console.log(
  renderTable(
    ['process', 'MB, second third', 'MB, last third', 'growth'],
    rows.map(({ name, second, last, growth }) => [
      name,
      second.toFixed(0),
      last.toFixed(0),
      `${(growth * 100).toFixed(1)} %`,
    ]),
  ),
);
const flat = rows.every(({ growth }) => growth < 0.05);
// While the endpoint is killed with a request in its hands, that request is sent again: at least once.
const delivered = outage > 0 ? received >= requests : received === requests + lifecycle;
console.log(
  `${requests} requests, ${received - lifecycle} spans of them received, files left: ${left.join(', ') || 'none'}`,
);
console.log(
  `memory ${flat ? 'flat' : 'GROWS'}, spans ${delivered ? 'complete' : 'MISSING'}, directory ${left.length === 0 ? 'empty' : 'NOT EMPTY'}`,
);
if (!flat || !delivered || left.length > 0) process.exitCode = 1;
