/**
 * The load generator, in a process of its own, and the start-up guard.
 *
 * @module
 */
import { join } from 'node:path';
import { BenchProcess, benchRoot, prioritize } from './processes.js';

export interface Target {
  port: number;
  path: string;
  /** Keep-alive connections, each with one request at a time. */
  connections: number;
}

export interface FlatOut {
  done: number;
  seconds: number;
  perSecond: number;
  /**
   * Of the time, beyond a tenth of it, until a tenth of the requests was answered: the server was still
   * warming up.
   */
  startUpShare: number;
}

export interface AtRate {
  /** Requests that were answered. */
  done: number;
  /** Milliseconds that each request took, from when it was due. */
  latencies: number[];
  /** Of each, whether the generator itself was late since nothing was in flight last. Without `sleeps`. */
  isLate: boolean[];
  /** When, in milliseconds since 1970. */
  answeredAt: number[];
}

/** In milliseconds, from when a request was due. */
export interface Latency {
  p50: number;
  p99: number;
  p999: number;
}

/** Of milliseconds that requests took. */
export function latencyOf(milliseconds: number[]): Latency {
  const sorted = [...milliseconds].sort((a, b) => a - b);
  const percentile = (p: number) => sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * p) / 100))]!;
  return { p50: percentile(50), p99: percentile(99), p999: percentile(99.9) };
}

/** As dd-trace's benchmarks have it: a run in which start-up is more than this share of the time fails. */
const MAX_START_UP_SHARE = 0.07;
/** A stall of a shared machine at the beginning of a run looks the same, so a run that fails is repeated. */
const ATTEMPTS = 4;

/** Repeats `run` until start-up is a small part of it. */
export async function guarded<Run extends Pick<FlatOut, 'startUpShare'>>(run: () => Promise<Run>): Promise<Run> {
  for (let attempt = 1; ; attempt++) {
    const result = await run();
    if (result.startUpShare <= MAX_START_UP_SHARE) return result;
    if (attempt < ATTEMPTS) continue;
    const share = `${(result.startUpShare * 100).toFixed(1)} %`;
    throw new Error(`start-up took ${share} of each of ${ATTEMPTS} runs; at most 7 % is sound: raise --requests`);
  }
}

export class Load {
  readonly #process: BenchProcess;
  /** A core that nobody but the spans' receivers needs may be polled on. */
  readonly #polls: boolean;

  constructor(core?: number) {
    this.#polls = core !== undefined;
    this.#process = new BenchProcess(join(benchRoot, 'load.cjs'), [], core === undefined ? {} : { core });
    // A generator that waits for its core measures the sink and the shipper, which are on it, too.
    prioritize(this.#process.child.pid!);
  }

  /**
   * Opens the connections of the run that follows, each with a first request, outside of what is measured.
   */
  async connect(target: Target): Promise<void> {
    await this.#process.ask({ close: true, connect: target });
  }

  /**
   * `requests`, as fast as they are answered; then the connections are closed, unless they are to be kept.
   *
   * @throws Error when one is not answered with 200
   */
  async flatOut(requests: number, keep = false): Promise<FlatOut> {
    const job = { requests, polls: this.#polls };
    const { failed, ...run } = await this.#process.ask<FlatOut & { failed: number }>(job);
    if (!keep) this.close();
    if (failed > 0) throw new Error(`${failed} of ${requests} requests failed`);
    return run;
  }

  /**
   * Requests at a rate, answered or not; likewise.
   *
   * @param sleeps Send what is due once a millisecond, and sleep between: CPU times are then those of a core
   * that others get, too,
   *   and latencies say nothing.
   * @throws Error when a request is not answered with 200
   */
  async atRate(rate: number, durationMs: number, keep = false, sleeps = false): Promise<AtRate> {
    const job = { rate, durationMs, sleeps };
    const { failed, ...run } = await this.#process.ask<AtRate & { failed: number }>(job);
    if (!keep) this.close();
    if (failed > 0) throw new Error(`${failed} of ${run.done} requests failed`);
    return run;
  }

  close(): void {
    this.#process.tell({ close: true });
  }

  /** To the generator's process. */
  signal(signal: NodeJS.Signals): void {
    this.#process.child.kill(signal);
  }

  async stop(): Promise<void> {
    await this.#process.stop('SIGKILL');
  }
}
