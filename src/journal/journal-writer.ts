/**
 * The append path of a journal: what a span that begins, changes and ends stores, and in which order. The
 * order is the format's (see format.ts); segment-supply.ts says where segments come from, write-back.ts how
 * `write` mode brings them to the files.
 *
 * @module
 */

import { close, fsync, open } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
import { warn } from '../warn.js';
import { ENDED_AFTER_INTERRUPTION } from '../wire/conventions.js';
import { asMemory, copyBytes, type Memory, memoryOf } from '../wire/memory.js';
import { tags } from '../wire/message.js';
import { Span } from '../wire/otlp.js';
import { beginChunk, beginSpanIn, chunkLength, closeChunk, MAX_OPEN_CHUNK, openChunk, spanStartIn } from './chunk.js';
import { Encoder } from './encoder.js';
import { whyNotToMap } from './file-system.js';
import {
  AT_ENDED,
  ENTRY_BYTES,
  headerLengthFor,
  type JournalFileKind,
  type JournalHeader,
  MAX_RESOURCE_BYTES,
  PAGE_BYTES,
} from './format.js';
import { LEASE_RENEWAL_MS, newWriterIdentity } from './identity.js';
import { InFlightTable } from './in-flight-table.js';
import type { Journal, JournalOptions, JournalStats, OpenSegment } from './journal.js';
import { makeRoom, openDirectory } from './journal-directory.js';
import { type FilePlan, JournalFileWriter } from './journal-file.js';
import { LossLedger } from './loss-ledger.js';
import type { Mapping } from './mapped-memory.js';
import { discardFile } from './segment-supply.js';
import { SegmentWriter } from './segment-writer.js';
import { NO_ENTRY, type Room, type SpanLog } from './span-log.js';
import { VITALS_BYTES, VitalsWriter } from './vitals.js';
import { WriteBack } from './write-back.js';

/** Files of an in-flight table: 65,536 spans in flight with the default size of one. */
const MAX_TABLES = 64;
const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;
const SYNC_MS = 1000;
const NOTHING = new Uint8Array(0);
/** Most spans are smaller. */
const LITTLE_ROOM = 512;

export interface JournalWriterOptions extends JournalOptions {
  segmentBytes: number;
  inFlight: number;
}

export class JournalWriter implements Journal, SpanLog {
  dir: string;
  readonly mode: 'mmap' | 'write';
  #identity;
  #described: Pick<JournalHeader, 'resource' | 'schemaUrl' | 'isResourcePending'>;
  readonly #maxBytes: number;
  readonly #mapping: Mapping | undefined;
  readonly #table: InFlightTable;
  readonly #spans: SegmentWriter;
  readonly #losses: LossLedger;
  readonly #logLosses: LossLedger;
  /** `write` mode only. */
  readonly #writeBack: WriteBack | undefined;
  readonly #leaseTimer: NodeJS.Timeout;
  readonly #isSynced: boolean;
  readonly #syncTimer: NodeJS.Timeout | undefined;
  readonly #room: Room = { memory: memoryOf(new Uint8Array(0)), start: 0, end: 0 };
  readonly #segmentBytes: number;
  readonly #renewed: JournalOptions['renewed'];
  readonly #dirOfUser: JournalOptions['dirOfUser'];
  /** The user whose files in {@link dir} are. */
  #uid = process.geteuid?.();
  /** Entries whose spans have been told as interrupted. */
  readonly #told = new Set<number>();
  /** Made with the first log record. */
  #logs: SegmentWriter | undefined;
  #logWriteBack: WriteBack | undefined;
  #wasResourcePending = false;
  #lastTable = 0;
  #isClosed = false;
  #vitals: VitalsWriter | undefined;
  #untracked = 0;

  /** @param mapping how files become memory; undefined for `write` mode */
  constructor(options: JournalWriterOptions, mapping: Mapping | undefined) {
    this.dir = options.dir;
    this.mode = mapping ? 'mmap' : 'write';
    this.#identity = newWriterIdentity(options.slot);
    this.#described = {
      resource: options.resource.slice(),
      schemaUrl: options.schemaUrl ?? '',
      isResourcePending: options.isResourcePending ?? false,
    };
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#mapping = mapping;
    this.#table = new InFlightTable(options.inFlight);
    this.#losses = new LossLedger(options.dir, 'Spans');
    this.#logLosses = new LossLedger(options.dir, 'Log records');
    this.#segmentBytes = options.segmentBytes;
    this.#renewed = options.renewed;
    this.#dirOfUser = options.dirOfUser;
    this.#isSynced = options.sync === 'interval';
    if (!mapping) this.#writeBack = new WriteBack(this.#table, (error) => this.#spans.takeBack(error));
    this.#spans = this.#segmentWriter('segment', this.#losses, this.#writeBack);
    this.#growTable();
    this.#spans.open(0);
    this.#leaseTimer = setInterval(() => this.#renewLease(), LEASE_RENEWAL_MS);
    this.#leaseTimer.unref();
    if (this.#isSynced) this.#syncTimer = setInterval(() => this.#sync(), options.syncIntervalMs ?? SYNC_MS).unref();
  }

  get writerId(): string {
    return this.#identity.id;
  }

  /** Why there is no segment to write to; undefined when there is one. */
  get refusal(): string | undefined {
    return this.#spans.segment === undefined ? this.#losses.refusal : undefined;
  }

  reserve(scope: Memory): Room | undefined {
    const { segment } = this.#spans;
    if (segment === undefined) return undefined;
    const { position, limit } = segment;
    if (spanStartIn(position, scope.bytes.length) + LITTLE_ROOM > limit - segment.trailer) return undefined;
    const room = this.#room;
    room.memory = segment.memory;
    room.start = openChunk(segment.memory, position, scope);
    room.end = Math.min(limit - segment.trailer, position + MAX_OPEN_CHUNK);
    return room;
  }

  commit(end: number): void {
    const segment = this.#spans.segment!;
    closeChunk(segment.memory, segment.position, this.#room.start, end);
    segment.commitTo(end);
    if (this.#writeBack !== undefined) this.#writeBack.appended();
  }

  append(scope: Memory, bytes: Uint8Array, start: number, end: number): void {
    if (appendChunk(this.#spans, scope, bytes, start, end) && this.#writeBack !== undefined) this.#writeBack.appended();
  }

  appendLog(scope: Memory, bytes: Uint8Array, start: number, end: number): void {
    this.#logs ??= this.#openLogs();
    if (appendChunk(this.#logs, scope, bytes, start, end)) this.#logWriteBack?.schedule();
  }

  #openLogs(): SegmentWriter {
    if (this.#writeBack !== undefined && !this.#isClosed) {
      // Log records have no entries.
      this.#logWriteBack = new WriteBack(new InFlightTable(1), (error) => this.#logs?.takeBack(error));
    }
    const logs = this.#segmentWriter('logs', this.#logLosses, this.#logWriteBack);
    if (this.#isClosed) logs.close();
    return logs;
  }

  begin(scope: Memory, bytes: Uint8Array, start: number, end: number, reading = Number.NaN): number {
    if (this.#mayHaveBeenEnded()) this.#lookAtEnd();
    let entry = this.#table.begin(scope, bytes, start, end, reading);
    if (entry === NO_ENTRY) {
      if (!this.#growTable()) {
        this.#countUntracked();
        return NO_ENTRY;
      }
      entry = this.#table.begin(scope, bytes, start, end, reading);
    }
    if (this.#writeBack !== undefined) this.#writeBack.begin(entry);
    return entry;
  }

  reserveEntry(scope: Memory): Room | undefined {
    if (this.#mayHaveBeenEnded()) this.#lookAtEnd();
    return this.#table.reserve(scope, this.#room) ? this.#room : undefined;
  }

  beginReserved(end: number, reading: number): number {
    const entry = this.#table.beginReserved(this.#room.start, end, reading);
    if (this.#writeBack !== undefined) this.#writeBack.begin(entry);
    return entry;
  }

  amend(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (entry === NO_ENTRY || this.#isClosed || !this.#table.amend(entry, bytes, start, end)) return false;
    if (this.#writeBack !== undefined) this.#writeBack.changed(entry);
    return true;
  }

  settle(entry: number): void {
    if (this.#writeBack !== undefined && !this.#isClosed) this.#writeBack.settle(entry);
  }

  drop(entry: number): void {
    if (entry === NO_ENTRY || this.#isClosed) return;
    this.#release(entry, false);
  }

  finish(entry: number, bytes: Uint8Array, start: number, end: number, whole: boolean): void {
    if (entry === NO_ENTRY || this.#isClosed) {
      this.#loseClosed();
      return;
    }
    if (this.#mayHaveBeenEnded()) this.#lookAtEnd();
    const table = this.#table;
    table.read(entry);
    const { data, scopeStart, fieldsStart } = table;
    const scopeLength = fieldsStart - scopeStart;
    const fieldsLength = whole ? 0 : table.fieldsEnd - fieldsStart;
    const note = this.#told.size > 0 && this.#told.has(entry) ? endedAfterInterruption() : NOTHING;
    const spanLength = fieldsLength + end - start + note.length;
    const { id } = this.#identity;
    const segment = this.#spans.segmentFor(chunkLength(scopeLength, spanLength));
    if (segment === undefined) {
      this.#release(entry, false);
      return;
    }
    if (this.#identity.id !== id) {
      // Taken for dead: the entry is in another file by now, and what was read of it is not there any more.
      this.finish(entry, bytes, start, end, whole);
      return;
    }

    const { memory } = segment;
    let at = beginChunk(memory.bytes, segment.position, scopeLength, spanLength);
    copyBytes(data, scopeStart, memory, at, scopeLength);
    at = beginSpanIn(memory.bytes, at + scopeLength, spanLength);
    copyBytes(data, fieldsStart, memory, at, fieldsLength);
    at += fieldsLength;
    copyBytes(asMemory(bytes), start, memory, at, end - start);
    at += end - start;
    if (note.length > 0) memory.bytes.set(note, at);
    at += note.length;
    // Dead before the commit: the mark is not reached, so the span was in flight. Dead after it: the mark
    // says that it has ended.
    table.mark(entry, segment.sequence, at - segment.bodyAt);
    segment.commitTo(at);
    if (this.#writeBack !== undefined) this.#writeBack.schedule();
    this.#release(entry, true);
  }

  /**
   * The tables stay, with the resource of before: what is recovered of them gets that of the writer's newest
   * segment.
   */
  useResource(resource: Uint8Array): void {
    if (this.#isClosed || !this.#described.isResourcePending) return;
    this.#lookAtEnd();
    const { schemaUrl } = this.#described;
    const isTooLarge = resource.length + schemaUrl.length * 3 > MAX_RESOURCE_BYTES;
    this.#described = {
      resource: isTooLarge ? this.#described.resource : resource.slice(),
      schemaUrl,
      isResourcePending: false,
    };
    this.#wasResourcePending = true;
    this.#spans.renew();
    this.#logs?.renew();
  }

  flush(): void {
    this.#writeBack?.flush();
    this.#logWriteBack?.flush();
  }

  vitals(): VitalsWriter | undefined {
    if (this.#vitals !== undefined || this.#isClosed) return this.#vitals;
    try {
      this.#vitals = new VitalsWriter(JournalFileWriter.create(this.#plan('vitals', VITALS_BYTES, 0, 1)));
    } catch {
      // No room: the process is traced all the same.
    }
    return this.#vitals;
  }

  openSegments(): OpenSegment[] {
    const open: OpenSegment[] = [];
    for (const [kind, { segment } = {}] of [
      ['segment', this.#spans],
      ['logs', this.#logs],
    ] as const)
      if (segment) open.push({ kind, committed: segment.committed, shipped: () => segment.file.shipped() });
    return open;
  }

  stats(): JournalStats {
    const { items: spans, bytes, segments } = this.#spans.counts();
    return {
      mode: this.mode,
      spans,
      bytes,
      segments,
      inFlight: this.#table.used,
      untracked: this.#untracked,
      lost: this.#losses.counts(),
      logRecords: this.#logs?.counts().items ?? 0,
      logRecordsLost: this.#logLosses.counts(),
    };
  }

  close(): void {
    if (this.#isClosed) return;
    this.#lookAtEnd();
    clearInterval(this.#leaseTimer);
    clearInterval(this.#syncTimer);
    this.#writeBack?.flush();
    this.#isClosed = true;
    this.#spans.close(this.#wasResourcePending);
    this.#logs?.close();
    const inFlight = this.#table.used > 0;
    for (const file of this.#table.files) {
      if (inFlight) file.release();
      else discardFile(file);
    }
    this.#table.close();
    this.#writeBack?.close();
    this.#logWriteBack?.close();
    if (!isMainThread) this.#mapping?.giveBackWindows();
    this.#losses.end();
    this.#logLosses.end();
  }

  #countUntracked(): void {
    if (this.#isClosed || this.#untracked++ > 0) return;
    const message = `More than ${this.#table.size} requests are in flight: the others are recorded when they end, but would not be reported`;
    warn('FORKTRACE_IN_FLIGHT_FULL', `${message} as interrupted if this process died now.`);
  }

  #release(entry: number, marked: boolean): void {
    if (this.#told.size > 0) this.#told.delete(entry);
    if (this.#writeBack === undefined) this.#table.release(entry);
    else this.#writeBack.release(entry, marked);
  }

  #loseClosed(): void {
    this.#losses.lose('closed', 1, 'they ended after the journal was closed');
  }

  #keepBound(wanted: number): void {
    try {
      const { spans, logRecords } = makeRoom(this.dir, wanted, this.#maxBytes);
      const reason = `${this.dir} may hold ${this.#maxBytes} bytes and has not been shipped`;
      if (spans > 0) this.#losses.lose('dropped', spans, reason);
      if (logRecords > 0) this.#logLosses.lose('dropped', logRecords, reason);
    } catch {
      // Another writer has the same right; making the file says what is wrong.
    }
  }

  #segmentWriter(kind: 'segment' | 'logs', losses: LossLedger, writeBack: WriteBack | undefined): SegmentWriter {
    return new SegmentWriter({
      bodyLength: Math.max(this.#segmentBytes - headerLengthFor(this.#described), PAGE_BYTES),
      plan: (bodyLength, sequence) => this.#plan(kind, bodyLength, 0, sequence),
      keepBound: (bytes) => this.#keepBound(bytes),
      losses,
      hasChecksums: this.#isSynced,
      writeBack,
      lookAtEnd: () => this.#lookAtEnd(),
      goElsewhere: (error) => this.#goElsewhere(error),
    });
  }

  #tablePlan(): FilePlan {
    return this.#plan('in-flight', this.#table.perFile * ENTRY_BYTES, ENTRY_BYTES, ++this.#lastTable);
  }

  #plan(kind: JournalFileKind, bodyLength: number, entryBytes: number, sequence: number): FilePlan {
    const hasChecksums = this.#isSynced && (kind === 'segment' || kind === 'logs');
    return {
      dir: this.dir,
      mapping: this.#mapping,
      header: { kind, bodyLength, sequence, writer: this.#identity, entryBytes, hasChecksums, ...this.#described },
    };
  }

  #growTable(): boolean {
    if (this.#isClosed || this.#table.files.length >= MAX_TABLES || this.#losses.isRefusing) return false;
    try {
      this.#table.add(JournalFileWriter.create(this.#tablePlan()));
      return true;
    } catch (error) {
      if (this.#goElsewhere(error)) return this.#growTable();
      this.#losses.refused(error);
      return false;
    }
  }

  /**
   * A process that has changed its user may make no more files in the directory. Those that it has open are
   * as good as before: its in-flight table and its vitals page stay where they are, where the shipper is that
   * hears how the process ended. What it makes from now on is in a directory of the new user's own.
   *
   * @returns whether there is one, other than the one that has refused a file
   */
  #goElsewhere(error: unknown): boolean {
    const { code } = error as NodeJS.ErrnoException;
    const uid = process.geteuid?.();
    if ((code !== 'EACCES' && code !== 'EPERM') || uid === this.#uid || this.#dirOfUser === undefined) return false;
    const dir = this.#dirOfUser();
    try {
      openDirectory(dir);
      if (this.#mapping !== undefined && whyNotToMap(dir) !== undefined) return false;
    } catch {
      // Said with what is lost by it.
      return false;
    }
    warn(
      'FORKTRACE_USER_CHANGED',
      `This process now runs as user ${uid}, who cannot create files in ${this.dir}. Its journal continues in ${dir}, with a shipper of that user.`,
    );
    this.#uid = uid;
    this.dir = dir;
    for (const losses of [this.#losses, this.#logLosses]) losses.dir = dir;
    this.#renewed?.(this.#identity.id, dir);
    return true;
  }

  /** Gives back what a burst has needed, one file at a time. */
  #shrinkTable(): void {
    const file = this.#table.shrink();
    if (file === undefined) return;
    this.#writeBack?.forget(this.#table.size);
    discardFile(file);
  }

  #renewLease(): void {
    this.#lookAtEnd();
    const now = Date.now();
    this.#spans.trim();
    this.#logs?.trim();
    this.#shrinkTable();
    this.#vitals?.touch();
    for (const file of this.#filesInUse()) {
      file.renewLease(now);
      file.isGone((gone) => {
        if (gone && !this.#isClosed) this.#replace(file);
      });
      try {
        if (this.#writeBack !== undefined) file.writeLease();
      } catch {
        // As with spans: tried again, and said when a span is lost by it.
      }
    }
  }

  /**
   * To the disk: tables before segments, so that a span that ends in between is in one of them; then the
   * names.
   */
  #sync(): void {
    this.flush();
    for (const file of this.#filesInUse()) file.sync();
    open(this.dir, 'r', (error, fd) => {
      if (error === null) fsync(fd, () => close(fd));
    });
  }

  #filesInUse(): JournalFileWriter[] {
    const files = [...this.#table.files];
    for (const { segment } of [this.#spans, ...(this.#logs ? [this.#logs] : [])]) if (segment) files.push(segment.file);
    return files;
  }

  /** Mapped files say so themselves: one load. Others have to be read, so only now and then. */
  #mayHaveBeenEnded(): boolean {
    if (this.#writeBack !== undefined) return this.#writeBack.isTimeToLook();
    const { segment } = this.#spans;
    return segment !== undefined && segment.file.words[AT_ENDED / 4]! > 0;
  }

  /**
   * Whether somebody has taken this writer for dead; then it goes on under another id, with all that nobody
   * has seen.
   */
  #lookAtEnd(): boolean {
    if (this.#isClosed || !this.#filesInUse().some((file) => file.ended() !== 0)) return false;
    this.#renew();
    for (let entry = 0; entry < this.#table.size; entry++) if (this.#table.isInFlight(entry)) this.#told.add(entry);
    warn(
      'FORKTRACE_WRITER_RENEWED',
      'A shipper took this process for dead, because the process was stopped or a clock was wrong: requests that were in flight have been reported as interrupted.',
    );
    return true;
  }

  /** Segments first: an entry that has ended is free then. */
  #renew(): void {
    this.#identity = newWriterIdentity(this.#identity.slot);
    this.#renewed?.(this.#identity.id, this.dir);
    this.#spans.renew();
    this.#logs?.renew();
    for (const [index, file] of [...this.#table.files].entries()) {
      this.#replaceTable(file, index);
      file.remove();
    }
    try {
      this.#vitals?.moveTo(JournalFileWriter.create(this.#plan('vitals', VITALS_BYTES, 0, 1)));
    } catch {
      // As in vitals().
    }
  }

  /**
   * Somebody has deleted a file in use, or the directory: what it held and was not shipped goes into a new
   * one.
   */
  #replace(file: JournalFileWriter): void {
    const index = this.#table.files.indexOf(file);
    if (index !== -1) this.#replaceTable(file, index);
    else {
      this.#spans.replace(file);
      this.#logs?.replace(file);
    }
  }

  #replaceTable(file: JournalFileWriter, index: number): void {
    try {
      const table = JournalFileWriter.create(this.#tablePlan());
      this.#table.copy(index, table);
      if (this.#writeBack !== undefined) table.writeRange(table.headerLength, table.length);
      this.#table.files[index] = table;
      file.release();
    } catch (error) {
      this.#losses.refused(error);
    }
  }
}

let note: Uint8Array | undefined;

/** The attribute, as a field of Span. */
function endedAfterInterruption(): Uint8Array {
  if (note === undefined) {
    const encoder = new Encoder();
    encoder.attribute(tags(Span).attributes, ENDED_AFTER_INTERRUPTION, true);
    note = encoder.copy();
  }
  return note;
}

/** @returns false when the item is lost, and counted */
function appendChunk(segments: SegmentWriter, scope: Memory, bytes: Uint8Array, start: number, end: number): boolean {
  const scopeLength = scope.bytes.length;
  const itemLength = end - start;
  const segment = segments.segmentFor(chunkLength(scopeLength, itemLength));
  if (segment === undefined) return false;
  const { memory } = segment;
  let at = beginChunk(memory.bytes, segment.position, scopeLength, itemLength);
  copyBytes(scope, 0, memory, at, scopeLength);
  at = beginSpanIn(memory.bytes, at + scopeLength, itemLength);
  copyBytes(asMemory(bytes), start, memory, at, itemLength);
  segment.commitTo(at + itemLength);
  return true;
}
