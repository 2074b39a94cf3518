/**
 * What the shipper knows of a journal directory: its writers, and their segments.
 *
 * @module
 */
import { statSync } from 'node:fs';
import type { UnsoundReason } from '../journal/format.js';
import { type JournalFile, readJournalDirectory, removeFile } from '../journal/list-journal.js';
import { isUnsound } from '../journal/open-file.js';
import { type Place, placeIn } from '../journal/place.js';
import { openSegment } from '../journal/segment-reader.js';
import { openTable } from '../journal/table-reader.js';
import { SET_ASIDE_SEQUENCE } from './set-aside.js';
import { type Lease, TailedSegment, UNREADABLE_MS } from './tailed-segment.js';
import { TailedWriter } from './tailed-writer.js';
import type { Signal } from './transport.js';

/**
 * Segments that are open at a time, oldest first: of each writer that lives, and of all that are dead
 * together. An endpoint that is away for hours leaves thousands, and each takes a descriptor.
 */
export const MAX_OPEN = { perLivingWriter: 8, ofTheDead: 128 };

const signalOf = ({ kind }: JournalFile): Signal => (kind === 'logs' ? 'logs' : 'traces');

/**
 * Unsound files are read again for so long before they are reported: a file system may be slow to show all of
 * one.
 */
const SETTLE_MS = 2000;

/**
 * By how much a file system's clock goes on at a time: a tick of the kernel, 10 ms at most, or whole seconds,
 * two of them on FAT.
 */
const clockStepMs = (changedMs: number) => (changedMs % 1000 === 0 ? 2500 : 100);

/** A directory, and when a file was last made, renamed or deleted in it; NaN where that cannot be told. */
function lookAt(dir: string): { place: Place; changedMs: number } {
  const stats = statSync(dir, { throwIfNoEntry: false });
  return { place: stats && placeIn(stats), changedMs: stats?.mtimeMs ?? Number.NaN };
}

export class Tail {
  readonly writers = new Map<string, TailedWriter>();
  readonly #dir: string;
  #names: ReadonlySet<string> = new Set();
  #files: readonly JournalFile[] = [];
  #changedMs = Number.NaN;
  /** The system did not tell, at the last look, what is in the directory. */
  #isUnlisted = false;
  #place: Place;
  /** `Date.now()` when {@link #files} were listed. */
  #listedMs = Number.NaN;
  #lookedAt = performance.now();
  readonly #report: (path: string, reason: string) => void;
  /**
   * Files that cannot be read, by name: when that was first seen, whether it has been said, and from when on
   * the system is asked again.
   */
  readonly #unsound = new Map<string, { since: number; reported: boolean; again: number }>();
  /** Files that are done with and cannot be deleted, by name: what is in them is not read again. */
  readonly #undeleted = new Map<string, JournalFile>();
  #hasLastCopies = false;
  #hasLeft = false;

  constructor(dir: string, report: (path: string, reason: string) => void) {
    this.#dir = dir;
    this.#report = report;
  }

  /** What is in it can be read here, and nowhere else under its name. */
  isLastCopy({ reader, place }: TailedSegment): boolean {
    return reader.isLastCopy(place !== this.#place);
  }

  /** A stranger has deleted or moved files that are read here and nowhere else. */
  get hasLastCopies(): boolean {
    return this.#hasLastCopies;
  }

  /** Another shipper has the directory: nothing is looked at any more but what was deleted from it. */
  leave(): void {
    this.#hasLeft = true;
  }

  /** Looks at the directory and at every open segment. */
  refresh(now = performance.now()): void {
    const names = new Set<string>();
    this.#names = names;
    let ofTheDead = 0;
    for (const writer of this.writers.values()) {
      writer.tables = [];
      writer.waiting = [];
      if (writer.wasDead) ofTheDead += writer.segments.size + writer.logs.size;
    }
    const dead = new Map<TailedWriter, boolean>();
    for (const file of this.#hasLeft ? [] : this.#list()) {
      names.add(file.name);
      if (this.#undeleted.has(file.name)) continue;
      const writer = this.writers.get(file.writerId) ?? this.#writerOf(file, now);
      if (!writer) continue;
      const open = writer.of(signalOf(file));
      if (file.kind === 'in-flight') writer.tables.push(file);
      else if (!open.has(file.name)) {
        const isDead = writer.finished || (dead.get(writer) ?? writer.isDead());
        dead.set(writer, isDead);
        const isFull = isDead
          ? ofTheDead >= MAX_OPEN.ofTheDead
          : open.size >= MAX_OPEN.perLivingWriter && !writer.isWaiting(now);
        if (isFull) writer.waiting.push(file);
        else this.#open(writer, file, now);
        if (isDead) ofTheDead++;
      }
    }
    for (const name of this.#unsound.keys()) if (!names.has(name)) this.#unsound.delete(name);
    for (const name of this.#undeleted.keys()) if (!names.has(name)) this.#undeleted.delete(name);
    this.#hasLastCopies = false;
    for (const [id, writer] of this.writers) {
      for (const segment of writer.allSegments()) {
        if (names.has(segment.file.name)) {
          const lease = this.#refreshed(segment, now);
          if (lease !== undefined) writer.renewed(lease, now);
        } else if (!this.#keepsLastCopy(writer, segment, now)) {
          // Given up by whoever needed the room, and counted there; or saved by its writer.
          segment.reader.close();
          writer.of(signalOf(segment.file)).delete(segment.file.name);
        }
      }
      if (!writer.hasFiles) this.writers.delete(id);
    }
    this.#lookedAt = now;
  }

  /** What was there at the last look is taken to be there where the system does not tell. */
  #list(): readonly JournalFile[] {
    try {
      this.#listNow();
      this.#isUnlisted = false;
    } catch (error) {
      if (!this.#isUnlisted) this.#report(this.#dir, `not to be read now: ${(error as Error).message}`);
      this.#isUnlisted = true;
    }
    return this.#files;
  }

  /** As long as the directory has not changed, what it had at the last look is what it has. */
  #listNow(): void {
    const { place, changedMs } = lookAt(this.#dir);
    this.#place = place;
    // Another file may have been made since it was listed, at the same time by the file system's clock.
    if (changedMs !== this.#changedMs || Math.abs(this.#listedMs - changedMs) < clockStepMs(changedMs)) {
      const listedMs = Date.now();
      this.#files = place === undefined ? [] : readJournalDirectory(this.#dir);
      this.#listedMs = listedMs;
    }
    this.#changedMs = changedMs;
  }

  /** One that cannot be read keeps none of the others. */
  #refreshed(segment: TailedSegment, now: number): Lease | undefined {
    try {
      return segment.refresh(now);
    } catch (error) {
      if (segment.failed(now)) this.#report(segment.file.path, `not to be read now: ${(error as Error).message}`);
      return undefined;
    }
  }

  /**
   * Files with what cannot be counted, as the system cannot read them; the directory is one, if it is that.
   */
  get unreadableFiles(): number {
    let count = 0;
    for (const { again } of this.#unsound.values()) if (again < Number.POSITIVE_INFINITY) count++;
    for (const writer of this.writers.values())
      for (const { isUnreadable } of writer.allSegments()) if (isUnreadable) count++;
    return this.#isUnlisted ? Math.max(count, 1) : count;
  }

  /** @returns whether the file is gone, and with it what nobody else has, or may not have in a moment */
  #keepsLastCopy({ finished }: TailedWriter, segment: TailedSegment, now: number): boolean {
    try {
      if (!this.isLastCopy(segment)) return false;
    } catch {
      segment.failed(now);
      return true;
    }
    segment.isHeld = false;
    this.#refreshed(segment, now);
    if (segment.lag === 0 && !segment.isUnreadable) return false;
    segment.isHeld = !segment.sealed && !finished;
    this.#hasLastCopies = true;
    return true;
  }

  /** Whether there are files now of one of these writers, or such that {@link refresh} has not seen. */
  hasFiles(writerIds: readonly string[]): boolean {
    try {
      const files = readJournalDirectory(this.#dir);
      return files.some(({ name, writerId }) => !this.#names.has(name) || writerIds.includes(writerId));
    } catch {
      return false; // Another shipper could not look either.
    }
  }

  /** Closes a segment that is done with, and deletes it or gives it back to its writer. */
  remove(writer: TailedWriter, segment: TailedSegment): void {
    const { file, reader } = segment;
    writer.of(signalOf(file)).delete(file.name);
    try {
      if (writer.finished || !reader.giveBack()) reader.remove();
    } catch (error) {
      // A file system that has become read-only. What has been shipped is not shipped again all the same.
      this.#undeleted.set(file.name, file);
      this.#report(file.path, `not to be deleted: ${(error as Error).message}`);
    }
    reader.close();
  }

  /** Tries again to delete what is done with. */
  removeUndeleted(): void {
    for (const [name, { path }] of this.#undeleted) {
      try {
        removeFile(path);
        this.#undeleted.delete(name);
      } catch {
        // It has been said.
      }
    }
  }

  close(): void {
    for (const writer of this.writers.values()) for (const { reader } of writer.allSegments()) reader.close();
    this.writers.clear();
  }

  #writerOf(file: JournalFile, now: number): TailedWriter | undefined {
    const reader = file.kind === 'in-flight' ? openTable(file) : openSegment(file);
    if (isUnsound(reader)) {
      this.#unsoundFile(file, reader.unsound, now);
      return undefined;
    }
    const writer = new TailedWriter(reader.header, reader.state());
    if (writer.resource.length < reader.header.resource.length)
      this.#report(file.path, 'of a writer whose resource cannot be read, so that its spans go without');
    reader.close();
    // It is nobody's: there is nothing to recover, whatever has become of the process.
    if (file.sequence === SET_ASIDE_SEQUENCE) writer.isSetAside = writer.finished = true;
    this.writers.set(file.writerId, writer);
    return writer;
  }

  #open(writer: TailedWriter, file: JournalFile, now: number): void {
    const unsound = this.#unsound.get(file.name);
    if (unsound?.reported && now < unsound.again) return;
    const reader = openSegment(file);
    if (isUnsound(reader)) this.#unsoundFile(file, reader.unsound, now);
    else {
      this.#unsound.delete(file.name);
      writer.describe(reader.header);
      writer.of(signalOf(file)).set(file.name, new TailedSegment(file, reader, this.#place, this.#lookedAt));
    }
  }

  #unsoundFile({ name, path }: JournalFile, reason: UnsoundReason, now: number): void {
    if (reason === 'gone' || reason === 'no-resources') return;
    const seen = this.#unsound.get(name) ?? { since: now, reported: false, again: 0 };
    this.#unsound.set(name, seen);
    // A disk may answer again; what is in a file does not change by waiting.
    seen.again = reason === 'unreadable' ? now + UNREADABLE_MS : Number.POSITIVE_INFINITY;
    if (seen.reported || now - seen.since < SETTLE_MS) return;
    seen.reported = true;
    this.#report(path, reason);
  }
}
