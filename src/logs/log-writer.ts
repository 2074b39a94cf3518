/**
 * The path of every log record into the journal: severity filter, rate limit, span, encoder. It never throws
 * into the program that logs, and never makes it wait.
 *
 * @module
 */
import { type Context, context, isSpanContextValid, type Span, trace } from '@opentelemetry/api';
import type { ResolvedLogs } from '../config/resolved.js';
import type { Journal } from '../journal/journal.js';
import { JournalSpan } from '../tracer/journal-span.js';
import { LossReport } from '../warn.js';
import { SEVERITY } from '../wire/level.js';
import type { Memory } from '../wire/memory.js';
import { LogEncoder, type LogSpan, logSpan } from './log-encoder.js';
import type { LogEntry } from './log-entry.js';

export interface LogCounts {
  /** Records kept in the journal. */
  kept: number;
  /** Records dropped because they were more than `logs.maxPerSecond`. */
  flooded: number;
  /** Records that could not be encoded or written. */
  lost: number;
}

export class LogWriter {
  readonly #journal: Pick<Journal, 'appendLog' | 'stats'>;
  readonly #encoder: LogEncoder;
  readonly #leastSeverity: number;
  readonly #maxPerSecond: number;
  readonly #flood: LossReport;
  #second = 0;
  #inSecond = 0;
  #flooded = 0;
  #failed = 0;
  #isWriting = false;
  /** The last active span of another SDK or an unsampled one, and its ids. */
  #foreignSpan: Span | undefined;
  #foreign: LogSpan | undefined;

  /** @param whose the name of the process in messages */
  constructor(options: ResolvedLogs, journal: Pick<Journal, 'appendLog' | 'stats'>, whose = 'this process') {
    this.#journal = journal;
    this.#encoder = new LogEncoder(options);
    this.#leastSeverity = SEVERITY[options.level];
    this.#maxPerSecond = options.maxPerSecond;
    this.#flood = new LossReport(
      'FORKTRACE_LOGS_FLOOD',
      (lost) => `Log records dropped: ${lost}, because ${whose} logged more than ${options.maxPerSecond} in a second.`,
    );
  }

  /** Whether a record of this severity is kept. A record without a severity is kept. */
  takes(severityNumber: number): boolean {
    return severityNumber === 0 || severityNumber >= this.#leastSeverity;
  }

  /**
   * Keeps a record.
   *
   * @param scope made by encodeScopeFields
   * @param of the context whose span the record belongs to; the active one by default
   */
  write(scope: Memory, entry: LogEntry, of?: Context): void {
    if (!this.takes(entry.severityNumber) || !this.#isWithinBudget(entry.observedSeconds)) return;
    // Reading a logged value may run code that logs again, without end.
    if (this.#isWriting) {
      this.#failed++;
      return;
    }
    this.#isWriting = true;
    const encoder = this.#encoder;
    try {
      encoder.record(entry, this.#spanOf(of ?? context.active()));
      this.#journal.appendLog(scope, encoder.bytes, 0, encoder.at);
    } catch {
      this.#failed++;
    } finally {
      encoder.shrink();
      this.#isWriting = false;
    }
  }

  counts(): LogCounts {
    const { logRecords, logRecordsLost } = this.#journal.stats();
    return { kept: logRecords, flooded: this.#flooded, lost: logRecordsLost.total + this.#failed };
  }

  /** Reports what has not been reported yet. */
  end(): void {
    this.#flood.end();
  }

  #spanOf(of: Context): LogSpan | undefined {
    const span = trace.getSpan(of);
    if (span === undefined || span instanceof JournalSpan) return span;
    // The span is not sampled, or belongs to another SDK. Reading its ids for each line would be a quarter of
    // a line's cost, so they are kept.
    if (span !== this.#foreignSpan) {
      const spanContext = span.spanContext();
      this.#foreign = isSpanContextValid(spanContext) ? logSpan(spanContext) : undefined;
      this.#foreignSpan = span;
    }
    return this.#foreign;
  }

  #isWithinBudget(second: number): boolean {
    if (second !== this.#second) {
      this.#second = second;
      this.#inSecond = 0;
    }
    if (this.#inSecond++ < this.#maxPerSecond) return true;
    this.#flooded++;
    this.#flood.add(1, '');
    return false;
  }
}
