import type { TracerProvider } from '@opentelemetry/api';
import type { Journal } from '../journal/journal.js';
import type { SpanCounts } from '../tracer/span-counts.js';

/** How spans leave this process: the seam where `journal` and `batch` plug in. */
export interface Pipeline {
  /** Where log records go, too; undefined where there is none. */
  readonly journal?: Journal;
  readonly tracerProvider: TracerProvider;
  /** For the SDK's own metrics; undefined where the SDK counts, or nobody does. */
  readonly counts?: SpanCounts;
  /**
   * How many spans have been kept for another process to export, and have not been; undefined where there is
   * none.
   */
  readonly undelivered?: () => number;
  /** Of those whose export has finished, how many the endpoint has refused, by `error.type`. */
  readonly refused?: () => ReadonlyMap<string, number>;
  /**
   * Whether spans that have ended are delivered although this process ends at once: another one delivers
   * them.
   */
  readonly outlivesProcess: boolean;
  stats(): {
    /** Spans that were kept since the start. */
    spansJournaled: number;
    /** Spans that could not be kept. */
    spansLost: number;
  };
  /**
   * Resolves with true when all that has ended has been exported, batches in flight included, or with false
   * when that has failed or the deadline came first. Never rejects.
   */
  forceFlush(timeoutMs: number): Promise<boolean>;
  /** Makes sure that all that has ended will be exported, then gives everything back. Never rejects. */
  shutdown(timeoutMs: number): Promise<void>;
  /** What can be done in `process.on('exit')`. */
  flushSync(code: number): void;
}
