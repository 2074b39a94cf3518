/**
 * One file of a journal while it is being written: its bytes at hand as memory, either mapped or copied to
 * the file later.
 *
 * @module
 */
import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  fstat,
  fstatSync,
  futimes,
  readSync,
  renameSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { Memory } from '../wire/memory.js';
import { FileMemory } from './file-memory.js';
import {
  AT_COMMITTED,
  AT_ENDED,
  AT_GIVEN_UP,
  AT_LEASE,
  AT_LEASE_MONOTONIC,
  AT_SEALED,
  AT_SHIPPED,
  AT_SPANS,
  AT_WANTED,
  encodeHeader,
  fileName,
  type JournalHeader,
  SHIPPER_FIELDS_END,
  SPARE,
  UNFINISHED,
  WRITER_FIELDS,
  WRITER_FIELDS_END,
} from './format.js';
import { removeFile } from './list-journal.js';
import type { FileWindow, Mapping } from './mapped-memory.js';
import { monotonicAt } from './monotonic.js';
import { NoFile, noFile, openNew, writeAll } from './new-file.js';
import { askWhetherMoved, hasMoved, type Place, placeOf } from './place.js';
import { errorName } from './system-error.js';

/** What a file is made of. */
export interface FilePlan {
  dir: string;
  /** undefined: the file is written, not mapped. */
  mapping: Mapping | undefined;
  header: Omit<JournalHeader, 'headerLength' | 'createdMs'>;
}

/** Of a file that is not complete yet, or not any more. */
const NOTHING = new FileMemory(new ArrayBuffer(0));

/**
 * Memory of the files that are written, not mapped. Kept for the next file: the writer has one segment at a
 * time.
 */
const spareMemory: FileMemory[] = [];

export class JournalFileWriter {
  path: string;
  sequence: number;
  readonly headerLength: number;
  /** Bytes of header and body. */
  readonly length: number;
  readonly #plan: FilePlan;
  readonly #head: Uint8Array;
  /** Its directory. */
  readonly #place: Place;
  #fd: number;
  /** `write` mode: the shipper's part of the header, as last read. */
  readonly #shipperFields = Buffer.alloc(SHIPPER_FIELDS_END - AT_SHIPPED);
  /** Being synced: the descriptor is closed when that is done. */
  #syncs = 0;
  #isReleased = false;
  #window: FileWindow | undefined;
  #contents = NOTHING;
  // Those of `#contents`, one step nearer for who stores per span.
  bytes = NOTHING.bytes;
  memory: Memory = NOTHING.memory;
  words = NOTHING.words;

  private constructor(plan: FilePlan) {
    this.#plan = plan;
    const { header } = plan;
    this.sequence = header.sequence;
    this.path = join(plan.dir, fileName(header.kind, header.writer.id, header.sequence));
    const head = encodeHeader({ ...header, createdMs: Date.now() });
    this.headerLength = head.length;
    this.length = head.length + header.bodyLength;
    this.#head = head;
    this.#fd = openNew(this.path + UNFINISHED, plan.dir);
    this.#place = placeOf(plan.dir);
    try {
      writeAll(this.#fd, head, 0);
    } catch (error) {
      this.#fail();
      throw noFile(error);
    }
  }

  /** @throws NoFile */
  static create(plan: FilePlan): JournalFileWriter {
    const file = new JournalFileWriter(plan);
    file.#complete(plan.mapping?.reserve(file.#fd, file.length) ?? 0);
    return file;
  }

  /** As {@link create}, with the space reserved in another thread. Calls back once. */
  static prepare(plan: FilePlan, done: (result: JournalFileWriter | NoFile) => void): void {
    let file: JournalFileWriter;
    const complete = (errno: number): void => {
      try {
        file.#complete(errno);
        file.#window?.populate();
        done(file);
      } catch (error) {
        done(noFile(error));
      }
    };
    try {
      file = new JournalFileWriter(plan);
      if (plan.mapping) plan.mapping.reserveAsync(file.#fd, file.length, complete);
      else complete(0);
    } catch (error) {
      done(noFile(error));
    }
  }

  #complete(errno: number): void {
    try {
      if (errno !== 0) throw new NoFile(errorName(errno), 'no space could be reserved');
      const { mapping, header } = this.#plan;
      if (mapping) {
        this.#window = mapping.window(this.length);
        if (!this.#window.place(this.#fd)) throw new NoFile('ENOMEM', 'the file could not be mapped');
        this.#see(this.#window.memory);
      } else {
        const index = spareMemory.findIndex(({ bytes }) => bytes.length === this.length);
        this.#see(index === -1 ? new FileMemory(new ArrayBuffer(this.length)) : spareMemory.splice(index, 1)[0]!);
        if (header.kind === 'in-flight') this.bytes.fill(0);
        this.bytes.set(this.#head);
      }
      this.renewLease(Date.now());
      if (!mapping) this.writeState();
      // Only now does the file have a name that readers look at.
      renameSync(this.path + UNFINISHED, this.path);
    } catch (error) {
      this.#fail();
      throw noFile(error);
    }
  }

  #see(contents: FileMemory): void {
    this.#contents = contents;
    this.bytes = contents.bytes;
    this.memory = contents.memory;
    this.words = contents.words;
  }

  /** Says how much of the body is whole and final. */
  commit(length: number): void {
    this.#contents.publish(AT_COMMITTED / 4, length);
  }

  /** Says that nothing will be added, and how many spans there are. */
  seal(spans: number): void {
    this.words[AT_SPANS / 4] = spans;
    this.#contents.publish(AT_SEALED / 4, 1);
  }

  get isMapped(): boolean {
    return this.#plan.mapping !== undefined;
  }

  /**
   * Asks the shipper to give the file back as a spare one when all of it has been shipped. Mapped files only.
   */
  want(wanted: boolean): void {
    this.words[AT_WANTED / 4] = wanted ? 1 : 0;
  }

  /**
   * Makes a sealed segment that the shipper has given back the next one. Its pages are in memory and mapped:
   * a new file's have to be found, zeroed and faulted in, which is a quarter of what the journal costs.
   *
   * @param plan of the same length
   * @returns false when the file has not been given back
   * @throws NoFile
   */
  refill(plan: FilePlan): boolean {
    const { header } = plan;
    const path = join(plan.dir, fileName(header.kind, header.writer.id, header.sequence));
    try {
      renameSync(this.path + SPARE, path + UNFINISHED);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw noFile(error);
    }
    this.path = path;
    this.sequence = header.sequence;
    this.bytes.set(encodeHeader({ ...header, createdMs: Date.now() }));
    this.renewLease(Date.now());
    try {
      renameSync(path + UNFINISHED, path);
    } catch (error) {
      throw noFile(error);
    }
    return true;
  }

  /** Deletes the file if it has been given back. @returns whether it had been */
  removeSpare(): boolean {
    try {
      return removeFile(this.path + SPARE);
    } catch {
      return false; // Deleted when this writer is dead.
    }
  }

  isSpare(): boolean {
    return existsSync(this.path + SPARE);
  }

  /**
   * `write` mode: brings the lease to the file, and it alone: the committed length may be ahead of the data.
   * @throws as above
   */
  writeLease(): void {
    this.writeRange(AT_LEASE, AT_LEASE_MONOTONIC + 8);
  }

  /** Stores that the writer is alive. `write` mode: in memory, until {@link writeLease}. */
  renewLease(nowMs: number): void {
    this.#contents.doubles[AT_LEASE / 8] = nowMs;
    this.#contents.doubles[AT_LEASE_MONOTONIC / 8] = monotonicAt(performance.now());
  }

  /** `write` mode: copies a range of the memory to the file. @throws with the system's error */
  writeRange(start: number, end: number): void {
    for (let at = start; at < end; ) at += writeSync(this.#fd, this.bytes, at, end - at, at);
  }

  /** `write` mode: copies the writer's part of the header to the file. @throws with the system's error */
  writeState(): void {
    this.writeRange(WRITER_FIELDS, WRITER_FIELDS_END);
  }

  /** Bytes of the body that the shipper has delivered; when the file cannot be read, what it last said. */
  shipped(): number {
    return this.#wordOfShipper(AT_SHIPPED);
  }

  /**
   * Not 0 once somebody has taken this writer for dead: 1 more than the bytes of the body that count for
   * readers.
   */
  ended(): number {
    return this.#wordOfShipper(AT_ENDED);
  }

  #wordOfShipper(at: number): number {
    if (this.#plan.mapping) return this.words[at / 4]!;
    try {
      readSync(this.#fd, this.#shipperFields, 0, this.#shipperFields.length, AT_SHIPPED);
    } catch {
      // What was read last is there still.
    }
    return this.#shipperFields.readUInt32LE(at - AT_SHIPPED);
  }

  /**
   * Why nobody can read what has been stored: a file system that has shut itself down, a server that has
   * forgotten the file; undefined as long as the system answers for it.
   */
  fault(): Error | undefined {
    try {
      fstatSync(this.#fd);
      return undefined;
    } catch (error) {
      return error as Error;
    }
  }

  /** The file is gone, see {@link isGone}, and what was not shipped of it is in another one now. */
  giveUp(): void {
    this.words[AT_GIVEN_UP / 4] = 1;
    try {
      if (!this.isMapped) this.writeRange(AT_GIVEN_UP, AT_GIVEN_UP + 4);
    } catch {
      // A shipper that has it open may deliver it once more.
    }
  }

  /**
   * Whether somebody has deleted the file, or has moved or unmounted its directory; asked of the system in
   * another thread.
   */
  isGone(done: (gone: boolean) => void): void {
    fstat(this.#fd, (error, stats) => {
      if (error !== null || stats.nlink === 0) done(error === null);
      else askWhetherMoved(this.#plan.dir, this.#place, done);
    });
  }

  isGoneNow(): boolean {
    try {
      return fstatSync(this.#fd).nlink === 0 || hasMoved(this.#plan.dir, this.#place);
    } catch {
      return false; // A network file system that does not answer: the file may well be there.
    }
  }

  /**
   * Renews the file's time of modification; the system does so late, or never, for stores to mapped memory.
   */
  touch(): void {
    const now = new Date();
    futimes(this.#fd, now, now, () => {});
  }

  /** Lets go of the file's memory and descriptor; the object must not be used again. */
  release(): void {
    this.#close();
    this.#closeWhenUnused();
  }

  /**
   * Brings what has been stored to the disk, in another thread; `now`: before this returns, as the process
   * ends.
   */
  sync(now = false): void {
    if (now) {
      try {
        fdatasyncSync(this.#fd);
      } catch {
        // A disk that fails has said so to the system; spans are kept in memory as before.
      }
      return;
    }
    this.#syncs++;
    fdatasync(this.#fd, () => {
      if (--this.#syncs === 0 && this.#isReleased) this.#close();
    });
  }

  #close(): void {
    this.#isReleased = true;
    if (this.#syncs > 0) return;
    try {
      closeSync(this.#fd);
    } catch {
      // close(2) releases the descriptor even when it reports an error.
    }
    this.#fd = -1;
  }

  remove(): void {
    try {
      removeFile(this.path);
    } catch {
      // The shipper deletes what is empty and whose writer is dead.
    }
  }

  #fail(): void {
    this.#close();
    try {
      removeFile(this.path + UNFINISHED);
    } catch {
      // Removed as an unfinished file later.
    }
    this.#closeWhenUnused();
  }

  #closeWhenUnused(): void {
    this.#window?.release();
    this.#window = undefined;
    if (!this.#plan.mapping && this.#contents !== NOTHING && spareMemory.length < 4) spareMemory.push(this.#contents);
    // An entry handle or a late call must not reach memory that another file has now.
    this.#see(NOTHING);
  }
}
