/**
 * What the shipper knows of a journal directory: its writers, their segments, and how far each has been read.
 *
 * @module
 */

import { statSync } from 'node:fs';
import type { LogInBrief } from '../forensics/post-mortem.js';
import type { JournalHeader, UnsoundReason, WriterIdentity } from '../journal/format.js';
import { hasSameClock, isWriterDead } from '../journal/identity.js';
import { type JournalFile, listJournal, removeFile } from '../journal/list-journal.js';
import { type FileState, isUnsound } from '../journal/open-file.js';
import { type Place, placeIn } from '../journal/place.js';
import { openSegment, type SegmentReader } from '../journal/segment-reader.js';
import { openTable } from '../journal/table-reader.js';
import { isSound } from '../wire/check.js';
import { Resource } from '../wire/otlp.js';
import { readDestination, type Said } from './destination.js';
import { SET_ASIDE_SEQUENCE } from './set-aside.js';
import type { Signal } from './transport.js';

/** When a writer was last known to be alive, as it says itself. */
type Lease = Pick<FileState, 'leaseMs' | 'leaseMonotonicMs'>;

/** One segment that is being read. */
export class TailedSegment {
  readonly file: JournalFile;
  readonly reader: SegmentReader;
  /** The directory that it was found in. */
  readonly place: Place;
  /** Delivered, or given up. */
  shipped: number;
  committed = 0;
  /** Where gathering has come to so far: what stands before it has been counted as read. */
  readTo: number;
  /** Likewise, of what has been looked into span by span. */
  verifiedTo: number;
  sealed = false;
  /** `performance.now()` before which it is not read, as the system could not; 0: it can. */
  unreadableUntil = 0;
  #hasFailed = false;
  #leaseMs = 0;
  /** A stranger has deleted the file, and its writer, which lives, is about to save what it held. */
  isHeld = false;
  /**
   * `performance.now()` since which there may be something unshipped: of the last look that found nothing.
   */
  waitingSince = 0;
  #lookedAt: number;

  /** @param lookedAt when it was not there yet */
  constructor(file: JournalFile, reader: SegmentReader, place: Place, lookedAt: number) {
    this.file = file;
    this.reader = reader;
    this.place = place;
    this.#lookedAt = lookedAt;
    this.shipped = this.readTo = this.verifiedTo = reader.state().shipped;
  }

  get isOfLogs(): boolean {
    return this.file.kind === 'logs';
  }

  /** Bytes to deliver; none as long as they cannot be read. */
  get lag(): number {
    return this.isHeld || this.isUnreadable ? 0 : Math.max(0, this.committed - this.shipped);
  }

  get isUnreadable(): boolean {
    return this.unreadableUntil > 0;
  }

  /**
   * The system could not read it: a disk that fails, a network file system that does not answer.
   * @returns whether that is the first time, and to be said
   */
  failed(now = performance.now()): boolean {
    this.unreadableUntil = now + UNREADABLE_MS;
    const isNews = !this.#hasFailed;
    this.#hasFailed = true;
    return isNews;
  }

  /**
   * @returns when the writer was last known to be alive, if it has said so anew since the last look
   * @throws what the file system says
   */
  refresh(now: number): Lease | undefined {
    if (now < this.unreadableUntil) return undefined;
    const { committed, shipped, sealed, leaseMs, leaseMonotonicMs } = this.reader.state();
    this.unreadableUntil = 0;
    this.committed = committed;
    // Another shipper has had it meanwhile.
    this.shipped = Math.max(this.shipped, shipped);
    this.sealed ||= sealed;
    if (this.lag === 0) this.waitingSince = 0;
    else if (this.waitingSince === 0) this.waitingSince = this.#lookedAt;
    this.#lookedAt = now;
    const isRenewed = leaseMs !== this.#leaseMs && this.#leaseMs !== 0;
    this.#leaseMs = leaseMs;
    return isRenewed ? { leaseMs, leaseMonotonicMs } : undefined;
  }
}

/**
 * A detector that does not answer holds spans back for so long, in milliseconds: as long as an export of the
 * SDK may take that waits for it.
 */
const RESOURCE_WITHIN_MS = 30_000;

/** One writer, for as long as it has files. */
export class TailedWriter {
  readonly identity: WriterIdentity;
  /** As the newest of its files says that has all attributes. */
  resource: Uint8Array;
  schemaUrl: string;
  #isResourcePending: boolean;
  readonly segments = new Map<string, TailedSegment>();
  /** Segments of log records. */
  readonly logs = new Map<string, TailedSegment>();
  /** The last records of those that are gone, while its process lives. */
  lastLogs: LogInBrief[] = [];
  tables: JournalFile[] = [];
  /** Segments that are not open yet, as there are many: see {@link MAX_OPEN}. */
  waiting: JournalFile[] = [];
  leaseMs: number;
  leaseMonotonicMs: number;
  /** `performance.now()` at which it said so. */
  #leaseAt: number;
  /** `performance.now()`. */
  readonly firstSeenAt = performance.now();
  /** `Date.now()` at which its process was last seen. */
  seenAliveMs = 0;
  /** The same by the monotonic clock. */
  seenAliveMonotonicMs = 0;
  /** `performance.now()` at which its process was first seen to be gone; 0 before. */
  seenDeadAt = 0;
  /** As {@link saidIn} has found it. */
  #said: Said | undefined;
  /** As {@link isDead} last found it. */
  wasDead = false;
  /** Its process is gone, and what it left in flight has been recovered. */
  finished = false;
  /** What it has was set aside: the endpoint has failed over it. */
  isSetAside = false;
  /** Its process is gone, and what it left in flight could not be recovered, for this reason. */
  unrecovered: NodeJS.ErrnoException | undefined;

  constructor(header: JournalHeader, { leaseMs, leaseMonotonicMs }: Lease) {
    this.identity = header.writer;
    this.resource = soundResource(header);
    this.schemaUrl = header.schemaUrl;
    this.#isResourcePending = header.isResourcePending;
    this.leaseMs = leaseMs;
    this.leaseMonotonicMs = leaseMonotonicMs;
    this.#leaseAt = this.firstSeenAt - Math.abs(Date.now() - leaseMs);
  }

  /** Another of its files has been found. */
  describe(header: JournalHeader): void {
    if (header.isResourcePending || !this.#isResourcePending) return;
    this.resource = soundResource(header);
    this.schemaUrl = header.schemaUrl;
    this.#isResourcePending = false;
  }

  /** What it has kept waits for attributes of its resource, which its process is still after. */
  isWaiting(now = performance.now()): boolean {
    return this.#isResourcePending && !this.finished && now - this.firstSeenAt < RESOURCE_WITHIN_MS;
  }

  renewed({ leaseMs, leaseMonotonicMs }: Lease, now: number): void {
    this.leaseMs = leaseMs;
    this.leaseMonotonicMs = leaseMonotonicMs;
    this.#leaseAt = now;
  }

  /** Nothing of it has been recovered, and nothing has failed to be. */
  /**
   * What it says of itself in the journal directory: where its spans and log records go; undefined as long as
   * it has said nothing.
   */
  saidIn(dir: string): Said | undefined {
    this.#said ??= readDestination(dir, this.identity.id);
    return this.#said;
  }

  get isLive(): boolean {
    return !this.finished && !this.unrecovered;
  }

  /** The age of a lease is told by our own clock that nobody sets: one that jumps kills nobody. */
  isDead(): boolean {
    this.wasDead = isWriterDead(this.identity, this.leaseMs, this.leaseMs + performance.now() - this.#leaseAt);
    return this.wasDead;
  }

  /** When its process was last known to be alive. */
  aliveUntil(): { atMs: number; monotonicMs: number | undefined } {
    const monotonicMs = hasSameClock(this.identity) ? Math.max(this.leaseMonotonicMs, this.seenAliveMonotonicMs) : 0;
    return { atMs: Math.max(this.leaseMs, this.seenAliveMs), monotonicMs: monotonicMs > 0 ? monotonicMs : undefined };
  }

  /** Its segments of one signal, by name. */
  of(signal: Signal): Map<string, TailedSegment> {
    return signal === 'traces' ? this.segments : this.logs;
  }

  /** Those of all signals that are open. */
  *allSegments(): Generator<TailedSegment> {
    yield* this.segments.values();
    yield* this.logs.values();
  }

  /** Segments of spans, those that wait too: these are open for the time of one step. */
  *readers(): Generator<SegmentReader> {
    for (const { reader } of this.segments.values()) yield reader;
    for (const file of this.waiting) {
      if (file.kind !== 'segment') continue;
      const reader = openSegment(file);
      if (isUnsound(reader)) continue;
      try {
        yield reader;
      } finally {
        reader.close();
      }
    }
  }

  get hasFiles(): boolean {
    return this.hasSegments || this.tables.length > 0;
  }

  get hasSegments(): boolean {
    return this.segments.size + this.logs.size + this.waiting.length > 0;
  }
}

/** One that no decoder takes would have every request refused that it is in: its spans go without. */
function soundResource({ resource }: JournalHeader): Uint8Array {
  return isSound(resource, Resource) ? resource : new Uint8Array(0);
}

/**
 * Segments that are open at a time, oldest first: of each writer that lives, and of all that are dead
 * together. An endpoint that is away for hours leaves thousands, and each takes a descriptor.
 */
export const MAX_OPEN = { perLivingWriter: 8, ofTheDead: 128 };

const signalOf = ({ kind }: JournalFile): Signal => (kind === 'logs' ? 'logs' : 'traces');

/** Until the system is asked again for what it could not read, in milliseconds. */
const UNREADABLE_MS = 1000;

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

  /** As long as the directory has not changed, what it had at the last look is what it has. */
  #list(): readonly JournalFile[] {
    const { place, changedMs } = lookAt(this.#dir);
    this.#place = place;
    // Another file may have been made since it was listed, at the same time by the file system's clock.
    if (changedMs !== this.#changedMs || Math.abs(this.#listedMs - changedMs) < clockStepMs(changedMs)) {
      this.#listedMs = Date.now();
      this.#files = listJournal(this.#dir);
    }
    this.#changedMs = changedMs;
    return this.#files;
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

  /** Files with what cannot be counted, as the system cannot read them. */
  get unreadableFiles(): number {
    let count = 0;
    for (const { again } of this.#unsound.values()) if (again < Number.POSITIVE_INFINITY) count++;
    for (const writer of this.writers.values())
      for (const { isUnreadable } of writer.allSegments()) if (isUnreadable) count++;
    return count;
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
    return listJournal(this.#dir).some(({ name, writerId }) => !this.#names.has(name) || writerIds.includes(writerId));
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
