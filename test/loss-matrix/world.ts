/**
 * One contestant's cluster with an endpoint of its own, and the account of what became of each request.
 *
 * @module
 */
import { Agent, get } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shipperPid } from '#src/shipper/lock.js';
import { OtlpEndpoint } from '../endpoint/endpoint.js';
import type { ReceivedSpan } from '../endpoint/received-span.js';
import { freePort } from '../process/free-port.js';
import { type Program, runProgram } from '../process/run-program.js';
import { tempDir } from '../process/temp-dir.js';
import { waitFor } from '../process/wait-for.js';
import type { Row } from './rows.js';

export const contestants = ['journal-mmap', 'journal-write', 'batch', 'otel'] as const;
export type Contestant = (typeof contestants)[number];

export const ENDED = 100;
const SLOW = 4;
/** Without news: longer than the 5 seconds that a batch of OpenTelemetry's waits. */
const SILENCE_MS = 7000;
/** From the event to the end of the process or processes; the watchdog and slow boots are inside. */
const END_MS = 15_000;

export interface Cell {
  /** Spans of requests that had been answered before it happened. */
  ended: number;
  /** Of requests that were in flight: finished or interrupted. */
  inFlight: number;
  inFlightOf: number;
  duplicates: number;
  /** What it ended with, when that is not what it must be. */
  wrongExit: string | undefined;
}

interface Died {
  died: number;
  code: number | null;
  signal: NodeJS.Signals | null;
}

type Cleanup = { after(fn: () => unknown): void };

const app = fileURLToPath(new URL('app.js', import.meta.url));
const otelSetup = fileURLToPath(new URL('../../bench/otel-stack/setup.cjs', import.meta.url));

export class World {
  endpoint!: OtlpEndpoint;
  cluster!: Program;
  pids: number[] = [];
  #journalDir!: string;
  #port = 0;
  readonly #inFlight: Promise<unknown>[] = [];
  readonly #paths: string[] = [];

  constructor(
    readonly t: Cleanup,
    readonly contestant: Contestant,
  ) {}

  async open(): Promise<void> {
    this.#journalDir = await tempDir(this.t);
    this.endpoint = await OtlpEndpoint.start(this.t);
    this.#port = await freePort();
  }

  async start(): Promise<void> {
    const [pipeline, mode] = this.contestant.split('-');
    const config = JSON.stringify({
      serviceName: 'matrix',
      workers: 2,
      pipeline,
      journal: { dir: this.#journalDir, mode },
      listen: { port: this.#port, host: '127.0.0.1' },
      export: { to: 'otlp-grpc', url: this.endpoint.grpcUrl },
      supervise: { heartbeatTimeoutMs: 3000 },
      viewer: false,
    });
    const cluster = runProgram(this.t, app, {
      args: [this.contestant, String(this.#port), otelSetup, config],
      execArgv: ['--max-old-space-size=64'],
      env: {
        OTEL_EXPORTER_OTLP_ENDPOINT: this.endpoint.grpcUrl,
        OTEL_SERVICE_NAME: 'matrix',
        FORKTRACE_RUN_DIR: join(this.#journalDir, 'run'),
      },
      ipc: true,
      ownGroup: true,
    });
    this.cluster = cluster;
    const ready = () =>
      cluster.messages.find((message) => 'pids' in (message as object)) as { pids: number[] } | undefined;
    this.pids = (await cluster.waitFor(ready, 'two workers')).pids;
  }

  /** Settles with the answer, or with nothing when there is none. Never rejects. */
  ask(path: string): Promise<string | undefined> {
    return new Promise((resolve) => {
      const agent = new Agent({ keepAlive: false });
      get({ port: this.#port, host: '127.0.0.1', path, agent }, (response) => {
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

  #stayInFlight(path: string): void {
    this.#paths.push(path);
    this.#inFlight.push(this.ask(path));
  }

  async measure(row: Row): Promise<Cell> {
    await this.open();
    await row.before?.(this);
    await this.start();
    await row.started?.(this);
    for (let i = 0; i < ENDED; i++) {
      if ((await this.ask(`/done/${i}`)) === undefined) throw new Error(`request ${i} was not answered`);
    }
    for (let i = 0; i < SLOW; i++) this.#stayInFlight(`/slow/${i}`);
    // They have reached a worker: a request is answered in the order of the connections, and these two are behind.
    await Promise.all([this.ask('/behind/0'), this.ask('/behind/1')]);
    const { cluster } = this;
    await row.happen(this);
    const wrongExit = await this.#wrongExit(row, cluster);
    await Promise.all(this.#inFlight);
    await this.#settled(row.silenceMs);
    const spans = this.#spans();
    const paths = new Set(spans.map(pathOf));
    return {
      ended: Array.from({ length: ENDED }, (_, i) => `/done/${i}`).filter((path) => paths.has(path)).length,
      inFlight: this.#paths.filter((path) => paths.has(path)).length,
      inFlightOf: this.#paths.length,
      duplicates: spans.length - new Set(spans.map(({ spanId }) => spanId)).size,
      wrongExit,
    };
  }

  async #wrongExit(row: Row, cluster: Program): Promise<string | undefined> {
    if (row.ends) {
      const ended = await waitFor(() => cluster.exit !== undefined, 'the end', END_MS).then(
        () => true,
        () => false,
      );
      return ended ? undefined : `still there after ${END_MS / 1000} s`;
    }
    if (row.worker === undefined) return undefined;
    const find = () => cluster.messages.find((message) => 'died' in (message as object)) as Died | undefined;
    await waitFor(() => find() !== undefined, 'the death of a worker', END_MS).catch(() => {});
    const died = find();
    if (died === undefined) return `still there after ${END_MS / 1000} s`;
    const exit = died.signal ?? died.code;
    return exit === row.worker ? undefined : `exit ${exit}, not ${row.worker}`;
  }

  /** What the endpoint has taken, also what it has then rejected in a partial success. */
  #spans(): ReceivedSpan[] {
    return this.endpoint.requests
      .filter(({ answer }) => answer === 'ok' || answer === 'partial-success')
      .flatMap(({ spans }) => spans)
      .filter((span) => pathOf(span) !== undefined);
  }

  /** All is there, or nothing has come for a while. */
  async #settled(silenceMs = SILENCE_MS): Promise<void> {
    const wanted = ENDED + this.#paths.length;
    let count = -1;
    let since = performance.now();
    for (;;) {
      const spans = this.#spans();
      const paths = new Set(spans.map(pathOf).filter((path) => !path!.startsWith('/behind')));
      if (spans.length !== count) since = performance.now();
      count = spans.length;
      // A little longer: a duplicate would come after.
      if (performance.now() - since > (paths.size >= wanted ? 1200 : silenceMs)) return;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

const pathOf = ({ attributes }: ReceivedSpan) =>
  (attributes['url.path'] ?? attributes['http.target']) as string | undefined;

export async function measure(row: Row, contestant: Contestant): Promise<Cell | undefined> {
  if (row.forktrace && contestant === 'otel') return undefined;
  if (row.forktrace === 'journal' && !contestant.startsWith('journal')) return undefined;
  const cleanups: (() => unknown)[] = [];
  try {
    return await new World({ after: (fn) => cleanups.push(fn) }, contestant).measure(row);
  } finally {
    for (const cleanup of cleanups.reverse()) await cleanup();
  }
}

/** Less than the exit contract promises. */
export function isShort(row: Row, { ended, inFlight, inFlightOf, duplicates, wrongExit }: Cell): boolean {
  return ended < ENDED || inFlight < inFlightOf || (duplicates > 0 && !row.mayRepeat) || wrongExit !== undefined;
}
