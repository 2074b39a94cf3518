/**
 * What `startClusterWithTracing` returns.
 *
 * @module
 */

import type { WorkerStats } from '../process/worker-messages.js';
import type { ShipperStats } from '../shipper/shipper-messages.js';
import type { ClusterPhase } from './cluster-state.js';
import type { LastExit } from './death-record.js';
import type { SlotPhase } from './slot.js';

/** One worker process, or a slot that has none at the moment. */
export interface WorkerView {
  slot: number;
  incarnation: number | undefined;
  pid: number | undefined;
  /** `blocked`: its event loop has not turned for more than half a second. */
  state: SlotPhase | 'draining' | 'blocked';
  /** Milliseconds since the fork. */
  uptimeMs: number | undefined;
  /** Unplanned deaths in this slot. */
  restarts: number;
  /** Unplanned deaths in this slot in the last hour. */
  restartsLastHour: number;
  /** How the last process of this slot ended; undefined: none has. */
  lastExit: LastExit | undefined;
  address: string | undefined;
  /** An inspector is open: the watchdog leaves it alone. */
  debugged: boolean;
  requestsPerSecond: number;
  /** Requests that failed: status 500 or more, or not answered. */
  failuresPerSecond: number;
  /** From its last heartbeat. */
  stats: WorkerStats | undefined;
}

export interface ClusterStats {
  phase: ClusterPhase;
  serviceName: string;
  pid: number;
  /** Milliseconds since the coordinator started. */
  uptimeMs: number;
  /** Workers wanted. */
  size: number;
  ready: number;
  /** Unplanned deaths of all slots. */
  restarts: number;
  breaker: 'closed' | 'open' | 'half-open';
  workers: WorkerView[];
  /** undefined: no shipper, or it has said nothing yet. */
  shipper: ShipperStats | undefined;
  viewerUrl: string | undefined;
}

/** The running cluster. In a worker, and under pm2, there is no coordinator to ask: `workers()` is empty there. */
export interface ClusterHandle {
  /** What this process is. */
  readonly role: 'coordinator' | 'worker';
  workers(): WorkerView[];
  stats(): ClusterStats | undefined;
  /**
   * Replaces every worker, one slot at a time; each new one is ready before its old one drains.
   *
   * @returns the slots that were replaced
   * @throws ForktraceError with code FORKTRACE_RELOAD_ABORTED when a new worker does not start; the old ones stay
   */
  reload(): Promise<readonly number[]>;
  /**
   * Changes the number of workers; resolves when that many are ready and the others are gone.
   *
   * @throws ForktraceError with code FORKTRACE_SCALE_FAILED when a new worker does not start; it is tried again all the same
   */
  scale(workers: number): Promise<void>;
  /** Stops gracefully within `supervise.shutdownTimeoutMs`; leaves the process running. In a worker: stops that worker. */
  shutdown(): Promise<void>;
}
