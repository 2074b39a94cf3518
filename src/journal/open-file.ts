/**
 * An open file of a journal, whoever wrote it and however that ended. Nothing here trusts a file: each
 * function reports what is not sound and never throws for what is in a file, nor follows a symbolic link, nor
 * blocks on a pipe.
 *
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import {
  AT_COMMITTED,
  AT_ENDED,
  AT_LEASE,
  AT_LEASE_MONOTONIC,
  AT_SEALED,
  AT_SHIPPED,
  AT_SPANS,
  decodeHeader,
  headerLengthOf,
  type JournalFileKind,
  type JournalHeader,
  PAGE_BYTES,
  SHIPPER_FIELDS_END,
  type UnsoundReason,
  WRITER_FIELDS,
} from './format.js';
import { isWriterDead } from './identity.js';
import { type JournalFile, removeFile } from './list-journal.js';

/**
 * Opening a pipe that somebody put there would wait for ever. Windows has neither flag: undefined counts as 0
 * between these operators.
 */
export const OPEN_SAFELY = constants.O_NOFOLLOW | constants.O_NONBLOCK;

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
export class OpenFile {
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

const OPEN_ERRORS: Record<string, UnsoundReason> = {
  ENOENT: 'gone',
  ELOOP: 'not-a-file',
  EISDIR: 'not-a-file',
  EMFILE: 'no-resources',
  ENFILE: 'no-resources',
  ENOMEM: 'no-resources',
};

export function openFile<T>(
  file: JournalFile,
  kind: JournalFileKind,
  Reader: new (path: string, fd: number, header: JournalHeader) => T,
  readOnly: boolean,
): T | Unsound {
  let fd: number;
  try {
    const access = readOnly ? constants.O_RDONLY : constants.O_RDWR;
    fd = openSync(file.path, access | OPEN_SAFELY);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { path: file.path, unsound: OPEN_ERRORS[String(code)] ?? 'unreadable' };
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

/** Whether a file of any kind, under whatever name, is of a writer that is dead. Never throws. */
export function isOfDeadWriter(path: string, writerId: string): boolean {
  try {
    const fd = openSync(path, constants.O_RDONLY | OPEN_SAFELY);
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

/** Bytes read: fewer than asked for only at the end of the file. */
export function readFully(fd: number, bytes: Uint8Array, position: number): number {
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(fd, bytes, done, bytes.length - done, position + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}
