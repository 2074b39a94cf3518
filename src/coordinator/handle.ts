/**
 * The handle that `startClusterWithTracing` returns.
 *
 * @module
 */

import type { WorkerStats } from '../process/worker-messages.js';
import type { ShipperStats } from '../shipper/shipper-messages.js';
import type { ClusterPhase } from './cluster-state.js';
import type { LastExit } from './death-record.js';
import type { SlotPhase } from './slot.js';

/** One worker process, or a slot without one. */
export interface WorkerView {
  /** The slot, 0 to N-1. */
  slot: number;
  /** How many processes the slot had before this one; undefined when it has none now. */
  incarnation: number | undefined;
  /** Process id; undefined when the slot has no process now. */
  pid: number | undefined;
  /**
   * What the slot is doing. `blocked`: the event loop of its worker has not turned for more than half a
   * second.
   */
  state: SlotPhase | 'draining' | 'blocked';
  /** Milliseconds since the fork; undefined when the slot has no process now. */
  uptimeMs: number | undefined;
  /** Unplanned deaths in this slot since the coordinator started. */
  restarts: number;
  /** Unplanned deaths in this slot in the last hour. */
  restartsLastHour: number;
  /** How the last process of this slot ended; undefined when none has ended. */
  lastExit: LastExit | undefined;
  /** URL of the worker's first server, or the path of its Unix socket; undefined until it listens. */
  address: string | undefined;
  /** An inspector is open in the worker, so the watchdog does not kill it. */
  debugged: boolean;
  /** Requests that the worker answered in the last second. */
  requestsPerSecond: number;
  /** Requests that failed in the last second: status 500 or more, or no answer. */
  failuresPerSecond: number;
  /** The worker's numbers from its last heartbeat; undefined before the first. */
  stats: WorkerStats | undefined;
}

/** The cluster as its coordinator sees it: what `forktrace status --json` prints. */
export interface ClusterStats {
  /** What the cluster is doing. */
  phase: ClusterPhase;
  /** `service.name`. */
  serviceName: string;
  /** Process id of the coordinator. */
  pid: number;
  /** Milliseconds since the coordinator started. */
  uptimeMs: number;
  /** Number of workers that are wanted. */
  size: number;
  /** Number of workers that serve. */
  ready: number;
  /** Unplanned deaths in all slots since the coordinator started. */
  restarts: number;
  /** State of the crash-loop breaker. While it is open no worker is forked. */
  breaker: 'closed' | 'open' | 'half-open';
  /** One entry for each worker process, and one for each slot without a process. */
  workers: WorkerView[];
  /** Numbers of the shipper; undefined when there is none, or it has not sent any yet. */
  shipper: ShipperStats | undefined;
  /** URL of the viewer's page; undefined when no viewer runs. */
  viewerUrl: string | undefined;
}

/**
 * The running cluster. In a worker, and under pm2, there is no coordinator to ask: `workers()` is empty and
 * `stats()` is undefined there.
 */
export interface ClusterHandle {
  /** What this process is. */
  readonly role: 'coordinator' | 'worker';
  /** One entry for each worker process, and one for each slot without a process. */
  workers(): WorkerView[];
  /** The current state of the cluster; undefined where there is no coordinator to ask. */
  stats(): ClusterStats | undefined;
  /**
   * Replaces every worker, one slot at a time. Each new worker is ready before the old one drains.
   *
   * @returns the slots that were replaced
   * @throws ForktraceError with code FORKTRACE_RELOAD_ABORTED when a new worker does not start; the remaining
   * old ones keep serving
   */
  reload(): Promise<readonly number[]>;
  /**
   * Changes the number of workers. Resolves when that many are ready and the others are gone.
   *
   * @throws ForktraceError with code FORKTRACE_SCALE_FAILED when a new worker does not start. The coordinator
   * still keeps trying to start it
   */
  scale(workers: number): Promise<void>;
  /**
   * Stops all workers gracefully, within `supervise.shutdownTimeoutMs`. The coordinator's process keeps
   * running. In a worker: stops that worker.
   */
  shutdown(): Promise<void>;
}
