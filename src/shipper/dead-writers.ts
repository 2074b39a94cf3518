/**
 * Which writers have died: one that is found dead waits a moment for a report of its end, which says what
 * killed it, and so what to write into its interrupted spans.
 *
 * @module
 */
import { isOfCoordinator, isThread, type KnownEnds } from './known-ends.js';
import type { TailedWriter } from './tailed-writer.js';

/** How long a death that was found waits for a report of it: both come at once, and either may be first. */
const TOLD_WITHIN_MS = 300;
/**
 * And one of a coordinator that lives, which tells of every death: it may have to read a worker's last words
 * first, or twenty have died at once.
 */
const TOLD_BY_COORDINATOR_WITHIN_MS = 5000;
/** How long a process manager may take to write what a process has said last. */
const WRITTEN_WITHIN_MS = 100;

export interface DeadWritersOptions {
  /** The service's journal directory. */
  dir: string;
  /**
   * Whether somebody tells of deaths, with exit code and signal: one that is found is then waited for a
   * moment. @default no
   */
  isTold?: (() => boolean) | undefined;
}

export class DeadWriters {
  readonly #options: DeadWritersOptions;
  readonly #ends: KnownEnds;

  constructor(options: DeadWritersOptions, ends: KnownEnds) {
    this.#options = options;
    this.#ends = ends;
  }

  /**
   * Those that can be recovered now. Threads first, mostly: what their process has written is there as long
   * as its own journal is.
   *
   * @param waits whether there is time to wait for the report of an end
   */
  among(writers: Iterable<TailedWriter>, waits: boolean): TailedWriter[] {
    const threadsFirst = [...writers].sort((a, b) => Number(isThread(b)) - Number(isThread(a)));
    return threadsFirst.filter((writer) => {
      if (writer.finished) return false;
      if (writer.isDead()) return !this.#isReportAwaited(writer, waits);
      writer.seenAlive();
      return false;
    });
  }

  #isReportAwaited(writer: TailedWriter, waits: boolean): boolean {
    const now = performance.now();
    if (writer.seenDeadAt === 0) writer.seenDeadAt = now;
    if (!waits) return false;
    const waitedMs = now - writer.seenDeadAt;
    if (waitedMs < WRITTEN_WITHIN_MS && writer.saidIn(this.#options.dir)?.stderr) return true;
    if (this.#ends.exitOf(writer) !== undefined) return false;
    const isTold = this.#options.isTold?.() === true;
    if (isTold && isOfCoordinator(writer)) return waitedMs < TOLD_BY_COORDINATOR_WITHIN_MS;
    // Somebody may be its parent who knows, unless it has said how it ends itself.
    const isSaid = this.#ends.recordOf(writer) !== undefined;
    return waitedMs < TOLD_WITHIN_MS && (isTold || !isSaid);
  }
}
