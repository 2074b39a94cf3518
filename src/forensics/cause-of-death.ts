/**
 * Determines the cause of a death from everything that is known, the most certain source first: the process
 * that ended it knows why; the process itself knows its exception; the parent knows exit code and signal; the
 * vitals of the last second explain an abort.
 *
 * @module
 */
import type { ExitRecord } from '../journal/vitals.js';
import type { ProcessExit } from '../process/process-exit.js';
import { causeOfExit, EXIT_CAUSES, type ExitCause } from './exit-cause.js';
import type { LastVitals } from './vitals-table.js';

export interface Evidence {
  /** What the parent says; undefined when no parent has said anything. */
  told: (Partial<ProcessExit> & { cause?: ExitCause | undefined }) | undefined;
  /** What the process wrote about its end while it ended. */
  record: ExitRecord | undefined;
  vitals: LastVitals | undefined;
  /** The end of its standard error, if known. */
  lastWords?: string | undefined;
  /** Whether the coordinator that forked the process is gone, too. */
  orphaned: boolean;
}

/** Why a process ended, with its exit code and signal if they are known. */
export interface CauseOfDeath extends ProcessExit {
  cause: ExitCause;
}

/** Causes that a parent derives from exit code and signal alone: the process may know better. */
const BY_EXIT_ALONE: readonly ExitCause[] = ['exit', 'abort', 'crash', 'signal', 'unknown'];

/**
 * Share of the heap limit. V8 aborts at the limit, but the last sample is older: it is from the last
 * collection after which the process could write one.
 */
const NEARLY_FULL = 0.85;

export function causeOfDeath({ told, record, vitals, lastWords, orphaned }: Evidence): CauseOfDeath {
  const signal = told?.signal ?? null;
  const code = signal ? null : (told?.code ?? record?.code ?? null);
  const sure = told?.cause !== undefined && !BY_EXIT_ALONE.includes(told.cause);
  if (sure) return { cause: told.cause!, code, signal };
  const cause = told?.cause ?? causeOfExit({ code, signal });
  // If a signal ended a process that was already ending by itself, the signal is the cause.
  if (signal === null && isCause(record?.cause)) {
    // The process ends with this signal, whether or not a parent reports it.
    const ending = record.signal ?? (record.cause === 'abort' ? 'SIGABRT' : undefined);
    if (ending !== undefined) return { cause: record.cause, code: null, signal: ending };
    return { cause: record.cause, code, signal };
  }
  // V8 recorded that it was out of memory, and then ended the process.
  if (record?.cause === 'heap_out_of_memory' && ['abort', 'crash', 'unknown'].includes(cause))
    return { cause: record.cause, code, signal };
  const called = record?.cause === 'abort';
  if (((cause === 'abort' && !called) || cause === 'unknown') && (isNearlyFull(vitals) || ranOutOfHeap(lastWords)))
    return { cause: 'heap_out_of_memory', code, signal };
  if (cause === 'unknown' && orphaned) return { cause: 'lost', code, signal };
  return { cause, code, signal };
}

/** V8 prints this message before it aborts. */
export function ranOutOfHeap(lastWords: string | undefined): boolean {
  return /FATAL ERROR: .*JavaScript heap out of memory/.test(lastWords ?? '');
}

function isCause(cause: string | undefined): cause is ExitCause {
  return EXIT_CAUSES.includes(cause as ExitCause);
}

function isNearlyFull(vitals: LastVitals | undefined): boolean {
  return vitals !== undefined && vitals.last.heapUsed >= NEARLY_FULL * vitals.last.heapLimit;
}
