/**
 * What a shipper has done since it started, and what it says of what is lost.
 *
 * @module
 */
import { numberOf } from '../number-of.js';
import { LossReport } from '../warn.js';

export class ShipperCounts {
  readonly traces = { read: 0, shipped: 0, refused: 0, dropped: 0, recovered: 0, interrupted: 0 };
  readonly logs = { read: 0, shipped: 0, refused: 0, dropped: 0 };
  readonly #drops = new LossReport(
    'FORKTRACE_SPANS_DROPPED',
    (spans, reason) => `${numberOf(spans, 'span')} dropped before they were shipped: ${reason}.`,
  );
  readonly #logDrops = new LossReport(
    'FORKTRACE_SPANS_DROPPED',
    (records, reason) => `${numberOf(records, 'log record')} dropped before they were shipped: ${reason}.`,
  );
  readonly #malformed = new LossReport(
    'FORKTRACE_JOURNAL_MALFORMED',
    (count, reason) => `${numberOf(count, 'unreadable part')} of the journal skipped: ${reason}.`,
  );

  /** They were deleted before they were shipped. */
  dropped(spans: number, logRecords: number, reason: string): void {
    this.traces.dropped += spans;
    this.logs.dropped += logRecords;
    if (spans > 0) this.#drops.add(spans, reason);
    if (logRecords > 0) this.#logDrops.add(logRecords, reason);
  }

  /** Parts of a journal cannot be read. */
  malformed(count: number, reason: string): void {
    this.#malformed.add(count, reason);
  }

  /** Says what has not been said. */
  end(): void {
    this.#drops.end();
    this.#logDrops.end();
    this.#malformed.end();
  }
}
