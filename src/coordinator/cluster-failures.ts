/**
 * What the coordinator says when workers fail: each message names the slot, the cause and what comes next.
 *
 * @module
 */
import type { ResolvedConfig } from '../config/resolved.js';
import { ForktraceError } from '../errors.js';
import { withinDeadline } from '../process/deadline.js';
import { warn } from '../warn.js';
import type { ClusterAction } from './cluster-state.js';
import { describeCrashLoop } from './crash-loop-report.js';
import type { ExitReports } from './exit-reports.js';
import type { WorkerExits } from './worker-exits.js';

/**
 * How long the report of a crash loop waits for what the journals of the dead workers say, in milliseconds.
 */
const CAUSES_KNOWN_MS = 1500;

type Action<Type extends ClusterAction['type']> = Extract<ClusterAction, { type: Type }>;

export class ClusterFailures {
  readonly #config: ResolvedConfig;
  readonly #exits: WorkerExits;
  readonly #exitReports: ExitReports;

  constructor(config: ResolvedConfig, exits: WorkerExits, exitReports: ExitReports) {
    this.#config = config;
    this.#exits = exits;
    this.#exitReports = exitReports;
  }

  workerLost({ slot, incarnation, respawnInMs }: Action<'worker-lost'>): void {
    const next = respawnInMs === undefined ? 'Its successor is starting' : `Next try in ${Math.round(respawnInMs)} ms`;
    const stack = this.#exits.stack(slot, incarnation);
    warn('FORKTRACE_WORKER_DIED', `Worker in slot ${slot} ${this.#why(slot, incarnation)}. ${next}.${stack}`);
  }

  recyclingFailed({ slot, incarnation }: Action<'recycle-failed'>): void {
    const why = this.#why(slot, incarnation);
    const stack = this.#exits.stack(slot, incarnation);
    warn('FORKTRACE_RECYCLE_FAILED', `Slot ${slot}: the new worker ${why}; the old one serves on.${stack}`);
  }

  /** Waits until more is known of the deaths that opened the breaker. */
  async crashLoop(forMs: number): Promise<void> {
    await withinDeadline(this.#exitReports.settled(), CAUSES_KNOWN_MS);
    const { breakerWindowMs } = this.#config.supervise;
    const dir = this.#config.pipeline === 'journal' ? this.#config.journal.dir : undefined;
    const about = describeCrashLoop(this.#exitReports.deaths.unplannedWithin(breakerWindowMs), dir);
    const next = `none is respawned for ${Math.round(forMs)} ms, then one is tried`;
    warn('FORKTRACE_CRASH_LOOP', `Workers keep dying: ${next}.${about}`);
  }

  /** @returns the error for whoever waits for the reload */
  reloadAborted({ slot, incarnation, slots }: Action<'reload-aborted'>): ForktraceError {
    const isStopping = incarnation === undefined;
    const reason = isStopping
      ? 'the cluster is stopping'
      : `the new worker in slot ${slot} ${this.#exits.why(slot, incarnation)}`;
    const error = new ForktraceError('FORKTRACE_RELOAD_ABORTED', [slots.length, reason]);
    warn('FORKTRACE_RELOAD_ABORTED', error.message + (isStopping ? '' : this.#exits.stack(slot, incarnation)));
    return error;
  }

  /** @returns the error for whoever waits for the scaling */
  scalingFailed({ slot, incarnation, from, to }: Action<'scale-failed'>): ForktraceError {
    const reason = slot < 0 ? 'the cluster is stopping' : this.#exits.why(slot, incarnation);
    return new ForktraceError('FORKTRACE_SCALE_FAILED', [from, to, reason]);
  }

  #why(slot: number, incarnation: number): string {
    return this.#exits.why(slot, incarnation).replace(/\.$/, '');
  }
}
