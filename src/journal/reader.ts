/**
 * Reads journals, whoever wrote them and however they ended. Nothing here trusts a file: each function
 * reports what is not sound and never throws for what is in a file, nor follows a symbolic link, nor blocks
 * on a pipe.
 *
 * @module
 */
import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { isSound } from '../wire/check.js';
import { type Memory, memoryOf } from '../wire/memory.js';
import { ResourceLogs, ResourceSpans } from '../wire/otlp.js';
import { CHECKSUM_BYTES, hasChecksum } from './checksum.js';
import { chunkLengthAt, countChunks, MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, nextChunkTag } from './chunk.js';
import {
  AT_COMMITTED,
  AT_ENDED,
  AT_GIVEN_UP,
  AT_LEASE,
  AT_LEASE_MONOTONIC,
  AT_SEALED,
  AT_SEQUENCE,
  AT_SHIPPED,
  AT_SPANS,
  AT_WANTED,
  decodeHeader,
  ENTRY_DATA,
  ENTRY_LENGTH,
  ENTRY_MARK_END,
  ENTRY_MARK_SEGMENT,
  ENTRY_SCOPE_END,
  ENTRY_STARTED,
  ENTRY_STATE,
  headerLengthOf,
  type JournalFileKind,
  type JournalHeader,
  PAGE_BYTES,
  parseFileName,
  SHIPPER_FIELDS_END,
  SPARE,
  type UnsoundReason,
  WRITER_FIELDS,
} from './format.js';
import { isWriterDead } from './identity.js';

/** A file of a journal directory, by its name alone. */
export interface JournalFile {
  path: string;
  name: string;
  kind: JournalFileKind;
  writerId: string;
  sequence: number;
}

/**
 * The files of a directory that have a journal's name, in order of writer and sequence. Empty when there is
 * no directory.
 */
export function listJournal(dir: string): JournalFile[] {
  let names: string[];
  try {
    names = readdirSync(dir);
  } catch {
    return [];
  }
  const files: JournalFile[] = [];
  for (const name of names) {
    const parsed = parseFileName(name);
    if (parsed !== undefined) files.push({ path: join(dir, name), name, ...parsed });
  }
  return files.sort((a, b) => (a.writerId === b.writerId ? a.sequence - b.sequence : a.writerId < b.writerId ? -1 : 1));
}

/** A file, or a part of it, that cannot be read. */
export interface Unsound {
  path: string;
  unsound: UnsoundReason;
}

export function isUnsound(value: object): value is Unsound {
  return 'unsound' in value;
}

/** The part of a header that changes while the file is in use. */
export interface FileState {
  /** Bytes of the body that are whole and final; never more than the file has. */
  committed: number;
  /** Bytes of the body that have been delivered; never more than `committed`. */
  shipped: number;
  /** Nothing will be added. */
  sealed: boolean;
  /** Spans or log records in a sealed segment; 0 when not known. */
  spans: number;
  /** When the writer was last known to be alive, in milliseconds since the epoch. */
  leaseMs: number;
  /** The same moment by the monotonic clock of the writer's machine. */
  leaseMonotonicMs: number;
  /** The committed length cannot be right: it was more than the file holds and has been cut. */
  cut: boolean;
}

const STATE_BYTES = SHIPPER_FIELDS_END - WRITER_FIELDS;

/** An open file with a sound header. */
class OpenFile {
  readonly path: string;
  readonly header: JournalHeader;
  protected readonly fd: number;
  #first = Buffer.alloc(STATE_BYTES);
  #second = Buffer.alloc(STATE_BYTES);
  /** `#first` is what an earlier look has found. */
  #hasRead = false;

  /** @internal */
  constructor(path: string, fd: number, header: JournalHeader) {
    this.path = path;
    this.fd = fd;
    this.header = header;
  }

  /** Reads the mutable part of the header as it is now. */
  state(): FileState {
    // A read races with the writer's stores; two equal reads in a row have not been torn by one.
    for (let attempt = 0; attempt < 8; attempt++) {
      readFully(this.fd, this.#second, WRITER_FIELDS);
      const equal = (attempt > 0 || this.#hasRead) && this.#first.equals(this.#second);
      [this.#first, this.#second] = [this.#second, this.#first];
      if (equal) break;
    }
    this.#hasRead = true;
    const bytes = this.#first;
    const fileBytes = Math.min(fstatSync(this.fd).size - this.header.headerLength, this.header.bodyLength);
    const stored = bytes.readUInt32LE(AT_COMMITTED - WRITER_FIELDS);
    const ended = bytes.readUInt32LE(AT_ENDED - WRITER_FIELDS);
    const whole = Math.max(0, Math.min(stored, fileBytes));
    const committed = ended === 0 ? whole : Math.min(whole, ended - 1);
    return {
      committed,
      shipped: Math.min(bytes.readUInt32LE(AT_SHIPPED - WRITER_FIELDS), committed),
      sealed: ended !== 0 || bytes.readUInt32LE(AT_SEALED - WRITER_FIELDS) === 1,
      spans: ended === 0 ? bytes.readUInt32LE(AT_SPANS - WRITER_FIELDS) : 0,
      leaseMs: bytes.readDoubleLE(AT_LEASE - WRITER_FIELDS),
      leaseMonotonicMs: bytes.readDoubleLE(AT_LEASE_MONOTONIC - WRITER_FIELDS),
      cut: whole !== stored,
    };
  }

  /**
   * Says that the writer has been taken for dead: what is committed now is all that counts. A writer that
   * lives after all finds that, and goes on under another id.
   *
   * @throws with the system's error
   */
  endWriter(): void {
    const bytes = Buffer.alloc(4);
    readFully(this.fd, bytes, AT_ENDED);
    if (bytes.readUInt32LE() !== 0) return;
    bytes.writeUInt32LE(this.state().committed + 1);
    writeSync(this.fd, bytes, 0, 4, AT_ENDED);
  }

  /** See {@link isWriterDead}; by this file's lease. */
  writerIsDead(): boolean {
    return isWriterDead(this.header.writer, this.state().leaseMs);
  }

  close(): void {
    closeSync(this.fd);
  }

  /** Deletes the file, which stays readable until it is closed. @returns false when it was gone already */
  remove(): boolean {
    return removeFile(this.path);
  }
}

/** Whole chunks of a segment: `scope_spans` or `scope_logs` fields back to back. */
export interface Chunks {
  /** In the memory that was given, or else the caller's own. */
  bytes: Uint8Array;
  /** Where in the body to read on. */
  next: number;
  /** The bytes at `next` are no whole chunk: see {@link SegmentReader.soundAfter}. */
  corrupt: boolean;
}

/** Zeros at the edge of a page that are no accident. */
const EMPTY_BYTES = 16;

const COUNT_BYTES = 256 * 1024;
/** Places that cannot be read, after which counting ends: what is left of such a file is little. */
const COUNT_SEARCHES = 64;

/** How far one search for the next sound chunk goes. */
const SEARCH_BYTES = 1024 * 1024;
/**
 * Bytes of all that looked like a chunk in one search: those that overlap are looked into more than once, and
 * bytes can be such that each of a million places starts a chunk of megabytes.
 */
const SEARCH_LOOKS_BYTES = 2 * MAX_CHUNK_BYTES;

/** One segment, open for reading. */
export class SegmentReader extends OpenFile {
  /** Bytes of the checksum behind each chunk, or 0. */
  get trailer(): number {
    return this.header.hasChecksums ? CHECKSUM_BYTES : 0;
  }

  /**
   * Reads whole chunks of the body from `from` up to `committed` (of {@link state}): as many as fit in
   * `maxBytes`, but one at least. Empty `bytes` means: nothing more, or `corrupt`.
   *
   * @param memory where to read into if it is large enough; allocated otherwise
   * @param verify looks into each chunk for what a machine that went down leaves of it; for writers that are
   * dead
   */
  read(from: number, committed: number, maxBytes: number, memory?: Buffer, verify = false): Chunks {
    const { trailer } = this;
    const available = Math.min(committed, this.header.bodyLength) - from;
    let wanted = Math.min(available, Math.max(maxBytes, PAGE_BYTES));
    for (;;) {
      const bytes = this.#bytes(from, wanted, memory);
      const contents = verify ? memoryOf(bytes) : undefined;
      let whole = 0;
      let isDamaged = false;
      let length = chunkLengthAt(bytes, 0, bytes.length, trailer);
      while (length > 0 && whole + length <= bytes.length) {
        isDamaged = contents !== undefined && !this.#isWhole(contents, whole, whole + length, from);
        if (isDamaged) break;
        whole += length;
        length = chunkLengthAt(bytes, whole, bytes.length, trailer);
      }
      const cutOff = bytes.length < wanted || (wanted === available && whole < bytes.length);
      const corrupt = isDamaged || length === -1 || cutOff || whole + length > Math.max(available, 0);
      if (whole > 0 || corrupt || available <= 0)
        return { bytes: bytes.subarray(0, whole), next: from + whole, corrupt };
      // The first chunk alone is larger than maxBytes.
      wanted = length;
    }
  }

  /**
   * Where to read on behind a place where {@link read} found no chunk: at the next sound one, or where the
   * search ended without one. It costs a bounded time, whatever the bytes are.
   */
  soundAfter(from: number, committed: number): number {
    const available = Math.min(committed, this.header.bodyLength) - from;
    const message = this.header.kind === 'logs' ? ResourceLogs : ResourceSpans;
    // With the length of a chunk that starts at the end.
    let bytes = this.#bytes(from, Math.min(available, SEARCH_BYTES + PAGE_BYTES), undefined);
    let contents = memoryOf(bytes);
    let isAll = bytes.length === available;
    let looks = SEARCH_LOOKS_BYTES;
    for (let at = nextChunkTag(bytes, 1); at !== -1 && at < SEARCH_BYTES; at = nextChunkTag(bytes, at + 1)) {
      const length = chunkLengthAt(bytes, at, bytes.length, this.trailer);
      const end = at + length;
      if (length <= 0 || end > available) continue;
      looks -= length;
      if (looks < 0) break;
      if (end > bytes.length && !isAll) {
        bytes = this.#bytes(from, Math.min(available, SEARCH_BYTES + PAGE_BYTES + MAX_CHUNK_BYTES), undefined);
        contents = memoryOf(bytes);
        isAll = true;
      }
      if (end > bytes.length || !this.#isWhole(contents, at, end, from)) continue;
      if (this.trailer > 0) return from + at;
      // Nothing says where a chunk starts: it is one if it reads as one, and another follows, or nothing.
      if (isSound(bytes, message, at, end) && chunkLengthAt(bytes, end, bytes.length) !== -1) return from + at;
    }
    return available > SEARCH_BYTES ? from + SEARCH_BYTES : committed;
  }

  /** Whether the chunk `bytes[start..end)`, of bytes at `from` of the body, is as it was written. */
  #isWhole(contents: Memory, start: number, end: number, from: number): boolean {
    if (this.trailer > 0) return hasChecksum(contents, start, end, this.header.sequence);
    // A page that never reached the disk is empty; no span has so many bytes of that at the edge of a page.
    for (let page = PAGE_BYTES * Math.floor((from + start) / PAGE_BYTES) - from; page < end; page += PAGE_BYTES) {
      const part = contents.bytes.subarray(Math.max(page, start), Math.min(page + PAGE_BYTES, end));
      if (part.length >= EMPTY_BYTES && part.every((byte) => byte === 0)) return false;
    }
    return true;
  }

  /** Stores how much has been delivered; kept when this process or the machine's shipper dies. */
  storeShipped(shipped: number): void {
    // Another shipper took over while this one was suspended, and has given the file back.
    if (this.isRefilled()) return;
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(shipped);
    writeSync(this.fd, bytes, 0, 4, AT_SHIPPED);
  }

  /**
   * Hands a sealed segment that has been shipped over to its writer, if that has asked for it: under another
   * name, which no reader looks at. Nothing but {@link close} may follow.
   *
   * @returns false when the writer has not asked: the file is to be removed then
   */
  giveBack(): boolean {
    if (this.#word(AT_WANTED) !== 1) return false;
    try {
      renameSync(this.path, this.path + SPARE);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
      throw error;
    }
    // A writer that closes says that it wants no more, then deletes the spare files that there are: one of us
    // sees the other's doing.
    if (this.#word(AT_WANTED) !== 1) removeFile(this.path + SPARE);
    return true;
  }

  /**
   * Says that what is not shipped of the file has been counted, before it is deleted for room.
   * @throws with the system's error
   */
  giveUp(): void {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(1);
    writeSync(this.fd, bytes, 0, 4, AT_GIVEN_UP);
  }

  /**
   * Whether a stranger has deleted the file, with what nobody else knows of: it can still be read here, and
   * here alone. `isMoved`: likewise, as its directory has been moved or unmounted.
   */
  isLastCopy(isMoved = false): boolean {
    return (isMoved || fstatSync(this.fd).nlink === 0) && this.#word(AT_GIVEN_UP) === 0 && !this.isRefilled();
  }

  /** The writer has made another segment of the file: what has been read since is that one's. */
  isRefilled(): boolean {
    return this.#word(AT_SEQUENCE) !== this.header.sequence;
  }

  /** A u32 of the header as it is now. */
  #word(at: number): number {
    const bytes = Buffer.alloc(4);
    readFully(this.fd, bytes, at);
    return bytes.readUInt32LE();
  }

  /**
   * Spans or log records that are committed and not shipped; fewer where much of the file cannot be read.
   * Walks the chunks unless the header knows.
   */
  countUnshipped(): number {
    const { committed, shipped, sealed, spans } = this.state();
    if (sealed && shipped === 0 && spans > 0 && spans <= committed / MIN_CHUNK_BYTES) return spans;
    let count = 0;
    for (let from = shipped, searches = 0; from < committed && searches < COUNT_SEARCHES; ) {
      const { bytes, next, corrupt } = this.read(from, committed, COUNT_BYTES);
      count += countChunks(bytes, this.trailer);
      from = corrupt ? this.soundAfter(next, committed) : next;
      if (corrupt) searches++;
    }
    return count;
  }

  #bytes(from: number, length: number, memory: Buffer | undefined): Buffer {
    if (length <= 0) return Buffer.alloc(0);
    const bytes =
      memory !== undefined && memory.length >= length ? memory.subarray(0, length) : Buffer.allocUnsafe(length);
    return bytes.subarray(0, readFully(this.fd, bytes, this.header.headerLength + from));
  }
}

/** A local-root span that had started and not ended. */
export interface InFlightEntry {
  index: number;
  /** When it started, by the monotonic clock of the writer's machine, as a word; 0: not known. */
  started: number;
  /** `ScopeSpans.scope` field with tag and length; may be empty. */
  scope: Uint8Array;
  /**
   * Bare fields of the Span message. A later field wins over an earlier one of the same number, if it is not
   * repeated.
   */
  fields: Uint8Array;
  /**
   * The writer was about to end the span when it died: it has ended if the segment has that many committed
   * bytes, or is gone.
   */
  mark: { segment: number; end: number } | undefined;
}

/** One in-flight table, open for reading. */
export class TableReader extends OpenFile {
  /** All entries in use, sound ones only, marked ones too: see {@link interruptedEntries}. */
  entries(): { entries: InFlightEntry[]; unsound: number } {
    const { headerLength, bodyLength, entryBytes } = this.header;
    const available = Math.min(bodyLength, fstatSync(this.fd).size - headerLength, MAX_TABLE_BYTES);
    const bytes = Buffer.alloc(Math.max(0, available));
    const length = readFully(this.fd, bytes, headerLength);
    const entries: InFlightEntry[] = [];
    let unsound = 0;
    for (let at = 0, index = 0; at + entryBytes <= length; at += entryBytes, index++) {
      const state = bytes.readUInt32LE(at + ENTRY_STATE);
      if (state === 0) continue;
      const dataLength = bytes.readUInt32LE(at + ENTRY_LENGTH);
      const scopeEnd = bytes.readUInt32LE(at + ENTRY_SCOPE_END);
      if (state !== 1 || dataLength > entryBytes - ENTRY_DATA || scopeEnd > dataLength) {
        unsound++;
        continue;
      }
      const segment = bytes.readUInt32LE(at + ENTRY_MARK_SEGMENT);
      const data = at + ENTRY_DATA;
      entries.push({
        index,
        started: bytes.readUInt32LE(at + ENTRY_STARTED),
        scope: bytes.subarray(data, data + scopeEnd),
        fields: bytes.subarray(data + scopeEnd, data + dataLength),
        mark: segment === 0 ? undefined : { segment, end: bytes.readUInt32LE(at + ENTRY_MARK_END) },
      });
    }
    return { entries, unsound };
  }
}

/** No writer makes a larger one. */
const MAX_TABLE_BYTES = 64 * 1024 * 1024;

/**
 * The entries of a dead writer whose spans have not ended.
 *
 * Call this before the writer's unsealed segments are deleted: a segment that is not there counts as one that
 * was committed, shipped and deleted.
 *
 * @param committedOf committed length of the writer's segment with this sequence, `undefined` if there is
 * none
 */
export function interruptedEntries(
  entries: readonly InFlightEntry[],
  committedOf: (sequence: number) => number | undefined,
): InFlightEntry[] {
  return entries.filter(({ mark }) => {
    if (mark === undefined) return true;
    const committed = committedOf(mark.segment);
    return committed !== undefined && committed < mark.end;
  });
}

/** The caller closes what this returns. `readOnly` files cannot store what has been shipped. */
export function openSegment(file: JournalFile, readOnly = false): SegmentReader | Unsound {
  return open(file, file.kind === 'logs' ? 'logs' : 'segment', SegmentReader, readOnly);
}

/** The caller closes what this returns. */
export function openTable(file: JournalFile, readOnly = true): TableReader | Unsound {
  return open(file, 'in-flight', TableReader, readOnly);
}

/** Whether a file of any kind, under whatever name, is of a writer that is dead. Never throws. */
export function isOfDeadWriter(path: string, writerId: string): boolean {
  try {
    const fd = openSync(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    try {
      const header = headerIn(fd);
      if (typeof header === 'string' || header.writer.id !== writerId) return false;
      const fields = Buffer.alloc(8);
      readFully(fd, fields, AT_LEASE);
      return isWriterDead(header.writer, Math.max(fields.readDoubleLE(), fstatSync(fd).mtimeMs));
    } finally {
      closeSync(fd);
    }
  } catch {
    return false;
  }
}

/** Deletes a file of the journal. @returns false when it was gone already */
export function removeFile(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

const OPEN_ERRORS: Record<string, UnsoundReason> = {
  ENOENT: 'gone',
  ELOOP: 'not-a-file',
  EISDIR: 'not-a-file',
  EMFILE: 'no-resources',
  ENFILE: 'no-resources',
  ENOMEM: 'no-resources',
};

function open<T>(
  file: JournalFile,
  kind: JournalFileKind,
  Reader: new (path: string, fd: number, header: JournalHeader) => T,
  readOnly: boolean,
): T | Unsound {
  let fd: number;
  try {
    // O_NONBLOCK: opening a pipe that somebody put there would wait for ever.
    const access = readOnly ? constants.O_RDONLY : constants.O_RDWR;
    fd = openSync(file.path, access | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { path: file.path, unsound: OPEN_ERRORS[code ?? ''] ?? 'unreadable' };
  }
  let header: JournalHeader | UnsoundReason;
  try {
    header = readHeader(fd, file, kind);
  } catch {
    header = 'unreadable';
  }
  if (typeof header !== 'string') return new Reader(file.path, fd, header);
  closeSync(fd);
  return { path: file.path, unsound: header };
}

function readHeader(fd: number, file: JournalFile, kind: JournalFileKind): JournalHeader | UnsoundReason {
  const header = headerIn(fd);
  if (typeof header === 'string') return header;
  // A copy under another name would be shipped twice, or as another writer's.
  const named = header.kind === kind && header.writer.id === file.writerId && header.sequence === file.sequence;
  return named ? header : 'misnamed';
}

function headerIn(fd: number): JournalHeader | UnsoundReason {
  if (!fstatSync(fd).isFile()) return 'not-a-file';
  let bytes = Buffer.alloc(PAGE_BYTES);
  bytes = bytes.subarray(0, readFully(fd, bytes, 0));
  const length = headerLengthOf(bytes);
  if (typeof length === 'string') return length;
  if (length > bytes.length) {
    bytes = Buffer.alloc(length);
    bytes = bytes.subarray(0, readFully(fd, bytes, 0));
  }
  return decodeHeader(bytes);
}

/** Bytes read: fewer than asked for only at the end of the file. */
function readFully(fd: number, bytes: Uint8Array, position: number): number {
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(fd, bytes, done, bytes.length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}
