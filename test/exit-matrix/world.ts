/**
 * One kind of process, ended in each of several ways: how it ended, and what reached an OTLP endpoint.
 *
 * @module
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { shipperPid } from '#src/shipper/lock.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { ReceivedSpan } from '../endpoint/received-span.js';
import type { EndingApp, Place } from '../fixtures/ending.js';
import { RealPm2 } from '../pm2/real-pm2.js';
import { fixture, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import type { Exit, Told } from './ways.js';

type Context = Pick<TestContext, 'after'>;

/** What came of one way to end. */
export interface Ending {
  /** Of five spans that had ended. */
  delivered: number;
  /** How often the root span came, which was open. */
  roots: number;
  told: Told;
  exit: Exit;
}

export const STEPS = 5;
const HEAP = '--max-old-space-size=64';
const LONG_MS = 120_000;
const register = import.meta.resolve('forktrace/register');
const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

/** How each of the ways ends without tracing. */
export async function untraced(t: Context, place: Place, ways: readonly string[]): Promise<Map<string, Exit>> {
  const world = new World(t, place, ways, await tempDir(t), undefined);
  await world.start();
  world.go();
  return world.exits();
}

/**
 * @param shipper whether it runs while the processes end; `down`: it is killed as often as it comes up until
 * then
 */
export async function traced(
  t: Context,
  place: Place,
  ways: readonly string[],
  shipper: 'up' | 'down',
): Promise<Map<string, Ending>> {
  const endpoint = await OtlpEndpoint.start(t);
  const world = new World(t, place, ways, await tempDir(t), endpoint.grpcUrl);
  await world.start();
  await waitFor(() => world.shipper(), 'a shipper', LONG_MS);
  const downing = shipper === 'down' ? setInterval(() => world.killShipper(), 1) : undefined;
  if (downing) await waitFor(() => world.shipper() === undefined, 'the end of the shipper');
  let exits: Map<string, Exit>;
  try {
    world.go();
    exits = await world.exits();
  } finally {
    clearInterval(downing);
  }
  // A coordinator starts another one, and so does the next program; here none comes.
  if (downing && place !== 'our cluster') await world.shipRest();
  const all = ways.length * (STEPS + 1);
  const spans = await endpoint
    .waitForSpans((got) => ofWays(got).length >= all, 20_000)
    .catch(() => endpoint.received());
  // A shipper that is killed has no time to note what it has sent, and the next one sends it again.
  const arrived = downing ? [...new Map(spans.map((span) => [span.spanId, span])).values()] : spans;
  return new Map(ways.map((way) => [way, endingOf(way, ofWays(arrived), exits.get(way)!)]));
}

const ofWays = (spans: readonly ReceivedSpan[]) => spans.filter(({ attributes }) => attributes.way !== undefined);

function endingOf(way: string, spans: readonly ReceivedSpan[], exit: Exit): Ending {
  const own = spans.filter(({ attributes }) => attributes.way === way);
  const roots = own.filter(({ name, attributes }) => name === 'root' && attributes['forktrace.interrupted'] === true);
  const { attributes = {} } = roots[0]?.events.find(({ name }) => name === 'forktrace.exit') ?? {};
  return {
    delivered: own.filter(({ name }) => name === 'step').length,
    roots: roots.length,
    told: {
      cause: attributes['forktrace.exit.cause'] as string | undefined,
      code: attributes['process.exit.code'] as number | undefined,
      signal: attributes['forktrace.exit.signal'] as string | undefined,
    },
    exit,
  };
}

class World {
  readonly #programs = new Map<string, ReturnType<typeof runProgram>>();
  #pm2: RealPm2 | undefined;

  constructor(
    readonly t: Context,
    readonly place: Place,
    readonly ways: readonly string[],
    readonly dir: string,
    /** undefined: untraced. */
    readonly url: string | undefined,
  ) {}

  /** Resolves when all are at work, and wait for their end. */
  async start(): Promise<void> {
    if (this.place.startsWith('pm2')) await this.#startPm2();
    else if (this.place.endsWith('cluster') || this.place === 'cluster worker') this.#run('all', this.ways);
    else for (const way of this.ways) this.#run(way, [way]);
    await waitFor(
      () => this.ways.every((way) => existsSync(join(this.dir, `${way}.working`))),
      () =>
        `the processes, in ${readdirSync(this.dir)}\n${[...this.#programs.values()].map(({ output }) => output).join('\n')}`,
      LONG_MS,
    );
  }

  go(): void {
    writeFileSync(join(this.dir, 'go'), '');
  }

  shipper(): number | undefined {
    return shipperPid(join(this.dir, 'journal', 'ending'));
  }

  killShipper(): void {
    const pid = this.shipper();
    if (pid === undefined) return;
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  }

  /** Once nobody is left who would start a shipper. */
  async shipRest(): Promise<void> {
    for (const program of this.#programs.values()) if (this.place !== 'thread') await program.waitForExit(LONG_MS);
    const program = runProgram(this.t, cli, {
      args: ['ship', join(this.dir, 'journal')],
      env: { OTEL_EXPORTER_OTLP_ENDPOINT: this.url, PM2_HOME: this.#pm2?.home },
    });
    await program.waitForExit(LONG_MS);
  }

  async exits(): Promise<Map<string, Exit>> {
    const exits = new Map<string, Exit>();
    await waitFor(
      () => {
        for (const way of this.ways) {
          const exit = this.#exitOf(way);
          if (exit !== undefined) exits.set(way, exit);
        }
        return exits.size === this.ways.length;
      },
      () => `the end by ${this.ways.filter((way) => !exits.has(way)).join(', ')}`,
      LONG_MS,
    );
    return exits;
  }

  #exitOf(way: string): Exit | undefined {
    if (this.#pm2) {
      const [, code, signal] =
        new RegExp(`App \\[${nameOf(way)}:\\d+\\] exited with code \\[(\\d+)\\] via signal \\[(\\w+)\\]`).exec(
          this.#pm2.daemonLog(),
        ) ?? [];
      // pm2 sends itself a SIGINT of its own in that place where there was none.
      return code === undefined ? undefined : code !== '0' || isByCode(way) ? code : signal;
    }
    const path = join(this.dir, `${way}.ended`);
    const { exit } = this.#programs.get(way) ?? {};
    if (this.place === 'thread') {
      if (exit === undefined) return undefined;
      return exit.signal ?? (existsSync(path) ? `thread ${readFileSync(path, 'utf8')}` : `${exit.code}`);
    }
    if (exit !== undefined) return `${exit.signal ?? exit.code}`;
    return existsSync(path) ? readFileSync(path, 'utf8') || undefined : undefined;
  }

  #environment(ways: readonly string[]): Record<string, string> {
    const app: EndingApp = { place: this.place, traced: this.url !== undefined, ways: [...ways], dir: this.dir };
    return {
      ENDING: JSON.stringify(app),
      NODE_ENV: 'production',
      FORKTRACE_QUIET: '1',
      OTEL_SERVICE_NAME: 'ending',
      FORKTRACE_JOURNAL_DIR: join(this.dir, 'journal'),
      ...(this.url && { OTEL_EXPORTER_OTLP_ENDPOINT: this.url }),
    };
  }

  get #execArgv(): string[] {
    const heap = this.place === 'tool' || this.place === 'server' || this.place.startsWith('pm2') ? [HEAP] : [];
    return this.url === undefined || this.place === 'our cluster' ? heap : ['--import', register, ...heap];
  }

  #run(name: string, ways: readonly string[]): void {
    const options = { env: this.#environment(ways), execArgv: this.#execArgv };
    this.#programs.set(name, runProgram(this.t, fixture('ending'), options));
  }

  async #startPm2(): Promise<void> {
    this.#pm2 = await RealPm2.start(this.t);
    const apps = this.ways.map((way) => ({
      name: nameOf(way),
      script: fixture('ending'),
      exec_mode: this.place === 'pm2 cluster' ? 'cluster' : 'fork',
      instances: 1,
      autorestart: false,
      node_args: this.#execArgv,
      env: { FORKTRACE_INSTRUMENTATIONS: 'none', ...this.#environment([way]) },
    }));
    await this.#pm2.startEcosystem({ apps });
  }
}

const nameOf = (way: string) => way.replace(/\W/g, '');
const isByCode = (way: string) => !way.startsWith('SIG') && way !== 'abort' && way !== 'heap out of memory';
