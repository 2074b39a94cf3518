/**
 * Finds workers whose event loop is blocked, by their missing heartbeats, and peeks at them: once when a
 * heartbeat is a second late, and again before the watchdog kills.
 *
 * @module
 */
import { type Block, blockOf } from '../forensics/block.js';
import { processState } from '../forensics/process-state.js';
import { withinDeadline } from '../process/deadline.js';
import { HEARTBEAT_MS } from '../process/worker-messages.js';
import type { BlockedWorker } from '../viewer/viewer-messages.js';
import type { WorkerProcess } from './worker-process.js';

const LOOK_MS = 250;
const LATE_MS = 1000 + HEARTBEAT_MS;
/**
 * Milliseconds. When the watch itself did not run for longer, missing heartbeats say nothing about the
 * workers.
 */
const OWN_PAUSE_MS = 250;
/**
 * Milliseconds for a peek at a worker that may yet go on. The longer there is no answer, the surer it is that
 * no JavaScript runs.
 */
const PATIENCE_MS = 5000;
/** Milliseconds for the peek before a kill, so that a restart is not delayed for longer. */
const BEFORE_KILL_MS = 450;
/** How many blocked workers are peeked at at once. */
const MOST_AT_ONCE = 4;

/** A block that has ended by itself. Times are in milliseconds since the epoch. */
export interface EndedBlock extends Block {
  /** When the first missing heartbeat was due. */
  since: number;
  until: number;
}

interface Watched {
  since: number;
  block: Block | undefined;
  over: boolean;
}

export class BlockWatch {
  readonly #serving: () => Iterable<WorkerProcess>;
  readonly #ended: (worker: WorkerProcess, block: EndedBlock) => void;
  readonly #changed: (blocked: BlockedWorker[]) => void;
  readonly #blocks = new Map<WorkerProcess, Watched>();
  readonly #turn: (() => void)[] = [];
  #looking = 0;
  #timer: NodeJS.Timeout | undefined;
  #lookedAt = performance.now();
  /** When this process last went on after a pause of its own. */
  #wokeAt = 0;

  /**
   * @param serving workers from which heartbeats are due
   * @param ended called after a block whose worker has gone on
   * @param changed called with all blocked workers, whenever there are others or more is known about one
   */
  constructor(
    serving: () => Iterable<WorkerProcess>,
    ended: (worker: WorkerProcess, block: EndedBlock) => void,
    changed: (blocked: BlockedWorker[]) => void = () => {},
  ) {
    this.#serving = serving;
    this.#ended = ended;
    this.#changed = changed;
  }

  start(): void {
    this.#timer = setInterval(() => {
      const now = performance.now();
      if (now - this.#lookedAt > LOOK_MS + OWN_PAUSE_MS) this.#wokeAt = now;
      this.#lookedAt = now;
      // After the poll phase: heartbeats that have arrived are read before a worker is judged by their
      // absence.
      setImmediate(() => this.#judge());
    }, LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Called when a heartbeat has come. */
  heard(worker: WorkerProcess): void {
    const watched = this.#blocks.get(worker);
    if (watched === undefined) return;
    this.#forget(worker, watched);
    const { since, block } = watched;
    if (block !== undefined) this.#ended(worker, { ...block, since, until: Date.now() });
  }

  /** Peeks once more. Resolves in time for the watchdog, whatever is found. */
  async beforeKill(worker: WorkerProcess): Promise<void> {
    const watched = this.#blocks.get(worker) ?? this.#begin(worker);
    await withinDeadline(this.#look(worker, watched, BEFORE_KILL_MS), BEFORE_KILL_MS);
  }

  /** What the worker was doing, if it was blocked when it died. */
  take(worker: WorkerProcess): Block | undefined {
    const watched = this.#blocks.get(worker);
    if (watched !== undefined) this.#forget(worker, watched);
    return watched?.block;
  }

  #judge(): void {
    const now = performance.now();
    for (const worker of this.#serving()) {
      if (worker.debugged || this.#blocks.has(worker)) continue;
      if (now - Math.max(worker.heardAt, this.#wokeAt) < LATE_MS) continue;
      void this.#look(worker, this.#begin(worker), PATIENCE_MS);
    }
  }

  #begin(worker: WorkerProcess): Watched {
    const silentMs = Math.max(0, performance.now() - worker.heardAt - HEARTBEAT_MS);
    const watched: Watched = { since: Date.now() - silentMs, block: undefined, over: false };
    this.#blocks.set(worker, watched);
    return watched;
  }

  #forget(worker: WorkerProcess, watched: Watched): void {
    watched.over = true;
    this.#blocks.delete(worker);
    this.#tell();
  }

  #tell(): void {
    const blocked: BlockedWorker[] = [];
    for (const [{ pid }, { since, block }] of this.#blocks) {
      if (pid !== undefined && block !== undefined) blocked.push({ pid, sinceMs: since, state: block.state });
    }
    this.#changed(blocked);
  }

  /** Never rejects. */
  async #look(worker: WorkerProcess, watched: Watched, timeoutMs: number): Promise<void> {
    const { pid, stderr } = worker;
    if (pid === undefined) return;
    const state = processState(pid);
    // Used until JavaScript answers. A stack from an earlier answer says more, and stays.
    watched.block ??= blockOf(undefined, state);
    this.#tell();
    if (!worker.peekable || stderr === undefined) return;
    if (this.#looking >= MOST_AT_ONCE) await new Promise<void>((resolve) => this.#turn.push(resolve));
    this.#looking++;
    try {
      if (watched.over) return;
      const { peek } = await import('../forensics/peek.js');
      const found = await peek({ pid, signal: () => worker.kill('SIGUSR1'), lines: stderr.lines }, timeoutMs);
      if (watched.over || found.found !== 'stack') return;
      watched.block = blockOf(found, state);
      this.#tell();
    } catch {
      // No descriptor or memory is left for a connection: the kernel's view is used.
    } finally {
      this.#looking--;
      this.#turn.shift()?.();
    }
  }
}
