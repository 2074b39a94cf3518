import { fstatSync, renameSync, writeSync } from 'node:fs';
import { isSound } from '../wire/check.js';
import { type Memory, memoryOf } from '../wire/memory.js';
import { ResourceLogs, ResourceSpans } from '../wire/otlp.js';
import { CHECKSUM_BYTES, hasChecksum } from './checksum.js';
import { chunkLengthAt, countChunks, MAX_CHUNK_BYTES, MIN_CHUNK_BYTES, nextChunkTag } from './chunk.js';
import { AT_GIVEN_UP, AT_SEQUENCE, AT_SHIPPED, AT_WANTED, PAGE_BYTES, SPARE } from './format.js';
import { type JournalFile, removeFile } from './list-journal.js';
import { OpenFile, openFile, readFully, type Unsound } from './open-file.js';

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

/** The caller closes what this returns. `readOnly` files cannot store what has been shipped. */
export function openSegment(file: JournalFile, readOnly = false): SegmentReader | Unsound {
  return openFile(file, file.kind === 'logs' ? 'logs' : 'segment', SegmentReader, readOnly);
}
