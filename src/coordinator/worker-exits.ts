/**
 * How the latest processes of each slot have ended, as warnings and errors tell it.
 *
 * @module
 */
import type { ResolvedConfig } from '../config/resolved.js';
import { ForktraceError } from '../errors.js';
import type { Block } from '../forensics/block.js';
import { describeExit, type ProcessExit } from '../process/process-exit.js';
import { type Incarnation, incarnationKey } from './incarnation.js';
import type { WorkerProcess } from './worker-process.js';

/** The end of a worker's process, with what is known about its cause. */
export interface WorkerExit {
  exit: ProcessExit;
  spawnError: Error | undefined;
  life: Incarnation | undefined;
  worker: WorkerProcess;
  /** What it was found doing, if its event loop was blocked. */
  block: Block | undefined;
}

type LivingProcess = (slot: number, incarnation: number) => Partial<Pick<WorkerExit, 'life' | 'worker'>>;

/** A boot that failed, with what the process would have exited with. */
export interface BootFailure {
  error: ForktraceError<'FORKTRACE_WORKER_START'>;
  exitCode: number;
}

export class WorkerExits {
  /** Of each slot, the last two: the one that served, and a successor that did not start. */
  readonly #exits = new Map<string, WorkerExit>();
  readonly #policy: ResolvedConfig['supervise'];
  readonly #living: LivingProcess;

  /** @param living what there is of a process that has not ended */
  constructor(policy: ResolvedConfig['supervise'], living: LivingProcess) {
    this.#policy = policy;
    this.#living = living;
  }

  add(slot: number, incarnation: number, exit: WorkerExit): void {
    this.#exits.set(incarnationKey(slot, incarnation), exit);
    this.#exits.delete(incarnationKey(slot, incarnation - 2));
  }

  /** What the process did, or what was done to it, as the rest of a sentence about it. */
  why(slot: number, incarnation: number): string {
    const { readyTimeoutMs, heartbeatTimeoutMs } = this.#policy;
    const known = this.#exits.get(incarnationKey(slot, incarnation));
    const { life, worker } = known ?? this.#living(slot, incarnation);
    if (worker?.failure) return `failed: ${worker.failure.message}`;
    if (life?.fault === 'not_ready')
      return `was not ready within ${readyTimeoutMs} ms (option supervise.readyTimeoutMs)`;
    if (life?.fault === 'event_loop_blocked') {
      return `was killed: its event loop was blocked for ${heartbeatTimeoutMs} ms (option supervise.heartbeatTimeoutMs)`;
    }
    if (!known)
      return worker?.stopping === 'signal' ? 'was told to stop by a signal from outside' : 'closed its channel';
    const { exit, spawnError } = known;
    if (spawnError) return `could not be forked: ${spawnError.message}`;
    return describeExit(exit);
  }

  /** Where the app's code failed, or was when its event loop was blocked, on lines of its own. */
  stack(slot: number, incarnation: number): string {
    const known = this.#exits.get(incarnationKey(slot, incarnation));
    const stack = known?.worker.failure?.stack ?? known?.block?.stack;
    return stack === undefined || stack === '' ? '' : `\n${stack}`;
  }

  bootFailure(slot: number, incarnation: number): BootFailure {
    const known = this.#exits.get(incarnationKey(slot, incarnation));
    const failure = known?.worker.failure;
    const cause = failure && Object.assign(new Error(failure.message), { stack: failure.stack });
    const code = known?.exit.code;
    return {
      error: new ForktraceError('FORKTRACE_WORKER_START', [slot, this.why(slot, incarnation)], { cause }),
      // What died of a signal, or ended well without ever being ready, is a plain failure.
      exitCode: code === null || code === undefined || code === 0 ? 1 : code,
    };
  }
}
