/**
 * `npm run bench:http`: what tracing costs a server, as ratios to the same server untraced, in one run.
 *
 *   npm run bench:http                                    hello-world, the headline contestants
 *   npm run bench:http -- --app express --rounds 9
 *   npm run bench:http -- --contestants bare,forktrace-journal-mmap,otel-2
 *
 * The server has a core of its own; load generator, sink and shipper share the other. Rounds are interleaved: every
 * contestant serves the same number of requests in each, in an order that rotates; a ratio compares two runs of one round.
 *
 * @module
 */

import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { shipperPid } from '#src/shipper/lock.js';
import { BenchProcess, benchRoot, pin, treeUsage } from './processes.js';
import { renderHttpTable, saveResults } from './report.js';
import { median, spread } from './statistics.js';

const SERVER_CORE = 0;
const OTHER_CORE = 1;

/** Apps, the path that is asked for, and the spans of a request. */
const apps: Record<string, { path: string; spans: number; requests: number }> = {
  hello: { path: '/', spans: 1, requests: 20_000 },
  express: { path: '/items/books', spans: 4, requests: 10_000 },
  fastify: { path: '/items/books', spans: 4, requests: 10_000 },
  io: { path: '/', spans: 1, requests: 5_000 },
};

interface Sample {
  perSecond: number;
  workerMicros: number;
  allMicros: number;
  rss: number;
  loopDelayP99: number;
}

class Contestant {
  readonly samples: Sample[] = [];
  latency: { p50: number; p99: number; p999: number } | undefined;
  received = 0;
  expected = 0;
  server!: BenchProcess;
  sink!: BenchProcess;
  port!: number;
  readonly journalDir = mkdtempSync(join(tmpdir(), 'forktrace-bench-'));

  constructor(readonly name: string) {}

  /** The others send to an HTTP sink that takes everything, or nowhere. */
  get speaksOtlp(): boolean {
    return /^(forktrace|otel)/.test(this.name);
  }

  async start(app: string, sampled: boolean, nodePath: string | undefined): Promise<void> {
    this.sink = new BenchProcess(join(benchRoot, '../dist-bench/sink.js'), [], { core: OTHER_CORE });
    const sink = await this.sink.next<{ port: number; httpPort: number }>();
    this.server = new BenchProcess(join(benchRoot, 'server.cjs'), [this.name, app], {
      core: SERVER_CORE,
      nodePath,
      env: {
        NODE_ENV: 'production',
        OTEL_SERVICE_NAME: 'bench',
        OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${sink.port}`,
        OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
        OTEL_TRACES_SAMPLER: sampled ? 'parentbased_always_on' : 'always_off',
        OTEL_METRICS_EXPORTER: 'none',
        OTEL_LOGS_EXPORTER: 'none',
        FORKTRACE_JOURNAL_DIR: this.journalDir,
        BENCH_HTTP_SINK: `http://127.0.0.1:${sink.httpPort}`,
      },
    });
    this.port = (await this.server.next<{ port: number }>()).port;
  }

  async round(load: BenchProcess, job: object, requests: number, spansPerRequest: number): Promise<void> {
    const shipper = shipperPid(join(this.journalDir, 'bench'));
    if (shipper !== undefined) pin(shipper, OTHER_CORE);
    this.server.tell('reset');
    const before = await this.server.ask<{ cpuMicros: number }>('usage');
    const treeBefore = treeUsage(this.server.child.pid!, shipper);
    const result = await load.ask<{ perSecond: number; failed: number }>({ ...job, port: this.port, requests });
    if (result.failed > 0) throw new Error(`${this.name}: ${result.failed} requests failed`);
    const after = await this.server.ask<{ cpuMicros: number; rss: number; loopDelayP99: number }>('usage');
    await this.settle(requests * spansPerRequest);
    const treeAfter = treeUsage(this.server.child.pid!, shipper);
    this.samples.push({
      perSecond: result.perSecond,
      workerMicros: (after.cpuMicros - before.cpuMicros) / requests,
      allMicros: ((treeAfter.cpuSeconds - treeBefore.cpuSeconds) * 1e6) / requests,
      rss: after.rss,
      loopDelayP99: after.loopDelayP99,
    });
  }

  /** Waits until every span of the round has arrived, or none has for longer than a batch's delay. */
  async settle(expected: number): Promise<void> {
    if (!this.speaksOtlp) return;
    this.expected += expected;
    let stalledSince = performance.now();
    let last = -1;
    for (;;) {
      const { spans } = await this.sink.ask<{ spans: number }>('counts');
      if (spans !== last) stalledSince = performance.now();
      last = spans;
      this.received = spans;
      if (spans >= this.expected || performance.now() - stalledSince > 6_000) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  async stop(): Promise<void> {
    await this.server?.stop();
    await this.sink?.stop('SIGKILL');
    rmSync(this.journalDir, { recursive: true, force: true });
  }
}

const options = new Command('bench:http')
  .option('--app <name>', Object.keys(apps).join(', '), 'hello')
  .option(
    '--contestants <names>',
    'comma-separated',
    'bare,forktrace-journal-mmap,forktrace-journal-write,forktrace-batch,otel-2',
  )
  .option('--rounds <n>', 'interleaved rounds', Number, 7)
  .option('--requests <n>', 'requests per contestant and round', Number)
  .option('--connections <n>', 'keep-alive connections', Number, 32)
  .option('--latency-ms <n>', 'duration of the fixed-rate run; 0 leaves it out', Number, 5000)
  .option('--not-sampled', 'sampler always_off')
  .option('--node <path>', 'the Node.js that the servers run on')
  .option('--peers', 'the peers, too: installs bench/peers')
  .option('--json <file>', 'where the result goes', 'http')
  .parse()
  .opts();

const app = apps[options.app];
if (!app) throw new Error(`--app: got ${options.app}, expected one of ${Object.keys(apps).join(', ')}`);
const names: string[] = options.contestants.split(',');
if (names.includes('otel-2') && !existsSync(join(benchRoot, 'otel-stack/node_modules'))) {
  spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: join(benchRoot, 'otel-stack'), stdio: 'inherit' });
}
if (options.peers) {
  if (!existsSync(join(benchRoot, 'peers/node_modules'))) {
    spawnSync('npm', ['install', '--no-audit', '--no-fund'], { cwd: join(benchRoot, 'peers'), stdio: 'inherit' });
  }
  names.push('otel-3', 'dd-trace', 'sentry', 'elastic-apm');
}
const requests: number = options.requests ?? app.requests;
const spansPerRequest = options.notSampled ? 0 : app.spans;
const contestants = names.map((name) => new Contestant(name));
const load = new BenchProcess(join(benchRoot, 'load.cjs'), [], { core: OTHER_CORE });
const job = { path: app.path, connections: options.connections };

try {
  for (const contestant of contestants) await contestant.start(options.app, !options.notSampled, options.node);
  for (const contestant of contestants) {
    await load.ask({ ...job, port: contestant.port, requests: requests / 2 }); // warm-up
    await contestant.settle((requests / 2) * spansPerRequest);
  }
  for (let round = 0; round < options.rounds; round++) {
    const order = contestants.map((_, index) => contestants[(index + round) % contestants.length]!);
    for (const contestant of order) {
      await contestant.round(load, job, requests, spansPerRequest);
      process.stderr.write(`\rround ${round + 1}/${options.rounds}  ${contestant.name.padEnd(28)}`);
    }
  }
  const bare = contestants.find(({ name }) => name === 'bare');
  if (bare && options.latencyMs > 0) {
    const rate = 0.7 * median(bare.samples.map(({ perSecond }) => perSecond));
    for (const contestant of contestants) {
      // 70 % of what the bare server does: a contestant that cannot keep up shows it as latency.
      contestant.latency = await load.ask({ ...job, port: contestant.port, rate, durationMs: options.latencyMs });
      await contestant.settle(Math.round((rate * options.latencyMs) / 1000) * spansPerRequest);
    }
  }
  process.stderr.write(`\r${' '.repeat(60)}\r`);
  const summary = contestants.map((contestant) => {
    const of = (key: keyof Sample) => contestant.samples.map((sample) => sample[key]);
    const paired = (key: keyof Sample, combine: (own: number, base: number) => number) =>
      bare ? contestant.samples.map((sample, round) => combine(sample[key], bare.samples[round]![key])) : [];
    const throughput = paired('perSecond', (own, base) => own / base);
    return {
      name: contestant.name,
      perSecond: median(of('perSecond')),
      throughputRatio: throughput.length > 0 ? median(throughput) : undefined,
      throughputSpread: throughput.length > 0 ? spread(throughput) : undefined,
      workerMicros: median(of('workerMicros')),
      addedWorkerMicros: bare ? median(paired('workerMicros', (own, base) => own - base)) : undefined,
      addedAllMicros: bare ? median(paired('allMicros', (own, base) => own - base)) : undefined,
      rss: median(of('rss')),
      loopDelayP99: median(of('loopDelayP99')),
      latency: contestant.latency,
      delivered: contestant.expected > 0 ? contestant.received / contestant.expected : undefined,
    };
  });
  console.log(renderHttpTable(options.app, summary));
  const node = execFileSync(options.node ?? process.execPath, ['--version'], { encoding: 'utf8' }).trim();
  saveResults(options.json, { app: options.app, node, options, summary });
} finally {
  await Promise.all(contestants.map((contestant) => contestant.stop()));
  await load.stop('SIGKILL');
}
