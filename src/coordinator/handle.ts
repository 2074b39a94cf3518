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
  /** Its place, 0 to N-1. */
  slot: number;
  /** How many processes lived in the slot before this one; undefined: there is none now. */
  incarnation: number | undefined;
  /** Process id; undefined: there is no process now. */
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
  /** URL of its first server, or the path of its Unix socket; undefined: it does not listen yet. */
  address: string | undefined;
  /** An inspector is open: the watchdog leaves it alone. */
  debugged: boolean;
  /** Requests that it answered in the last second. */
  requestsPerSecond: number;
  /** Requests that failed: status 500 or more, or not answered. */
  failuresPerSecond: number;
  /** From its last heartbeat. */
  stats: WorkerStats | undefined;
}

/** The cluster as its coordinator sees it: what `forktrace status --json` prints. */
export interface ClusterStats {
  /** What the cluster is doing. */
  phase: ClusterPhase;
  /** `service.name`. */
  serviceName: string;
  /** Of the coordinator. */
  pid: number;
  /** Milliseconds since the coordinator started. */
  uptimeMs: number;
  /** Workers wanted. */
  size: number;
  /** Workers that serve. */
  ready: number;
  /** Unplanned deaths of all slots. */
  restarts: number;
  /** The crash-loop breaker; while it is open no worker is forked. */
  breaker: 'closed' | 'open' | 'half-open';
  /** One for each slot. */
  workers: WorkerView[];
  /** undefined: no shipper, or it has said nothing yet. */
  shipper: ShipperStats | undefined;
  /** The viewer's page; undefined: no viewer runs. */
  viewerUrl: string | undefined;
}

/**
 * The running cluster. In a worker, and under pm2, there is no coordinator to ask: `workers()` is empty
 * there.
 */
export interface ClusterHandle {
  /** What this process is. */
  readonly role: 'coordinator' | 'worker';
  /** One for each slot. */
  workers(): WorkerView[];
  /** The cluster now; undefined where there is no coordinator to ask. */
  stats(): ClusterStats | undefined;
  /**
   * Replaces every worker, one slot at a time; each new one is ready before its old one drains.
   *
   * @returns the slots that were replaced
   * @throws ForktraceError with code FORKTRACE_RELOAD_ABORTED when a new worker does not start; the old ones
   * stay
   */
  reload(): Promise<readonly number[]>;
  /**
   * Changes the number of workers; resolves when that many are ready and the others are gone.
   *
   * @throws ForktraceError with code FORKTRACE_SCALE_FAILED when a new worker does not start; it is tried
   * again all the same
   */
  scale(workers: number): Promise<void>;
  /**
   * Stops gracefully within `supervise.shutdownTimeoutMs`; leaves the process running. In a worker: stops
   * that worker.
   */
  shutdown(): Promise<void>;
}
