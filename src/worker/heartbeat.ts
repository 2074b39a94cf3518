import { performance } from 'node:perf_hooks';
import { requestCounts } from '../http/request-counts.js';
import type { WorkerStats } from './messages.js';
import type { WorkerTracing } from './start-worker.js';

const INTERVAL_MS = 1000;

/** Tells the coordinator once a second that the event loop turns, with this worker's numbers. */
export class Heartbeat {
  #timer: NodeJS.Timeout | undefined;
  #last = performance.eventLoopUtilization();
  readonly #tracing: WorkerTracing;
  readonly #send: (stats: WorkerStats) => void;

  constructor(tracing: WorkerTracing, send: (stats: WorkerStats) => void) {
    this.#tracing = tracing;
    this.#send = send;
  }

  start(): void {
    this.#timer = setInterval(() => this.#send(this.#stats()), INTERVAL_MS);
    this.#timer.unref();
    this.#send(this.#stats());
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #stats(): WorkerStats {
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#last);
    this.#last = now;
    return {
      requests: requestCounts.served,
      inFlight: requestCounts.inFlight,
      utilization,
      rss: process.memoryUsage.rss(),
      ...this.#tracing.stats(),
    };
  }
}
