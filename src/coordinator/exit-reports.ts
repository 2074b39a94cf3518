/**
 * Reports each end of a worker's process: finds its cause, records it as a span, and calls `childExit`.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ResolvedConfig } from '../config/resolved.js';
import type { ChildExit } from '../config/types.js';
import type { Block } from '../forensics/block.js';
import { causeOfDeath, ranOutOfHeap } from '../forensics/cause-of-death.js';
import { oomKills } from '../forensics/cgroup-memory.js';
import { causeOfExit, type ExitCause } from '../forensics/exit-cause.js';
import { ownEnd } from '../forensics/own-end.js';
import { innermostFrame } from '../forensics/stack-frame.js';
import type { ExitRecord } from '../journal/vitals.js';
import { printable } from '../printable.js';
import { withinDeadline } from '../process/deadline.js';
import type { KnownDeath, Recovered } from '../shipper/shipper-messages.js';
import { DeathRecord } from './death-record.js';
import type { ExitEvidence } from './exit-evidence.js';
import type { CoordinatorHooks } from './hooks.js';
import type { LifecycleSpans } from './lifecycle-spans.js';
import { GROUP_SIGNAL_MS } from './losses.js';
import type { WorkerExit } from './worker-exits.js';
import { lastWordsOf } from './worker-stderr.js';

/** A child process that outlives the worker may hold its standard streams open. */
const READ_WITHIN_MS = 100;

/** What the reports need of the rest of the coordinator. */
export interface ExitReportsParts {
  hooks: CoordinatorHooks;
  /**
   * Tells the shipper that a process has ended; resolves with what it found in the journal, bounded in time.
   */
  recovered(pid: number, death: KnownDeath): Promise<Recovered>;
  /** What the process has written about its end; `forkedAtMs` since the epoch. */
  exitEvidence(pid: number, forkedAtMs: number): ExitEvidence;
}

export class ExitReports {
  readonly deaths = new DeathRecord();
  readonly #config: ResolvedConfig['forensics'];
  readonly #parts: ExitReportsParts;
  readonly #isStopping: () => boolean;
  /** Those that wait for the shipper's numbers, or whose `childExit` hook runs. */
  readonly #pending = new Set<Promise<void>>();
  #oomKills = oomKills();

  /** @param isStopping whether the whole cluster stops or has stopped */
  constructor(config: ResolvedConfig['forensics'], parts: ExitReportsParts, isStopping: () => boolean) {
    this.#config = config;
    this.#parts = parts;
    this.#isStopping = isStopping;
  }

  /** @param recordExit ends the worker's span, once what is known has been gathered */
  add(slot: number, exit: WorkerExit, recordExit: ReturnType<LifecycleSpans['workerDied']>): void {
    const report = this.#report(slot, exit, recordExit);
    this.#pending.add(report);
    void report.finally(() => this.#pending.delete(report));
  }

  /** Resolves when all that have begun are done. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  async #report(slot: number, ended: WorkerExit, recordExit: ReturnType<LifecycleSpans['workerDied']>): Promise<void> {
    const { worker, exit, life, block } = ended;
    const { pid } = worker;
    if (pid === undefined) return;
    // At once: a shipper takes it away.
    const own = this.#parts.exitEvidence(pid, Date.now() - (performance.now() - worker.forkedAt));
    // A signal to the whole group may have reached the worker before this process.
    if (life?.reason === undefined) await sleep(GROUP_SIGNAL_MS);
    const planned = life?.reason !== undefined || this.#isStopping();
    // What it has written last is passed on before this process may end.
    await withinDeadline(worker.allRead, READ_WITHIN_MS);
    const lastWords = planned ? undefined : lastWordsOf(worker.stderr, this.#config);
    const told = { ...exit, cause: this.#causeOf(ended, planned) };
    const { cause } = causeOfDeath({ ...own, told, orphaned: false });
    const death = this.deaths.add(slot, cause, planned, whereOf(ownEnd(own.record, cause) ?? block, own.record));
    const {
      record = own.record,
      vitals = own.vitals?.last,
      deathId,
      lastLogs,
      ...counts
    } = await this.#parts.recovered(pid, { ...told, block, lastWords });
    const childExit: ChildExit = { slot, pid, ...exit, planned, ...counts, cause: counts.cause ?? cause };
    death.cause = childExit.cause;
    const found = ownEnd(record, childExit.cause) ?? block;
    death.where = whereOf(found, record);
    const isTold = !planned && this.#config.lastWords;
    recordExit(childExit, {
      ...{ deathId, block: found, lastWords, record, vitals },
      lastLogs: isTold ? lastLogs : undefined,
    });
    await this.#parts.hooks.run('childExit', childExit);
  }

  /** What this process knows by itself. */
  #causeOf(ended: WorkerExit, planned: boolean): ExitCause {
    const { exit, worker } = ended;
    const cause = causeForCoordinator(ended, planned);
    if (cause === 'signal' && exit.signal === 'SIGKILL' && this.#kernelHasKilled()) return 'system_out_of_memory';
    if (cause === 'abort' && ranOutOfHeap(worker.stderr?.lastWords())) return 'heap_out_of_memory';
    return cause;
  }

  /** Whether the kernel has killed a process for want of memory since this was asked last. */
  #kernelHasKilled(): boolean {
    const before = this.#oomKills;
    this.#oomKills = oomKills();
    return this.#oomKills > before;
  }
}

/**
 * As sure as the coordinator can be: it has ended the process itself, or it knows the exit code and the
 * signal.
 */
function causeForCoordinator({ exit, life, worker }: WorkerExit, planned: boolean): ExitCause {
  if (life?.fault) return life.fault;
  switch (life?.reason) {
    case undefined:
      if (planned) return 'stop';
      return worker.stopping === 'signal' ? 'signal' : causeOfExit(exit);
    case 'reload':
    case 'scale':
      return life.reason;
    case 'recycle':
      return life.wear ?? 'recycle_requests';
    default:
      return 'stop';
  }
}

/** The exception and its line, or the line that blocked the event loop. */
function whereOf(block: Block | undefined, record: ExitRecord | undefined): string | undefined {
  const frame = innermostFrame(block?.stack ?? '');
  const at = frame && `at ${frame.functionName ?? 'the top level'}, ${frame.filePath}:${frame.line}`;
  const what =
    record?.message === undefined ? undefined : printable(`${record.exceptionType ?? 'Error'}: ${record.message}`);
  return [what, at].filter((part) => part !== undefined).join(' ') || undefined;
}
