/**
 * A contestant that serves at fixed rates: its processes, warm, and what they use of the CPU in a window of
 * time.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { probe } from '../arrival.js';
import { apps, Contestant, OTHER_CORE } from '../contestant.js';
import { type Latency, Load, latencyOf } from '../load.js';
import { type Cpu, cpuSeconds } from '../processes.js';

/**
 * V8 compiles by how often code has run: after so many requests, or so long, nothing that counts is left to
 * compile.
 */
const WARM_UP_STEPS = 6;
const WARM_UP_REQUESTS = 2500;
const WARM_UP_MS = 5000;
/** Enough for 20 ms of waiting at 2,000 requests a second. */
const CONNECTIONS = 64;
/**
 * Before a window: by then spans are on their way through gatherings and batches as they will be at its end.
 * A shipper gathers for a second, so a window of whole seconds has its share of gatherings.
 */
const LEAD_IN_MS = 1200;
/** Of a window's time: a server that is done so much later has not kept the rate. */
const MOST_LATE = 0.1;
const ATTEMPTS = 2;

/** As the load generator has it. */
const now = () => performance.timeOrigin + performance.now();

/** CPU microseconds of a request. */
export type CpuPerRequest = Cpu;

export interface ServedOptions {
  nodePath?: string | undefined;
  env?: NodeJS.ProcessEnv;
}

export class Served {
  readonly #app: string;
  readonly #contestant: Contestant;
  readonly #load: Load;
  #shipper: number | undefined;
  #warmUp = { expected: 0, received: 0 };
  /**
   * Requests that the worker serves in a second of its CPU time, flat out: on a machine of its own, in a
   * second.
   */
  capacity = 0;

  private constructor(name: string, app: string) {
    this.#app = app;
    this.#contestant = new Contestant(name);
    this.#load = new Load(OTHER_CORE);
  }

  /** Starts it; spans with the right attributes have arrived then. */
  static async start(name: string, app: string, { nodePath, env }: ServedOptions): Promise<Served> {
    const served = new Served(name, app);
    try {
      await served.#start(nodePath, env);
      return served;
    } catch (error) {
      await served.stop();
      throw error;
    }
  }

  async #start(nodePath: string | undefined, env: NodeJS.ProcessEnv | undefined): Promise<void> {
    const { path, spans } = apps[this.#app]!;
    const contestant = this.#contestant;
    await contestant.start(this.#app, { ...(nodePath ? { nodePath } : {}), ...(env ? { env } : {}) });
    if (contestant.name !== 'untraced') {
      await probe(contestant, path, spans);
      contestant.expected += spans;
    }
    await this.#load.connect({ port: contestant.port, path, connections: CONNECTIONS });
    this.#sent(CONNECTIONS);
    this.#shipper = contestant.shipper();
  }

  /** At saturation. */
  async warmUp(): Promise<void> {
    for (let step = 0, from = performance.now(); step < WARM_UP_STEPS; step++) {
      const before = this.#cpu().worker;
      await this.#load.flatOut(WARM_UP_REQUESTS, true);
      this.capacity = Math.max(this.capacity, WARM_UP_REQUESTS / (this.#cpu().worker - before));
      this.#sent(WARM_UP_REQUESTS);
      if (performance.now() - from > WARM_UP_MS) break;
    }
  }

  /** Waits until what the warm-up has sent has arrived, or is lost: what counts as delivered begins here. */
  async settle(): Promise<void> {
    await this.#contestant.settle();
    const { expected, received } = this.#contestant;
    this.#warmUp = { expected, received };
  }

  get name(): string {
    return this.#contestant.name;
  }

  /** Of the spans at the rates that were asked for, the share that has arrived. */
  get delivered(): number | undefined {
    const { speaksOtlp, expected, received } = this.#contestant;
    const sent = expected - this.#warmUp.expected;
    return speaksOtlp && sent > 0 ? (received - this.#warmUp.received) / sent : undefined;
  }

  /**
   * CPU time at a rate, once it has been kept for a while; undefined when it cannot be kept.
   */
  async cpu(rate: number, windowMs: number): Promise<CpuPerRequest | undefined> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const { cpu, late } = await this.#window(rate, windowMs);
      if (late <= MOST_LATE) return cpu;
    }
    return undefined;
  }

  async #window(rate: number, windowMs: number): Promise<{ cpu: CpuPerRequest; late: number }> {
    const durationMs = LEAD_IN_MS + windowMs + 100;
    const startedAt = performance.now();
    const serving = this.#load.atRate(rate, durationMs, true, true);
    await sleep(LEAD_IN_MS);
    const from = now();
    const before = this.#cpu();
    await sleep(windowMs);
    const to = now();
    const after = this.#cpu();
    const { answeredAt } = await serving;
    const late = (performance.now() - startedAt - durationMs) / durationMs;
    this.#sent(answeredAt.length);
    const requests = answeredAt.filter((at) => at >= from && at < to).length;
    const micros = (key: keyof Cpu) => ((after[key] - before[key]) * 1e6) / requests;
    return { cpu: { worker: micros('worker'), shipper: micros('shipper'), others: micros('others') }, late };
  }

  #cpu(): Cpu {
    return cpuSeconds(this.#contestant.server.child.pid!, this.#shipper);
  }

  /**
   * Milliseconds from when requests were due, at a rate that is kept without pause, where the generator was
   * in time; undefined when it was so for less than half of them.
   */
  async latency(rate: number, durationMs: number): Promise<Latency | undefined> {
    const { latencies, isLate } = await this.#load.atRate(rate, durationMs, true);
    this.#sent(latencies.length);
    const inTime = latencies.filter((_, index) => !isLate[index]);
    return inTime.length >= latencies.length / 2 ? latencyOf(inTime) : undefined;
  }

  #sent(requests: number): void {
    this.#contestant.expected += requests * (this.name === 'untraced' ? 0 : apps[this.#app]!.spans);
  }

  async stop(): Promise<void> {
    this.#load.close();
    await this.#load.stop();
    if (this.#contestant.server) await this.#contestant.settle().catch(() => {});
    await this.#contestant.stop();
  }
}
