/**
 * All files that one writer has in use: segments of spans and of log records, the in-flight table, and the
 * vitals page. What happens to all of them together happens here.
 *
 * @module
 */
import { isMainThread } from 'node:worker_threads';
import { FilePlans, type WriterLosses } from './file-plans.js';
import { PAGE_BYTES } from './format.js';
import { InFlightFiles } from './in-flight-files.js';
import { InFlightTable } from './in-flight-table.js';
import type { JournalOptions } from './journal.js';
import { JournalFileWriter } from './journal-file.js';
import { LogSegments } from './log-segments.js';
import type { LossLedger } from './loss-ledger.js';
import type { Mapping } from './mapped-memory.js';
import { SegmentWriter } from './segment-writer.js';
import { VITALS_BYTES, VitalsWriter } from './vitals.js';
import { WriteBack } from './write-back.js';

export interface WriterFilesOptions extends JournalOptions {
  segmentBytes: number;
  inFlight: number;
}

export class WriterFiles {
  readonly plans: FilePlans;
  readonly table: InFlightTable;
  readonly tableFiles: InFlightFiles;
  readonly spans: SegmentWriter;
  readonly logs: LogSegments;
  /** `write` mode only. */
  readonly writeBack: WriteBack | undefined;
  isClosed = false;
  readonly #segmentBytes: number;
  readonly #lookAtEnd: () => boolean;
  #vitals: VitalsWriter | undefined;

  /**
   * @param mapping how files become memory; undefined in `write` mode
   * @param lookAtEnd see `SegmentWriterOptions`
   */
  constructor(
    options: WriterFilesOptions,
    mapping: Mapping | undefined,
    losses: WriterLosses,
    lookAtEnd: () => boolean,
  ) {
    this.#segmentBytes = options.segmentBytes;
    this.#lookAtEnd = lookAtEnd;
    this.plans = new FilePlans(options, mapping, losses);
    this.table = new InFlightTable(options.inFlight);
    if (mapping === undefined) this.writeBack = new WriteBack(this.table, (error) => this.spans.takeBack(error));
    this.tableFiles = new InFlightFiles(this.table, this.plans, losses.spans, this.writeBack);
    this.spans = this.#segmentWriter('segment', losses.spans, this.writeBack);
    this.logs = new LogSegments(
      (writeBack) => this.#segmentWriter('logs', losses.logs, writeBack),
      mapping !== undefined,
    );
    this.tableFiles.grow();
    this.spans.open(0);
  }

  /** Those that have a lease. */
  inUse(): JournalFileWriter[] {
    const files = [...this.table.files];
    for (const segments of [this.spans, this.logs.segments]) if (segments?.segment) files.push(segments.segment.file);
    return files;
  }

  /** See `Journal.vitals`. */
  vitals(): VitalsWriter | undefined {
    if (this.#vitals !== undefined || this.isClosed) return this.#vitals;
    try {
      this.#vitals = new VitalsWriter(this.#makeVitals());
    } catch {
      // No room: the process is traced all the same.
    }
    return this.#vitals;
  }

  /** Gives back what a burst has needed. */
  trim(): void {
    this.spans.trim();
    this.logs.segments?.trim();
    this.tableFiles.shrink();
  }

  touchVitals(): void {
    this.#vitals?.touch();
  }

  /** Somebody has deleted a file in use, or the directory: moves what was not shipped of it to a new file. */
  replace(file: JournalFileWriter): void {
    const isFirst = file === this.table.files[0];
    this.tableFiles.replace(file);
    if (isFirst) this.plans.sayAgain();
    this.spans.replace(file);
    this.logs.segments?.replace(file);
  }

  /**
   * Goes on under another writer id, with all that no reader has seen. Segments first: an entry that has
   * ended is free then.
   */
  renew(): void {
    this.plans.renewIdentity();
    this.renewSegments();
    this.tableFiles.renew();
    try {
      this.#vitals?.moveTo(this.#makeVitals());
    } catch {
      // As in vitals().
    }
  }

  /** Goes on in new segments, whose header says what is known now. */
  renewSegments(): void {
    this.spans.renew();
    this.logs.segments?.renew();
  }

  flush(): void {
    this.writeBack?.flush();
    this.logs.flush();
  }

  /** @param keepEmpty the header of the active segment says something that no other does */
  close(keepEmpty: boolean): void {
    this.writeBack?.flush();
    this.isClosed = true;
    this.spans.close(keepEmpty);
    this.logs.close();
    this.tableFiles.close();
    this.writeBack?.close();
    if (!isMainThread) this.plans.mapping?.giveBackWindows();
  }

  #segmentWriter(kind: 'segment' | 'logs', losses: LossLedger, writeBack: WriteBack | undefined): SegmentWriter {
    const { plans } = this;
    return new SegmentWriter({
      bodyLength: Math.max(this.#segmentBytes - plans.headerLength, PAGE_BYTES),
      plan: (bodyLength, sequence) => plans.plan(kind, bodyLength, 0, sequence),
      keepBound: (bytes) => plans.keepBound(bytes),
      losses,
      hasChecksums: plans.hasChecksums,
      writeBack,
      lookAtEnd: this.#lookAtEnd,
      goElsewhere: (error) => plans.goElsewhere(error),
    });
  }

  #makeVitals(): JournalFileWriter {
    return JournalFileWriter.create(this.plans.plan('vitals', VITALS_BYTES, 0, 1));
  }
}
