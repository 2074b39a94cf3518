/**
 * One contestant: a server in a process of its own, traced in one way, and the endpoint that its spans go to.
 *
 * @module
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { shipperPid } from '#src/shipper/lock.js';
import { BenchProcess, benchRoot, pin, prioritize, prioritizeSession } from './processes.js';

export const SERVER_CORE = 0;
export const OTHER_CORE = 1;

export interface App {
  /** What is asked for. */
  path: string;
  /** Of a request, by what is common to all contestants. */
  spans: number;
  /**
   * Of a round: so many that what a shipper or an exporter does while nothing happens, between the turns,
   * hardly counts.
   */
  requests: number;
  /** Its file in bench/apps. @default its name */
  file?: string;
  env?: NodeJS.ProcessEnv;
  /** A folder of bench with packages of its own. */
  packages?: string;
}

const API = { path: '/items/books', spans: 4, requests: 40_000 };
const spansApp = (spans: number): App => ({
  path: '/',
  spans,
  requests: 200_000 / spans,
  file: 'spans',
  env: { SPANS: String(spans) },
});

export const apps: Record<string, App> = {
  hello: { path: '/', spans: 1, requests: 100_000 },
  express: API,
  fastify: API,
  koa: API,
  hono: API,
  nestjs: API,
  io: { path: '/', spans: 1, requests: 10_000 },
  'postgres-redis': { path: '/items/7', spans: 4, requests: 5_000, packages: 'postgres-redis' },
  'spans-1': spansApp(1),
  'spans-10': spansApp(10),
  'spans-100': spansApp(100),
};

export const peers = ['dd-trace', 'sentry', 'elastic-apm'];

/** Packages of a contestant's own, which a clone does not have yet. */
export function install(contestant: string): void {
  installFolder(contestant.startsWith('otel') ? contestant : peers.includes(contestant) ? 'peers' : undefined);
}

function installFolder(folder: string | undefined): void {
  if (folder === undefined || existsSync(join(benchRoot, folder, 'node_modules'))) return;
  const cwd = join(benchRoot, folder);
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error(`npm ci in bench/${folder} failed`);
}

/** What every contestant's process is told, and no more than that. */
export function environment(sink: { port: number; httpPort: number }, journalDir: string): NodeJS.ProcessEnv {
  return {
    NODE_ENV: 'production',
    FORKTRACE_QUIET: '1',
    OTEL_SERVICE_NAME: 'bench',
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${sink.port}`,
    OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc',
    OTEL_METRICS_EXPORTER: 'none',
    OTEL_LOGS_EXPORTER: 'none',
    // The stable HTTP attributes, which forktrace sets, and OpenTelemetry 2.x only when it is asked.
    OTEL_SEMCONV_STABILITY_OPT_IN: 'http',
    FORKTRACE_JOURNAL_DIR: journalDir,
    BENCH_HTTP_SINK: `http://127.0.0.1:${sink.httpPort}`,
  };
}

export class Contestant {
  received = 0;
  /** Spans that must arrive, by the requests that were sent. */
  expected = 0;
  /** Nobody waits for them a second time. */
  #lost = 0;
  server!: BenchProcess;
  sink!: BenchProcess;
  port!: number;
  readonly journalDir = mkdtempSync(join(tmpdir(), 'forktrace-bench-'));

  constructor(readonly name: string) {}

  /** The others send to an HTTP sink that takes everything, or nowhere. */
  get speaksOtlp(): boolean {
    return /^(forktrace|otel)/.test(this.name);
  }

  /** @param app a key of {@link apps} */
  async start(
    app: string,
    options: { sampled?: boolean; nodePath?: string; execArgv?: string[]; env?: NodeJS.ProcessEnv } = {},
  ): Promise<void> {
    const { file = app, env, packages } = apps[app]!;
    install(this.name);
    installFolder(packages);
    this.sink = new BenchProcess(join(benchRoot, '../dist-bench/sink.js'), [], { core: OTHER_CORE });
    // A Collector answers at once. One that waits for its core would have exporters wait, and drop what they
    // cannot hold.
    prioritize(this.sink.child.pid!);
    const sink = await this.sink.next<{ port: number; httpPort: number }>();
    this.server = new BenchProcess(join(benchRoot, 'server.cjs'), [this.name, file], {
      core: SERVER_CORE,
      ...options,
      env: {
        ...environment(sink, this.journalDir),
        ...env,
        ...options.env,
        OTEL_TRACES_SAMPLER: options.sampled === false ? 'always_off' : 'parentbased_always_on',
      },
    });
    this.port = (await this.server.next<{ port: number }>()).port;
  }

  /**
   * The shipper, moved to the core that is not the server's; of a session of its own, which goes first, too:
   * who waits for what it delivers would wait for what else the machine does.
   */
  shipper(): number | undefined {
    const pid = shipperPid(join(this.journalDir, 'bench'));
    if (pid === undefined) return undefined;
    pin(pid, OTHER_CORE);
    prioritizeSession(pid);
    return pid;
  }

  /** Waits until all `expected` spans have arrived, or none has for longer than a batch's delay. */
  async settle(): Promise<void> {
    if (!this.speaksOtlp) return;
    this.received = await settled(this.sink, this.expected - this.#lost);
    this.#lost = this.expected - this.received;
  }

  /** Waits until all `expected` spans have arrived, or none has for longer than a shipper gathers. */
  async drain(): Promise<void> {
    if (this.speaksOtlp) this.received = await settled(this.sink, this.expected - this.#lost, 600);
  }

  /** Of those that must arrive, the share that has. */
  get delivered(): number | undefined {
    return this.speaksOtlp && this.expected > 0 ? this.received / this.expected : undefined;
  }

  async stop(): Promise<void> {
    await this.server?.stop();
    // One that has more to deliver outlives its server, and would go on in what is removed here.
    const shipper = shipperPid(join(this.journalDir, 'bench'));
    try {
      if (shipper !== undefined) process.kill(shipper, 'SIGKILL');
    } catch {
      // It has just ended.
    }
    await this.sink?.stop('SIGKILL');
    rmSync(this.journalDir, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
  }
}

/** Waits until `expected` spans have arrived, or none has for longer than a batch's delay; how many have. */
export async function settled(sink: BenchProcess, expected: number, quietMs = 6_000): Promise<number> {
  let last = -1;
  for (let since = performance.now(); ; ) {
    const { spans } = await sink.ask<{ spans: number }>('counts');
    if (spans !== last) since = performance.now();
    last = spans;
    if (spans >= expected || performance.now() - since > quietMs) return spans;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
