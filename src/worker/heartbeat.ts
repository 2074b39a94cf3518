import { url as inspectorUrl } from 'node:inspector';
import { performance } from 'node:perf_hooks';
import { requestCounts } from '../http/request-counts.js';
import { p99Ms } from '../http/request-durations.js';
import { HEARTBEAT_MS, type WorkerStats } from '../process/worker-messages.js';
import { isPeekable } from './peekable.js';
import type { StartedTracing } from './start-worker.js';

/**
 * Tells the coordinator four times a second that the event loop turns, with this worker's numbers. With a
 * watchdog whose timeout is so short that it would pass between two heartbeats, it does so more often.
 */
export class Heartbeat {
  #timer: NodeJS.Timeout | undefined;
  #last = performance.eventLoopUtilization();
  #lastCpu = process.cpuUsage();
  #lastCpuAt = performance.now();
  #rss = 0;
  readonly #tracing: StartedTracing;
  readonly #send: (stats: WorkerStats, inspector: string | undefined, peekable: boolean) => void;

  constructor(
    tracing: StartedTracing,
    send: (stats: WorkerStats, inspector: string | undefined, peekable: boolean) => void,
  ) {
    this.#tracing = tracing;
    this.#send = send;
  }

  start(): void {
    const { heartbeatTimeoutMs } = this.#tracing.config.supervise;
    const intervalMs = heartbeatTimeoutMs > 0 ? Math.min(HEARTBEAT_MS, heartbeatTimeoutMs / 4) : HEARTBEAT_MS;
    this.#timer = setInterval(() => this.#beat(), intervalMs);
    this.#timer.unref();
    this.#beat();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #beat(): void {
    this.#send(this.#stats(), inspectorUrl(), isPeekable(this.#tracing.config.forensics.peek));
  }

  /**
   * Node reads the number from a file in /proc, and throws when no file descriptor is left. The last number
   * is used then.
   */
  #memory(): number {
    try {
      this.#rss = process.memoryUsage.rss();
    } catch {
      // EMFILE, ENFILE.
    }
    return this.#rss;
  }

  #cpu(): number {
    const { user, system } = process.cpuUsage(this.#lastCpu);
    const elapsedMs = performance.now() - this.#lastCpuAt;
    this.#lastCpu = process.cpuUsage();
    this.#lastCpuAt = performance.now();
    return elapsedMs > 0 ? (user + system) / 1000 / elapsedMs : 0;
  }

  #stats(): WorkerStats {
    const cpu = this.#cpu();
    const now = performance.eventLoopUtilization();
    const { utilization } = performance.eventLoopUtilization(now, this.#last);
    this.#last = now;
    return {
      requests: requestCounts.served,
      inFlight: requestCounts.inFlight,
      failed: requestCounts.failed,
      p99Ms: p99Ms(requestCounts.served),
      cpu,
      utilization,
      rss: this.#memory(),
      ...this.#tracing.stats(),
    };
  }
}
