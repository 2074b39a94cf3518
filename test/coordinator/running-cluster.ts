import assert from 'node:assert/strict';
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import type { ChildExit, ClusterStats, TracingConfig } from 'forktrace';
import type { Behaviour } from '../fixtures/cluster.js';
import { pidsWithEnvironment } from '../process/alive.js';
import { removeAtExit } from '../process/temp-dir.js';
import { kill, killWithCoverage } from '../process/write-coverage.js';

/** Generous: the machine may be busy. What is waited for is exact. */
export const BOUND_MS = 30_000;

/**
 * Resolves with the first truthy value of `check`; fails with `what` and what `explain` says when the bound
 * is reached.
 */
export async function until<T>(
  what: string,
  check: () => T | undefined | Promise<T | undefined>,
  explain: () => unknown = () => '',
  boundMs = BOUND_MS,
): Promise<NonNullable<T>> {
  const end = performance.now() + boundMs;
  for (;;) {
    const value = await check();
    if (value) return value as NonNullable<T>;
    if (performance.now() > end) assert.fail(`not within ${boundMs} ms: ${what}. ${String(explain())}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    // A zombie has no memory left: its parent has not waited for it yet.
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface HookCall {
  hook: string;
  // biome-ignore lint/suspicious/noExplicitAny: each hook has its own.
  args: any[];
}

export interface Served {
  slot: number;
  incarnation: number;
  pid: number;
  version: string | undefined;
  modules: string[] | undefined;
  env: Record<string, string | undefined>;
}

interface Answer {
  id: number;
  result?: unknown;
  error?: { code: string; message: string };
}

export interface ClusterOptions {
  env?: NodeJS.ProcessEnv;
  execArgv?: string[];
  behaviour?: Behaviour;
  fixture?: string;
}

/** A fixture cluster in processes of its own; gone with all its workers when the test ends. */
export class RunningCluster {
  readonly port: number;
  readonly process: ChildProcess;
  output = '';
  /** JSON lines of all processes. */
  readonly lines: Record<string, unknown>[] = [];
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly #directory: string;
  readonly #answers = new Map<
    number,
    (answer: { result?: unknown; error?: { code: string; message: string } }) => void
  >();
  #lastId = 0;
  #ended = false;

  static async start(context: TestContext, config: TracingConfig = {}, options: ClusterOptions = {}) {
    const running = new RunningCluster(context, await freePort(), config, options);
    return running;
  }

  /** As {@link start}, and all workers are ready. */
  static async ready(context: TestContext, config: TracingConfig = {}, options: ClusterOptions = {}) {
    const running = await RunningCluster.start(context, config, options);
    await running.says('started');
    return running;
  }

  private constructor(context: TestContext, port: number, config: TracingConfig, options: ClusterOptions) {
    this.port = port;
    this.#directory = removeAtExit(mkdtempSync(join(tmpdir(), 'forktrace-test-')));
    if (options.behaviour) this.behave(options.behaviour);
    const whole: TracingConfig = { listen: { port, host: '127.0.0.1' }, ...config };
    whole.journal = { dir: join(this.#directory, 'journal'), ...config.journal };
    const program = new URL(`../fixtures/${options.fixture ?? 'cluster'}.js`, import.meta.url);
    this.process = fork(program, {
      // A process group of its own, so that nothing of it can outlive the test.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: options.execArgv ?? [],
      env: {
        ...process.env,
        TMPDIR: this.#directory,
        FORKTRACE_RUN_DIR: join(this.#directory, 'run'),
        CLUSTER_CONFIG: JSON.stringify(whole),
        ...(options.behaviour ? { BEHAVIOUR: join(this.#directory, 'behaviour.json') } : {}),
        ...options.env,
      },
    });
    let rest = '';
    this.process.stdout!.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
      const lines = (rest + text).split('\n');
      rest = lines.pop()!;
      for (const line of lines) if (line.startsWith('{')) this.lines.push(JSON.parse(line));
    });
    this.process.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
    });
    this.process.on('message', (answer: Answer) => this.#answers.get(answer.id)?.(answer));
    this.exited = new Promise((resolve) => this.process.once('close', (code, signal) => resolve({ code, signal })));
    void this.exited.then(() => {
      this.#ended = true;
    });
    context.after(() => this.#cleanUp());
  }

  get pid(): number {
    return this.process.pid!;
  }

  get runDir(): string {
    return join(this.#directory, 'run');
  }

  get journalDir(): string {
    return join(this.#directory, 'journal');
  }

  behave(behaviour: Behaviour): void {
    writeFileSync(join(this.#directory, 'behaviour.json'), JSON.stringify(behaviour));
  }

  async says(name: string) {
    return until(
      `the cluster says ${name}`,
      () => {
        const line = this.lines.find((line) => name in line);
        if (!line && this.#ended) assert.fail(`the cluster ended before it said ${name}. ${this.output}`);
        return line;
      },
      () => this.output,
    );
  }

  hooks(name?: string): HookCall[] {
    const calls = this.lines.filter((line) => 'hook' in line) as unknown as HookCall[];
    return name === undefined ? calls : calls.filter(({ hook }) => hook === name);
  }

  /** Pids of the coordinator's children whose command line has `words` in it. */
  children(words: string): number[] {
    const pids = readFileSync(`/proc/${this.pid}/task/${this.pid}/children`, 'utf8').split(' ').filter(Boolean);
    return pids.map(Number).filter((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(words));
  }

  /** The death of one process, as the childExit hook tells it. */
  async death(pid: number): Promise<ChildExit> {
    return until(
      `childExit of ${pid}`,
      () => this.hooks('childExit').find(({ args }) => args[0].pid === pid)?.args[0] as ChildExit | undefined,
      () => this.output,
    );
  }

  ask<T>(command: 'stats' | 'reload' | 'scale' | 'shutdown' | 'modules', argument?: unknown): Promise<T> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      this.#answers.set(id, ({ result, error }) => {
        if (error) reject(Object.assign(new Error(error.message), { code: error.code }));
        else resolve(result as T);
      });
      this.process.send({ id, command, argument });
    });
  }

  stats(): Promise<ClusterStats> {
    return this.ask<ClusterStats>('stats');
  }

  /** Statistics that satisfy `wanted`. */
  async settled(what: string, wanted: (stats: ClusterStats) => boolean): Promise<ClusterStats> {
    let last: ClusterStats | undefined;
    return until(
      what,
      async () => {
        last = await this.stats();
        return wanted(last) ? last : undefined;
      },
      () => `${JSON.stringify(last, undefined, 1)}\n${this.output}`,
    );
  }

  /** One request on a connection of its own; rejects when it is refused or reset. */
  get(path = '/', agent = new Agent({ keepAlive: false })): Promise<Served> {
    return new Promise((resolve, reject) => {
      const request = get({ host: '127.0.0.1', port: this.port, path, agent }, (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (text) => {
          body += text;
        });
        response.on('error', reject);
        response.on('end', () => resolve(JSON.parse(body)));
      });
      request.on('error', reject);
    });
  }

  /** Asks for `path` until the wanted slot has answered. */
  async pidOf(slot: number): Promise<number> {
    const { workers } = await this.settled(`slot ${slot} is ready`, ({ workers }) =>
      workers.some((worker) => worker.slot === slot && worker.state === 'ready'),
    );
    return workers.find((worker) => worker.slot === slot && worker.state === 'ready')!.pid!;
  }

  async end(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    const result = await Promise.race([
      this.exited,
      new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), BOUND_MS).unref()),
    ]);
    if (!result) assert.fail(`the coordinator does not exit. ${this.output}`);
    return result;
  }

  /** Shippers have a session of their own, and outlive the cluster while there is something to ship. */
  shippers(): number[] {
    if (!existsSync(this.journalDir)) return [];
    return (
      readdirSync(this.journalDir, { recursive: true, encoding: 'utf8' })
        .filter((file) => file.endsWith('.lock'))
        .map((file) => Number(/"pid":(\d+)/.exec(readFileSync(join(this.journalDir, file), 'utf8'))?.[1]))
        // One that has released its lock has emptied it.
        .filter((pid) => pid > 0)
        .filter((pid) => alive(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('shipper'))
    );
  }

  /** SIGKILL for the coordinator, its workers, viewer and shipper. */
  killAll(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // All gone, as it should be.
    }
    for (const pid of this.shippers()) process.kill(pid, 'SIGKILL');
  }

  async #cleanUp(): Promise<void> {
    if (process.env.NODE_V8_COVERAGE)
      for (const pid of pidsWithEnvironment(`TMPDIR=${this.#directory}`)) await killWithCoverage(pid);
    this.killAll();
    await this.exited;
    // A shipper that still boots has no lock yet, and would make its directory anew.
    await until('the end of its companions', () => {
      const pids = pidsWithEnvironment(`TMPDIR=${this.#directory}`).filter(alive);
      for (const pid of pids) kill(pid);
      return pids.length === 0;
    });
    rmSync(this.#directory, { recursive: true, force: true });
  }
}
