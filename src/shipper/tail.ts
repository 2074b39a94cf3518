/**
 * What the shipper knows of a journal directory: its writers, their segments, and how far each has been read.
 *
 * @module
 */

import type { JournalHeader, UnsoundReason, WriterIdentity } from '../journal/format.js';
import { isWriterDead } from '../journal/identity.js';
import {
  isUnsound,
  type JournalFile,
  listJournal,
  openSegment,
  openTable,
  type SegmentReader,
} from '../journal/reader.js';
import type { Destination } from './destination.js';
import type { Signal } from './transport.js';

/** One segment that is being read. */
export class TailedSegment {
  readonly file: JournalFile;
  readonly reader: SegmentReader;
  /** Delivered, or given up. */
  shipped: number;
  committed = 0;
  /** Where gathering has come to so far: what stands before it has been counted as read. */
  readTo: number;
  sealed = false;
  #leaseMs = 0;
  /** Nothing after `shipped` can be read. */
  corrupt = false;
  /** `performance.now()` at which there was first something unshipped. */
  waitingSince = 0;

  constructor(file: JournalFile, reader: SegmentReader) {
    this.file = file;
    this.reader = reader;
    this.shipped = this.readTo = reader.state().shipped;
  }

  get lag(): number {
    return this.corrupt ? 0 : Math.max(0, this.committed - this.shipped);
  }

  /** @returns when the writer was last known to be alive, if it has said so anew since the last look */
  refresh(now: number): number | undefined {
    const { committed, sealed, leaseMs } = this.reader.state();
    this.committed = committed;
    this.sealed ||= sealed;
    if (this.lag === 0) this.waitingSince = 0;
    else if (this.waitingSince === 0) this.waitingSince = now;
    const isRenewed = leaseMs !== this.#leaseMs && this.#leaseMs !== 0;
    this.#leaseMs = leaseMs;
    return isRenewed ? leaseMs : undefined;
  }
}

/**
 * A detector that does not answer holds spans back for so long, in milliseconds: as long as an export of the SDK
 * may take that waits for it.
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
  tables: JournalFile[] = [];
  leaseMs: number;
  /** `performance.now()` at which it said so. */
  #leaseAt: number;
  /** `performance.now()`. */
  readonly firstSeenAt = performance.now();
  /** `Date.now()` at which its process was last seen. */
  seenAliveMs = 0;
  /** `performance.now()` at which its process was first seen to be gone; 0 before. */
  seenDeadAt = 0;
  /**
   * Where it says that its spans and log records go; undefined as long as that has not been looked up, or it
   * has not said.
   */
  destination: Destination | undefined;
  /** Its process is gone, and what it left in flight has been recovered. */
  finished = false;

  constructor({ writer, resource, schemaUrl, isResourcePending }: JournalHeader, leaseMs: number) {
    this.identity = writer;
    this.resource = resource;
    this.schemaUrl = schemaUrl;
    this.#isResourcePending = isResourcePending;
    this.leaseMs = leaseMs;
    this.#leaseAt = this.firstSeenAt - Math.abs(Date.now() - leaseMs);
  }

  /** Another of its files has been found. */
  describe({ resource, schemaUrl, isResourcePending }: JournalHeader): void {
    if (isResourcePending || !this.#isResourcePending) return;
    this.resource = resource;
    this.schemaUrl = schemaUrl;
    this.#isResourcePending = false;
  }

  /** What it has kept waits for attributes of its resource, which its process is still after. */
  isWaiting(now = performance.now()): boolean {
    return this.#isResourcePending && !this.finished && now - this.firstSeenAt < RESOURCE_WITHIN_MS;
  }

  renewed(leaseMs: number, now: number): void {
    this.leaseMs = leaseMs;
    this.#leaseAt = now;
  }

  /** The age of a lease is told by our own clock that nobody sets: one that jumps kills nobody. */
  isDead(): boolean {
    return isWriterDead(this.identity, this.leaseMs, this.leaseMs + performance.now() - this.#leaseAt);
  }

  /** Its segments of one signal, by name. */
  of(signal: Signal): Map<string, TailedSegment> {
    return signal === 'traces' ? this.segments : this.logs;
  }

  /** Those of all signals. */
  *allSegments(): Generator<TailedSegment> {
    yield* this.segments.values();
    yield* this.logs.values();
  }
}

const signalOf = ({ kind }: JournalFile): Signal => (kind === 'logs' ? 'logs' : 'traces');

/**
 * Unsound files are read again for so long before they are reported: a file system may be slow to show all of
 * one.
 */
const SETTLE_MS = 2000;

export class Tail {
  readonly writers = new Map<string, TailedWriter>();
  readonly #dir: string;
  #names: ReadonlySet<string> = new Set();
  readonly #report: (path: string, reason: UnsoundReason) => void;
  /** Files that cannot be read, by name: when that was first seen, and whether it has been said. */
  readonly #unsound = new Map<string, { since: number; reported: boolean }>();

  constructor(dir: string, report: (path: string, reason: UnsoundReason) => void) {
    this.#dir = dir;
    this.#report = report;
  }

  /** Looks at the directory and at every open segment. */
  refresh(now = performance.now()): void {
    const names = new Set<string>();
    this.#names = names;
    for (const writer of this.writers.values()) writer.tables = [];
    for (const file of listJournal(this.#dir)) {
      names.add(file.name);
      const writer = this.writers.get(file.writerId) ?? this.#writerOf(file, now);
      if (!writer) continue;
      if (file.kind === 'in-flight') writer.tables.push(file);
      else if (!writer.of(signalOf(file)).has(file.name)) this.#open(writer, file, now);
    }
    for (const name of this.#unsound.keys()) if (!names.has(name)) this.#unsound.delete(name);
    for (const [id, writer] of this.writers) {
      for (const segment of writer.allSegments()) {
        if (names.has(segment.file.name)) {
          const leaseMs = segment.refresh(now);
          if (leaseMs !== undefined) writer.renewed(leaseMs, now);
        } else {
          // Given up by whoever needed the room, and counted there.
          segment.reader.close();
          writer.of(signalOf(segment.file)).delete(segment.file.name);
        }
      }
      if (writer.segments.size + writer.logs.size + writer.tables.length === 0) this.writers.delete(id);
    }
  }

  /** Whether there are files now that {@link refresh} has not seen. */
  hasNewFiles(): boolean {
    return listJournal(this.#dir).some(({ name }) => !this.#names.has(name));
  }

  /** Closes a segment that is done with, and deletes it or gives it back to its writer. */
  remove(writer: TailedWriter, segment: TailedSegment): void {
    writer.of(signalOf(segment.file)).delete(segment.file.name);
    if (writer.finished || segment.corrupt || !segment.reader.giveBack()) segment.reader.remove();
    segment.reader.close();
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
    const writer = new TailedWriter(reader.header, reader.state().leaseMs);
    reader.close();
    this.writers.set(file.writerId, writer);
    return writer;
  }

  #open(writer: TailedWriter, file: JournalFile, now: number): void {
    if (this.#unsound.get(file.name)?.reported) return;
    const reader = openSegment(file);
    if (isUnsound(reader)) this.#unsoundFile(file, reader.unsound, now);
    else {
      writer.describe(reader.header);
      writer.of(signalOf(file)).set(file.name, new TailedSegment(file, reader));
    }
  }

  #unsoundFile({ name, path }: JournalFile, reason: UnsoundReason, now: number): void {
    if (reason === 'gone' || reason === 'no-resources') return;
    const seen = this.#unsound.get(name) ?? { since: now, reported: false };
    this.#unsound.set(name, seen);
    if (seen.reported || now - seen.since < SETTLE_MS) return;
    seen.reported = true;
    this.#report(path, reason);
  }
}
