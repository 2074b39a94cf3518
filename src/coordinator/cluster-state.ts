/**
 * The state of the cluster's state machine, the events that it takes and the actions that it asks for.
 * `step-cluster.ts` steps it; `supervisor.ts` carries its actions out. Drawn in docs/supervision.md.
 *
 * @module
 */
import { type Breaker, closedBreaker } from './breaker.js';
import type { IncarnationEvent } from './incarnation.js';
import { newSlot, type Slot, type SlotAction, type SlotReport } from './slot.js';

/** What the cluster is doing. `booting`: not all workers have been ready yet. */
export type ClusterPhase = 'booting' | 'running' | 'reloading' | 'stopping' | 'stopped';

/**
 * A slot that waits for its turn to be replaced: one at a time in the whole cluster, see `replacements.ts`.
 */
export interface Replacement {
  readonly slot: number;
  readonly reason: 'reload' | 'recycle';
  /** The new process has been asked for. */
  readonly begun: boolean;
}

/** A worker that was lost and that nobody had told to stop: see `losses.ts`. */
export interface Loss {
  readonly report: Extract<SlotReport, { type: 'lost' | 'kept' }>;
  readonly actAt: number;
}

export interface Cluster {
  readonly phase: ClusterPhase;
  /** Workers wanted. */
  readonly size: number;
  /** How many workers may start at once: on few processors more of them only make each other late. */
  readonly concurrentStarts: number;
  readonly slots: readonly Slot[];
  readonly breaker: Breaker;
  /** Losses that have not been acted upon, in the order in which they are due. */
  readonly losses: readonly Loss[];
  /** The first of them is being replaced, once it has begun. */
  readonly replacements: readonly Replacement[];
  /** Another reload was asked for while one was under way. */
  readonly reloadAgain: boolean;
  /** Slots that the reload under way has replaced. */
  readonly reloaded: readonly number[];
  /** The scaling under way: not all workers that it wants serve yet. */
  readonly scaling: { readonly from: number; readonly to: number } | undefined;
}

export type ClusterEvent =
  | { type: 'start' }
  | { type: 'process'; slot: number; incarnation: number; event: IncarnationEvent }
  | { type: 'reload' }
  | { type: 'scale'; to: number }
  | { type: 'shutdown' }
  /** Stops waiting: SIGKILL for all. */
  | { type: 'force' }
  | { type: 'wake' }
  /** The coordinator has not run for a while: see `withFreshDeadline` in `incarnation.ts`. */
  | { type: 'missed-time' };

export type ClusterAction =
  | Exclude<SlotAction, SlotReport>
  | { type: 'worker-ready'; slot: number; incarnation: number }
  | { type: 'worker-lost'; slot: number; incarnation: number; respawnInMs: number | undefined }
  /** All workers are ready for the first time. */
  | { type: 'booted' }
  /** A worker did not become ready at first boot: the cluster stops. */
  | { type: 'boot-failed'; slot: number; incarnation: number }
  | { type: 'breaker-opened'; forMs: number }
  | { type: 'breaker-half-open'; slot: number }
  | { type: 'breaker-closed' }
  | { type: 'recycle-failed'; slot: number; incarnation: number }
  | { type: 'reload-started' }
  | { type: 'reload-done'; slots: readonly number[] }
  | { type: 'reload-aborted'; slot: number; incarnation: number | undefined; slots: readonly number[] }
  | { type: 'scaled'; from: number; to: number }
  | { type: 'scale-failed'; slot: number; incarnation: number; from: number; to: number }
  | { type: 'stopped' };

export function newCluster(size: number, concurrentStarts: number): Cluster {
  return {
    phase: 'booting',
    size,
    concurrentStarts,
    slots: Array.from({ length: size }, (_, slot) => newSlot(slot)),
    breaker: closedBreaker,
    losses: [],
    replacements: [],
    reloadAgain: false,
    reloaded: [],
    scaling: undefined,
  };
}
