/**
 * One contestant's app with an endpoint of its own, and the account of what became of each request.
 *
 * @module
 */
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shipperPid } from '#src/shipper/lock.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { ReceivedSpan } from '../endpoint/received-span.js';
import { Load } from '../pm2/load.js';
import { RealPm2 } from '../pm2/real-pm2.js';
import { isAlive } from '../process/alive.js';
import { freePort } from '../process/free-port.js';
import { type Program, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import type { Cell, End } from './cell.js';
import { fill, limitFileSize, mountTmpfs } from './journal-disk.js';
import { otelSetup } from './otel-stack.js';
import type { Row } from './rows.js';

export const contestants = ['journal-mmap', 'journal-write', 'batch', 'otel'] as const;
export type Contestant = (typeof contestants)[number];

export const ENDED = 100;
const SLOW = 4;
/** Without news: longer than the 5 seconds that a batch of OpenTelemetry's waits. */
const SILENCE_MS = 7000;
/** A worker that blocks for ever does not answer, nor close the connection. */
const ANSWER_MS = 15_000;
/** From the event to the end of the process or processes; the watchdog and slow boots are inside. */
const END_MS = 20_000;

interface Died {
  died: number;
  code: number | null;
  signal: NodeJS.Signals | null;
  atMs: number;
}

type Cleanup = { after(fn: () => unknown): void };

const app = fileURLToPath(new URL('app.js', import.meta.url));

export class World {
  endpoint!: OtlpEndpoint;
  pids: number[] = [];
  #cluster: Program | undefined;
  #pm2: RealPm2 | undefined;
  #journalDir!: string;
  #port = 0;
  #load: Load | undefined;
  readonly #inFlight: Promise<unknown>[] = [];
  readonly #slow: string[] = [];

  constructor(
    readonly t: Cleanup,
    readonly row: Row,
    readonly contestant: Contestant | 'untraced',
  ) {}

  get cluster(): Program {
    return this.#cluster!;
  }

  get pm2(): RealPm2 {
    return this.#pm2!;
  }

  /** Workers of the cluster that have died, in order. */
  get deaths(): Died[] {
    return this.cluster.messages.filter((message) => 'died' in (message as object)) as Died[];
  }

  async start(): Promise<void> {
    const [pipeline, mode] = this.contestant.split('-');
    const config = JSON.stringify({
      serviceName: 'matrix',
      workers: 2,
      pipeline,
      journal: { dir: this.#journalDir, mode, ...this.row.journal },
      listen: { port: this.#port, host: '127.0.0.1' },
      export: { to: 'otlp-grpc', url: this.endpoint.grpcUrl },
      supervise: this.row.supervise,
      viewer: false,
    });
    const args = [this.contestant, String(this.#port), otelSetup, config];
    const execArgv = ['--max-old-space-size=64'];
    const env = {
      OTEL_EXPORTER_OTLP_ENDPOINT: this.endpoint.grpcUrl,
      OTEL_SERVICE_NAME: 'matrix',
      FORKTRACE_RUN_DIR: join(this.#journalDir, 'run'),
    };
    if (this.row.pm2) {
      // kill_timeout is pm2's own default: 1,600 ms.
      const entry = { name: 'app', script: app, args, env, instances: 2, exec_mode: 'cluster' };
      await this.pm2.startEcosystem({ apps: [{ ...entry, wait_ready: true, listen_timeout: 30_000 }] });
      this.pids = (await this.pm2.list()).map(({ pid }) => pid);
      return;
    }
    const cluster = runProgram(this.t, app, { args, execArgv, env, ipc: true, ownGroup: true });
    this.#cluster = cluster;
    const ready = () =>
      cluster.messages.find((message) => 'pids' in (message as object)) as { pids: number[] } | undefined;
    this.pids = (await cluster.waitFor(ready, 'two workers')).pids;
  }

  /** Settles with the answer, or with nothing when there is none. Never rejects. */
  ask(path: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const agent = new Agent({ keepAlive: false });
      const signal = AbortSignal.timeout(ANSWER_MS);
      get({ port: this.#port, host: '127.0.0.1', path, agent, signal }, (response) => {
        response
          .resume()
          .on('end', () => resolve(path))
          .on('error', () => resolve(undefined));
      }).on('error', () => resolve(undefined));
    });
  }

  /** A request that brings it about; it is in flight, too. */
  deed(name: string): void {
    this.#stayInFlight(`/do/${name}`);
  }

  killShipper(): void {
    const pid = shipperPid(join(this.#journalDir, 'matrix'));
    if (pid !== undefined) process.kill(pid, 'SIGKILL');
  }

  giveJournalADisk(size: string): Promise<void> {
    return mountTmpfs(this.t, this.#journalDir, size);
  }

  fillDisk(free: number): void {
    fill(this.#journalDir, free);
  }

  async limitFileSize(bytes: number): Promise<void> {
    for (const pid of this.pids) await limitFileSize(pid, bytes);
  }

  /** Requests before, while and after it happens, on connections that are kept open. */
  async underLoad(happen: () => Promise<unknown>): Promise<void> {
    const load = new Load(this.t, this.#port, (request) => `/load/${request}`);
    this.#load = load;
    await load.more();
    await happen();
    await load.more();
    await load.stop();
  }

  #stayInFlight(path: string): void {
    this.#slow.push(path);
    this.#inFlight.push(this.ask(path));
  }

  /** 100 requests, some more, and then it happens. */
  async live(): Promise<End | undefined> {
    const { row } = this;
    this.#journalDir = await tempDir(this.t);
    this.endpoint = await OtlpEndpoint.start(this.t);
    this.#port = await freePort();
    if (row.pm2) this.#pm2 = await RealPm2.start(this.t);
    // Under pm2 it is nobody's child. Elsewhere it is gone with the cluster.
    this.t.after(() => this.killShipper());
    await row.before?.(this);
    await this.start();
    await row.started?.(this);
    for (let i = 0; i < ENDED; i++) {
      if ((await this.ask(`/done/${i}`)) === undefined) throw new Error(`request ${i} was not answered`);
    }
    for (let i = 0; i < SLOW; i++) this.#stayInFlight(`/slow/${i}`);
    // They have reached a worker: a request is answered in the order of the connections, and these two are
    // behind.
    await Promise.all([this.ask('/behind/0'), this.ask('/behind/1')]);
    const end = row.ends === undefined ? undefined : this.#endOf(row, Date.now());
    await row.happen(this);
    await Promise.all(this.#inFlight);
    return end;
  }

  /** As {@link live}, and what became of it all. */
  async account(): Promise<Cell> {
    const { row } = this;
    const end = await this.live();
    const load = this.#load?.answered ?? [];
    const wanted = [...Array.from({ length: ENDED }, (_, i) => `/done/${i}`), ...this.#slow, ...load];
    await this.#settled(wanted, row.silenceMs ?? SILENCE_MS);
    const spans = this.#spans();
    const paths = new Set(spans.map(pathOf));
    const delivered = (some: string[]) => some.filter((path) => paths.has(path)).length;
    const unique = new Set(spans.map(({ spanId }) => spanId)).size;
    return {
      ended: delivered(wanted.slice(0, ENDED)),
      inFlight: delivered(this.#slow),
      inFlightOf: this.#slow.length,
      duplicates: spans.length - unique,
      // The two that were behind are requests as any other.
      loss: row.losesSome ? { delivered: unique, said: this.#saidLost(), of: ENDED + SLOW + 2 } : undefined,
      load: this.#load && {
        answered: load.length,
        failed: this.#load.failures.length,
        lost: load.length - delivered(load),
      },
      end,
    };
  }

  async #endOf({ pm2, ends, told }: Row, happenedMs: number): Promise<End> {
    const gone = (pid: number) => !isAlive(pid);
    const ended = () => {
      if (ends === 'worker') return pm2 ? gone(this.pids[0]!) : this.deaths.length > 0;
      return (pm2 || this.cluster.endedAt !== undefined) && this.pids.every(gone);
    };
    try {
      await waitFor(ended, 'the end', END_MS);
      const afterMs = (ends === 'worker' && !pm2 ? this.deaths[0]!.atMs : Date.now()) - happenedMs;
      // A command of pm2 takes its time; pm2 itself kills what is late, and says so.
      if (pm2)
        return { exit: await this.#exitAsPm2SawIt(), afterMs: told && isAlive(this.pm2.daemonPid) ? 0 : afterMs };
      const { code, signal } = ends === 'all' ? await this.cluster.waitForExit() : this.deaths[0]!;
      return { exit: String(signal ?? code), afterMs };
    } catch {
      return { exit: 'still there', afterMs: END_MS };
    }
  }

  async #exitAsPm2SawIt(): Promise<string> {
    if (!isAlive(this.pm2.daemonPid)) return 'gone';
    const wanted = this.row.ends === 'all' ? this.pids.length : 1;
    const seen = () =>
      [...this.pm2.daemonLog().matchAll(/exited with (code \[\d+\] via signal \[\w+\])/g)].map(([, exit]) => exit!);
    await waitFor(() => seen().length >= wanted, 'what pm2 says of it');
    return [...new Set(seen().slice(0, wanted))].join(' and ').replace(/[[\]]/g, '');
  }

  /** Spans that the workers have said they lost. */
  #saidLost(): number {
    const said = this.cluster.stderr.matchAll(/\(node:(\d+)\) \[FORKTRACE_JOURNAL_LOSS\].*Spans lost: (\d+)/g);
    return [...said]
      .filter(([, pid]) => this.pids.includes(Number(pid)))
      .reduce((sum, [, , spans]) => sum + Number(spans), 0);
  }

  /** What the endpoint has taken, also what it has then rejected in a partial success. */
  #spans(): ReceivedSpan[] {
    return this.endpoint.requests
      .filter(({ answer }) => answer === 'ok' || answer === 'partial-success')
      .flatMap(({ spans }) => spans)
      .filter((span) => pathOf(span) !== undefined);
  }

  /** All is there, or nothing has come for a while. */
  async #settled(wanted: string[], silenceMs: number): Promise<void> {
    let count = -1;
    let since = performance.now();
    for (;;) {
      const spans = this.#spans();
      const paths = new Set(spans.map(pathOf));
      if (spans.length !== count) since = performance.now();
      count = spans.length;
      // A little longer: a duplicate would come after.
      if (performance.now() - since > (wanted.every((path) => paths.has(path)) ? 1200 : silenceMs)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const pathOf = ({ attributes }: ReceivedSpan) =>
  (attributes['url.path'] ?? attributes['http.target']) as string | undefined;
