import type { TracerProvider } from '@opentelemetry/api';
import type { Journal } from '../journal/journal.js';
import type { SpanCounts } from '../tracer/span-counts.js';

/** Ended spans since tracing started, by what became of them. */
export interface PipelineStats {
  /** Spans that were kept: in the journal, or for the exporter with `batch`. */
  spansJournaled: number;
  /** Spans that could not be kept. */
  spansLost: number;
}

/** How spans leave this process: the interface that the pipelines `journal` and `batch` implement. */
export interface Pipeline {
  /** The journal, which takes log records, too; undefined when the pipeline has none. */
  readonly journal?: Journal;
  readonly tracerProvider: TracerProvider;
  /** Counts for the SDK's own metrics; undefined when the SDK counts itself, or nothing is counted. */
  readonly counts?: SpanCounts;
  /**
   * Number of spans that have been kept for another process to export, and have not been exported; undefined
   * when no other process exports.
   */
  readonly undelivered?: () => number;
  /** Number of spans that the endpoint has refused, by `error.type`. */
  readonly refused?: () => ReadonlyMap<string, number>;
  /**
   * Whether ended spans are delivered even if this process ends at once, because another process delivers
   * them.
   */
  readonly outlivesProcess: boolean;
  stats(): PipelineStats;
  /**
   * Resolves with true when all ended spans have been exported, batches in flight included. Resolves with
   * false when that has failed, or at the deadline. Never rejects.
   */
  forceFlush(timeoutMs: number): Promise<boolean>;
  /** Makes sure that all ended spans will be exported, then frees all resources. Never rejects. */
  shutdown(timeoutMs: number): Promise<void>;
  /**
   * Does what is possible at the exit, where nothing can be waited for.
   *
   * @param isLast nothing of the app follows; else there will be another call, or none
   */
  flushSync(code: number, isLast: boolean): void;
}
