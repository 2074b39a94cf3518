/**
 * The writer of a journal: what the tracer's encoder appends to.
 *
 * @module
 */
import { performance } from 'node:perf_hooks';
import { ForktraceError } from '../errors.js';
import { LossReport } from '../warn.js';
import { asMemory, copyBytes, type Memory, memoryOf } from '../wire/memory.js';
import {
  beginChunk,
  chunkLength,
  closeChunk,
  MAX_CHUNK_BYTES,
  MAX_OPEN_CHUNK,
  openChunk,
  spanStartIn,
} from './chunk.js';
import { availableBytes, whyNotToMap } from './file-system.js';
import {
  AT_COMMITTED,
  AT_SEALED,
  AT_SPANS,
  ENTRY_BYTES,
  headerLengthFor,
  type JournalFileKind,
  PAGE_BYTES,
  type WriterIdentity,
} from './format.js';
import { LEASE_RENEWAL_MS, newWriterIdentity } from './identity.js';
import { InFlightTable } from './in-flight-table.js';
import { makeRoom, openDirectory, removeUnfinishedFiles } from './journal-directory.js';
import { type FilePlan, JournalFileWriter, NoFile } from './journal-file.js';
import { mappingUnavailable } from './mapped-memory.js';
import { NO_ENTRY, type Room, type SpanLog } from './span-log.js';
import { WriteBack } from './write-back.js';

export interface JournalOptions {
  /** The service's own directory; made with mode 0700 if need be. */
  dir: string;
  /** OTLP-encoded Resource message, without tag and length. */
  resource: Uint8Array;
  slot?: number | undefined;
  /** @default 'auto': `mmap` where koffi and Linux are, else `write` */
  mode?: 'auto' | 'mmap' | 'write';
  /** Bytes of one segment, header included; a multiple of 4096. @default 1048576 (1 MiB) */
  segmentBytes?: number;
  /** Bytes that the directory may take, all writers together. @default 268435456 (256 MiB) */
  maxBytes?: number;
  /** Entries of one in-flight table file. @default 1024 */
  inFlight?: number;
}

/** Counters of one writer since it was opened. */
export interface JournalStats {
  mode: 'mmap' | 'write';
  /** Spans kept. */
  spans: number;
  /** Bytes of these. */
  bytes: number;
  /** Segments written to so far. */
  segments: number;
  /** Local-root spans in flight with an entry in the table. */
  inFlight: number;
  /** Local-root spans for which the table had no entry: a crash would not show them as interrupted. */
  untracked: number;
  /** Spans not kept, by cause. */
  lost: {
    total: number;
    /** The system had no space, memory or directory for another segment. */
    noSpace: number;
    /** Larger than `MAX_CHUNK_BYTES`. */
    tooLarge: number;
    /** In a segment that somebody deleted before it was shipped, and that was full before the writer noticed. */
    removed: number;
    /** Ended after the journal was closed. */
    closed: number;
    /** Unshipped spans, of any writer, that this writer deleted to stay within `maxBytes`. */
    dropped: number;
  };
}

/**
 * Sealed segments that stay mapped until the shipper gives them back. At full load about six are on their way: the shipper
 * gathers for 0.3 s.
 */
const MAX_RETIRED = 6;
/** Files of an in-flight table: 65,536 spans in flight with the default size of one. */
const MAX_TABLES = 64;
const DEFAULT_SEGMENT_BYTES = 1024 * 1024;
const DEFAULT_IN_FLIGHT = 1024;
/** Smaller ones are not worth their header. */
const MIN_SEGMENT_BYTES = 16 * 1024;
const MIN_IN_FLIGHT = 16;
const DEFAULT_MAX_BYTES = 256 * 1024 * 1024;
/** Between attempts to make a segment while the system refuses, in milliseconds. */
const RETRY_MS = 1_000;

/** What a worker or coordinator holds. Nothing here throws. */
export interface Journal extends SpanLog {
  readonly writerId: string;
  readonly mode: 'mmap' | 'write';
  readonly dir: string;
  stats(): JournalStats;
  /** `write` mode: everything appended so far is in the files when this returns. `mmap` mode: it always is. */
  flush(): void;
  /** Seals what has been written and lets go of all memory and files. What ends later is counted lost. */
  close(): void;
}

/**
 * Opens a journal of its own for this process (or worker thread) in `dir`.
 *
 * @throws ForktraceError FORKTRACE_JOURNAL_DIR when the directory cannot be used or has no room for the smallest segment,
 * FORKTRACE_JOURNAL_MMAP when `mode: 'mmap'` is asked for and not possible
 */
export function openJournal(options: JournalOptions): Journal {
  const mode = options.mode ?? 'auto';
  const unavailable = mode === 'write' ? 'not asked for' : mappingUnavailable();
  if (mode === 'mmap' && unavailable !== undefined) throw new ForktraceError('FORKTRACE_JOURNAL_MMAP', [unavailable]);
  let unsafe: string | undefined;
  try {
    openDirectory(options.dir);
    removeUnfinishedFiles(options.dir);
    if (unavailable === undefined) unsafe = whyNotToMap(options.dir);
  } catch (error) {
    if (error instanceof ForktraceError) throw error;
    throw new ForktraceError('FORKTRACE_JOURNAL_DIR', [options.dir, (error as Error).message], { cause: error });
  }
  if (mode === 'mmap' && unsafe !== undefined) throw new ForktraceError('FORKTRACE_JOURNAL_MMAP', [unsafe]);
  const available = availableBytes(options.dir);
  if (available < 2 * MIN_SEGMENT_BYTES) {
    throw new ForktraceError('FORKTRACE_JOURNAL_DIR', [options.dir, `there is no room, ${available} bytes are free`]);
  }
  const sized = within(available, options);
  const mapped = unavailable === undefined && unsafe === undefined;
  let journal = new JournalWriter(sized, mapped);
  if (journal.refusal !== undefined && mapped && mode === 'auto') {
    // A file system that reserves no space, or whose files cannot be mapped.
    journal.close();
    journal = new JournalWriter(sized, false);
  }
  if (journal.refusal === undefined) return journal;
  journal.close();
  throw new ForktraceError('FORKTRACE_JOURNAL_DIR', [options.dir, journal.refusal]);
}

/** Smaller files where the default ones would take more than an eighth of the space: several segments are in use at a time. */
function within(available: number, options: JournalOptions): JournalOptions {
  const share = available / 8;
  const segmentBytes = options.segmentBytes ?? DEFAULT_SEGMENT_BYTES;
  const inFlight = options.inFlight ?? DEFAULT_IN_FLIGHT;
  if (segmentBytes <= share && inFlight * ENTRY_BYTES <= share) return options;
  const most = 2 ** Math.floor(Math.log2(share));
  return {
    ...options,
    segmentBytes: Math.min(segmentBytes, Math.max(most, MIN_SEGMENT_BYTES)),
    inFlight: Math.min(inFlight, Math.max(most / ENTRY_BYTES, MIN_IN_FLIGHT)),
  };
}

class JournalWriter implements Journal {
  readonly dir: string;
  readonly mode: 'mmap' | 'write';
  readonly #identity: WriterIdentity;
  readonly #resource: Uint8Array;
  readonly #bodyLength: number;
  readonly #maxBytes: number;
  readonly #table: InFlightTable;
  /** `write` mode only. */
  readonly #writeBack: WriteBack | undefined;
  readonly #leaseTimer: NodeJS.Timeout;
  readonly #report = new LossReport(
    'FORKTRACE_JOURNAL_LOSS',
    (lost, reason) => `Spans lost: ${lost}, because ${reason}.`,
  );

  // The active segment; these change together. All positions count from the start of the file.
  #segment: JournalFileWriter | undefined;
  #bytes: Uint8Array = new Uint8Array(0);
  #memory = memoryOf(new Uint8Array(0));
  #words: Uint32Array = new Uint32Array(1024);
  #sequence = 0;
  #bodyAt = 0;
  #bodyEnd = 0;
  #position = 0;
  /** Where an append has to stop and think: half-way, where the next segment is prepared, and at the end. */
  #limit = 0;
  /** `#spans` when the segment was opened, and when it was last written back. */
  #spansBefore = 0;
  #spansWritten = 0;

  #prepared: JournalFileWriter | undefined;
  /** Sealed and still mapped, oldest first. */
  readonly #retired: JournalFileWriter[] = [];
  readonly #room: Room = { memory: this.#memory, start: 0, end: 0 };
  #preparing = false;
  #lastSequence = 0;
  #lastTable = 0;
  #retryAt = 0;
  #closed = false;

  #spans = 0;
  #closedBytes = 0;
  #segments = 0;
  #untracked = 0;
  readonly #lost = { noSpace: 0, tooLarge: 0, removed: 0, closed: 0, dropped: 0 };

  constructor(options: JournalOptions, mapped: boolean) {
    this.dir = options.dir;
    this.mode = mapped ? 'mmap' : 'write';
    this.#identity = newWriterIdentity(options.slot);
    this.#resource = options.resource.slice();
    const headerLength = headerLengthFor(this.#resource.length);
    this.#bodyLength = Math.max((options.segmentBytes ?? DEFAULT_SEGMENT_BYTES) - headerLength, PAGE_BYTES);
    this.#maxBytes = options.maxBytes ?? DEFAULT_MAX_BYTES;
    this.#table = new InFlightTable(options.inFlight ?? DEFAULT_IN_FLIGHT);
    if (!mapped) {
      this.#writeBack = new WriteBack(
        this.#table,
        () => this.#position,
        () => {
          this.#spansWritten = this.#spans;
        },
        (error) => this.#takeBack(error),
      );
    }
    this.#growTable();
    this.#openSegment();
    this.#leaseTimer = setInterval(() => this.#renewLease(), LEASE_RENEWAL_MS);
    this.#leaseTimer.unref();
  }

  get writerId(): string {
    return this.#identity.id;
  }

  /** Why there is no segment to write to; undefined when there is one. */
  get refusal(): string | undefined {
    return this.#segment === undefined ? this.#refusal : undefined;
  }

  reserve(scope: Memory): Room | undefined {
    const position = this.#position;
    if (spanStartIn(position, scope.bytes.length) + LITTLE_ROOM > this.#limit) return undefined;
    const room = this.#room;
    room.memory = this.#memory;
    room.start = openChunk(this.#memory, position, scope);
    room.end = Math.min(this.#limit, position + MAX_OPEN_CHUNK);
    return room;
  }

  commit(end: number): void {
    closeChunk(this.#memory, this.#position, this.#room.start, end);
    this.#commitTo(end);
  }

  append(scope: Memory, bytes: Uint8Array, start: number, end: number): void {
    const scopeLength = scope.bytes.length;
    const spanLength = end - start;
    const total = chunkLength(scopeLength, spanLength);
    if (this.#position + total > this.#limit && !this.#makeRoom(total)) return;

    const at = beginChunk(this.#memory, this.#position, scope, 0, scopeLength, spanLength);
    copyBytes(asMemory(bytes), start, this.#memory, at, spanLength);
    this.#commitTo(at + spanLength);
  }

  begin(scope: Memory, bytes: Uint8Array, start: number, end: number): number {
    let entry = this.#table.begin(scope, bytes, start, end);
    if (entry === NO_ENTRY) {
      if (!this.#growTable()) {
        this.#untracked++;
        return NO_ENTRY;
      }
      entry = this.#table.begin(scope, bytes, start, end);
    }
    if (this.#writeBack !== undefined) this.#writeBack.begin(entry);
    return entry;
  }

  amend(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (entry === NO_ENTRY || this.#closed || !this.#table.amend(entry, bytes, start, end)) return false;
    if (this.#writeBack !== undefined) this.#writeBack.changed(entry);
    return true;
  }

  finish(entry: number, bytes: Uint8Array, start: number, end: number, whole: boolean): void {
    if (entry === NO_ENTRY || this.#closed) {
      this.#lose('closed', 1, 'they ended after the journal was closed');
      return;
    }
    const table = this.#table;
    table.read(entry);
    const { data, scopeStart, fieldsStart } = table;
    const scopeLength = fieldsStart - scopeStart;
    const fieldsLength = whole ? 0 : table.fieldsEnd - fieldsStart;
    const spanLength = fieldsLength + end - start;
    const total = chunkLength(scopeLength, spanLength);
    if (this.#position + total > this.#limit && !this.#makeRoom(total)) {
      this.#release(entry, false);
      return;
    }

    const memory = this.#memory;
    let at = beginChunk(memory, this.#position, data, scopeStart, scopeLength, spanLength);
    copyBytes(data, fieldsStart, memory, at, fieldsLength);
    at += fieldsLength;
    copyBytes(asMemory(bytes), start, memory, at, end - start);
    at += end - start;
    // Dead before the commit: the mark is not reached, so the span was in flight. Dead after it: the mark says that it has ended.
    this.#table.mark(entry, this.#sequence, at - this.#bodyAt);
    this.#commitTo(at);
    this.#release(entry, true);
  }

  drop(entry: number): void {
    if (entry !== NO_ENTRY && !this.#closed) this.#release(entry, false);
  }

  flush(): void {
    this.#writeBack?.flush();
  }

  stats(): JournalStats {
    const { noSpace, tooLarge, removed, closed, dropped } = this.#lost;
    return {
      mode: this.mode,
      spans: this.#spans,
      bytes: this.#closedBytes + this.#position - this.#bodyAt,
      segments: this.#segments,
      inFlight: this.#table.used,
      untracked: this.#untracked,
      lost: { total: noSpace + tooLarge + removed + closed + dropped, ...this.#lost },
    };
  }

  close(): void {
    if (this.#closed) return;
    clearInterval(this.#leaseTimer);
    this.#writeBack?.flush();
    this.#closed = true;
    this.#sealSegment();
    for (const file of this.#retired) {
      file.want(false);
      file.removeSpare();
      file.release();
    }
    this.#retired.length = 0;
    if (this.#prepared !== undefined) discardFile(this.#prepared);
    this.#prepared = undefined;
    const inFlight = this.#table.used > 0;
    for (const file of this.#table.files) {
      if (inFlight) file.release();
      else discardFile(file);
    }
    this.#table.close();
    this.#writeBack?.close();
    this.#report.end();
  }

  #commitTo(position: number): void {
    this.#position = position;
    this.#spans++;
    // Atomic, 7 ns more than a plain store: a reader in another process must not see the length before the bytes (ARM).
    Atomics.store(this.#words, AT_COMMITTED / 4, position - this.#bodyAt);
    if (this.#writeBack !== undefined) this.#writeBack.schedule();
  }

  #release(entry: number, marked: boolean): void {
    if (this.#writeBack === undefined) this.#table.release(entry);
    else this.#writeBack.release(entry, marked);
  }

  /** @returns whether the active segment has room for a chunk of `total` bytes now; if not, the span is lost and counted */
  #makeRoom(total: number): boolean {
    if (this.#closed) {
      this.#lose('closed', 1, 'they ended after the journal was closed');
      return false;
    }
    if (total > MAX_CHUNK_BYTES) {
      this.#lose('tooLarge', 1, `a span has ${total} bytes, where ${MAX_CHUNK_BYTES} is the most`);
      return false;
    }
    if (this.#limit < this.#bodyEnd) {
      this.#limit = this.#bodyEnd;
      this.#prepareSegment();
      if (this.#position + total <= this.#limit) return true;
    }
    this.#sealSegment();
    if (this.#openSegment(total)) return true;
    this.#lose('noSpace', 1, this.#refusal);
    return false;
  }

  /** Makes the next segment while this one has room, so that no request waits for it. */
  #prepareSegment(): void {
    if (this.#preparing || this.#prepared !== undefined) return;
    this.#preparing = true;
    setImmediate(() => {
      if (this.#closed) return;
      this.#prepared = this.#takeSpare();
      if (this.#prepared !== undefined) {
        this.#preparing = false;
        return;
      }
      this.#keepBound(this.#bodyLength);
      JournalFileWriter.prepare(this.#segmentPlan(), (result) => {
        this.#preparing = false;
        // If it was refused, the rotation tries again and says why.
        if (result instanceof NoFile) return;
        if (this.#closed) discardFile(result);
        else this.#prepared = result;
      });
    }).unref();
  }

  /** @returns false when the system refuses, or has just done so */
  #openSegment(chunkBytes = 0): boolean {
    // A chunk that is larger than a segment gets a larger one, which goes on as any other.
    const bodyLength = chunkBytes <= this.#bodyLength ? this.#bodyLength : this.#largeBodyFor(chunkBytes);
    let segment = bodyLength === this.#bodyLength ? this.#prepared : undefined;
    if (segment !== undefined) this.#prepared = undefined;
    if (segment?.isDeletedNow()) {
      segment.release();
      segment = undefined;
    }
    if (segment === undefined && bodyLength === this.#bodyLength) segment = this.#takeSpare();
    if (segment === undefined) {
      if (performance.now() < this.#retryAt) return false;
      this.#keepBound(bodyLength);
      try {
        segment = JournalFileWriter.create(this.#segmentPlan(bodyLength));
      } catch (error) {
        this.#refused(error);
        return false;
      }
    }
    this.#segments++;
    this.#segment = segment;
    this.#bytes = segment.bytes;
    this.#memory = segment.memory;
    this.#words = segment.words;
    this.#sequence = segment.sequence;
    this.#bodyAt = segment.headerLength;
    this.#position = segment.headerLength;
    this.#bodyEnd = segment.length;
    this.#limit = segment.headerLength + (bodyLength >> 1);
    if (segment.headerLength + chunkBytes > this.#limit) {
      this.#limit = this.#bodyEnd;
      this.#prepareSegment();
    }
    this.#spansBefore = this.#spans;
    this.#spansWritten = this.#spans;
    this.#writeBack?.use(segment, this.#position);
    return true;
  }

  #sealSegment(): void {
    const segment = this.#segment;
    if (segment === undefined) return;
    this.#writeBack?.flush();
    if (this.#position === this.#bodyAt) {
      segment.remove();
    } else {
      if (segment.isDeletedNow() && segment.shipped() < this.#position - this.#bodyAt) {
        this.#lose('removed', this.#spans - this.#spansBefore, `${segment.path} was removed`);
      }
      if (this.#canRetire(segment)) {
        segment.want(true);
        this.#retired.push(segment);
      }
      this.#words[AT_SPANS / 4] = this.#spans - this.#spansBefore;
      Atomics.store(this.#words, AT_SEALED / 4, 1);
      try {
        if (this.#writeBack !== undefined) segment.writeState();
      } catch {
        // The shipper finishes it when this writer is dead.
      }
    }
    this.#closedBytes += this.#position - this.#bodyAt;
    this.#leaveSegment(segment);
  }

  #canRetire(segment: JournalFileWriter): boolean {
    return (
      this.#writeBack === undefined &&
      !this.#closed &&
      segment.length - segment.headerLength === this.#bodyLength &&
      this.#retired.length < MAX_RETIRED
    );
  }

  /** The oldest retired segment that the shipper has given back, made the next one. */
  #takeSpare(): JournalFileWriter | undefined {
    const plan = this.#plan('segment', this.#bodyLength, 0, this.#lastSequence + 1);
    for (const file of [...this.#retired]) {
      let isTaken = false;
      let isLost = file.isDeletedNow();
      try {
        isTaken = !isLost && file.refill(plan);
      } catch {
        isLost = true;
      }
      if (isTaken || isLost) this.#retired.splice(this.#retired.indexOf(file), 1);
      if (isLost) file.release();
      if (isTaken) {
        this.#lastSequence++;
        return file;
      }
    }
    return undefined;
  }

  /** Keeps one spare file; what a burst needed beyond that goes, one file at a time. */
  #trimSpares(): void {
    const spares = this.#retired.filter((file) => file.isSpare());
    const [, excess] = spares;
    if (excess === undefined || !excess.removeSpare()) return;
    this.#retired.splice(this.#retired.indexOf(excess), 1);
    excess.release();
  }

  #leaveSegment(segment: JournalFileWriter): void {
    if (!this.#retired.includes(segment)) segment.release();
    this.#segment = undefined;
    this.#bytes = new Uint8Array(0);
    this.#memory = memoryOf(this.#bytes);
    this.#words = new Uint32Array(1024);
    this.#bodyAt = 0;
    this.#bodyEnd = 0;
    this.#position = 0;
    this.#limit = 0;
    this.#writeBack?.use(undefined, 0);
  }

  /** File lengths are powers of two, so that few sizes of window are in use. */
  #largeBodyFor(chunkBytes: number): number {
    const headerLength = headerLengthFor(this.#resource.length);
    return 2 ** Math.ceil(Math.log2(headerLength + chunkBytes)) - headerLength;
  }

  /** `write` mode: what the file did not take is lost; the next span takes its place. */
  #takeBack(error: Error): void {
    if (this.#segment === undefined || this.#writeBack === undefined) return;
    const lost = this.#spans - this.#spansWritten;
    this.#position = this.#writeBack.written;
    this.#words[AT_COMMITTED / 4] = this.#position - this.#bodyAt;
    this.#spans -= lost;
    this.#refused(error);
    if (lost > 0) this.#lose('noSpace', lost, this.#refusal);
  }

  #refusal = 'there is no segment';

  #refused(error: unknown): void {
    const { code, message } = error as NodeJS.ErrnoException;
    this.#retryAt = performance.now() + RETRY_MS;
    this.#refusal = `there is no room in ${this.dir} (${code ?? message})`;
  }

  #lose(cause: Exclude<keyof JournalStats['lost'], 'total'>, spans: number, reason: string): void {
    this.#lost[cause] += spans;
    this.#report.add(spans, reason);
  }

  #keepBound(wanted: number): void {
    try {
      const { spans } = makeRoom(this.dir, wanted, this.#maxBytes);
      if (spans > 0)
        this.#lose('dropped', spans, `${this.dir} may hold ${this.#maxBytes} bytes and has not been shipped`);
    } catch {
      // Another writer has the same right; making the file says what is wrong.
    }
  }

  #segmentPlan(bodyLength = this.#bodyLength): FilePlan {
    return this.#plan('segment', bodyLength, 0, ++this.#lastSequence);
  }

  #tablePlan(): FilePlan {
    return this.#plan('in-flight', this.#table.perFile * ENTRY_BYTES, ENTRY_BYTES, ++this.#lastTable);
  }

  #plan(kind: JournalFileKind, bodyLength: number, entryBytes: number, sequence: number): FilePlan {
    return {
      dir: this.dir,
      mapped: this.#writeBack === undefined,
      header: { kind, bodyLength, sequence, writer: this.#identity, entryBytes, resource: this.#resource },
    };
  }

  #growTable(): boolean {
    if (this.#closed || this.#table.files.length >= MAX_TABLES || performance.now() < this.#retryAt) return false;
    try {
      this.#table.add(JournalFileWriter.create(this.#tablePlan()));
      return true;
    } catch (error) {
      this.#refused(error);
      return false;
    }
  }

  #renewLease(): void {
    const now = Date.now();
    this.#trimSpares();
    const files = [...this.#table.files];
    if (this.#segment !== undefined) files.push(this.#segment);
    for (const file of files) {
      file.renewLease(now);
      file.isDeleted((deleted) => {
        if (deleted && !this.#closed) this.#replace(file);
      });
      try {
        if (this.#writeBack !== undefined) file.writeState();
      } catch {
        // As with spans: tried again, and said when a span is lost by it.
      }
    }
  }

  /** Somebody has deleted a file in use, or the directory: what it held and was not shipped goes into a new one. */
  #replace(file: JournalFileWriter): void {
    const index = this.#table.files.indexOf(file);
    if (index !== -1) this.#replaceTable(file, index);
    else if (file === this.#segment) this.#replaceSegment(file);
  }

  #replaceTable(file: JournalFileWriter, index: number): void {
    try {
      const table = JournalFileWriter.create(this.#tablePlan());
      table.bytes.set(file.bytes.subarray(file.headerLength), table.headerLength);
      if (this.#writeBack !== undefined) table.writeRange(table.headerLength, table.length);
      this.#table.files[index] = table;
      file.release();
    } catch (error) {
      this.#refused(error);
    }
  }

  #replaceSegment(file: JournalFileWriter): void {
    this.#writeBack?.flush();
    const shipped = Math.min(this.#bodyAt + file.shipped(), this.#position);
    const unshipped = this.#bytes.slice(shipped, this.#position);
    const spans = this.#spans - this.#spansBefore;
    this.#closedBytes += shipped - this.#bodyAt;
    this.#leaveSegment(file);
    if (!this.#openSegment(unshipped.length)) {
      // Not all of them, if some had been shipped before.
      this.#lose('noSpace', spans, this.#refusal);
      return;
    }
    if (unshipped.length === 0) return;
    this.#bytes.set(unshipped, this.#position);
    this.#position += unshipped.length;
    // The header's count is that of all spans or 0, for not known.
    this.#spansBefore = shipped === this.#bodyAt ? this.#spans - spans : this.#spans;
    Atomics.store(this.#words, AT_COMMITTED / 4, this.#position - this.#bodyAt);
    this.#writeBack?.flush();
  }
}

/** Most spans are smaller. */
const LITTLE_ROOM = 512;

function discardFile(file: JournalFileWriter): void {
  file.remove();
  file.release();
}
