/**
 * A writer of the journal directory, as the shipper sees it: what it says of itself, whether it is alive, and
 * its files.
 *
 * @module
 */
import type { LogInBrief } from '../forensics/in-brief.js';
import type { JournalHeader, WriterIdentity } from '../journal/format.js';
import { hasSameClock, isWriterDead } from '../journal/identity.js';
import type { JournalFile } from '../journal/list-journal.js';
import { monotonicAt } from '../journal/monotonic.js';
import { isUnsound } from '../journal/open-file.js';
import { openSegment, type SegmentReader } from '../journal/segment-reader.js';
import { isSound } from '../wire/check.js';
import { Resource } from '../wire/otlp.js';
import { readDestination, type Said } from './destination.js';
import type { Lease, TailedSegment } from './tailed-segment.js';
import type { Signal } from './transport.js';

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
  /** Segments that are not open yet, as there are many. */
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

  /**
   * What it says of itself in the journal directory: where its spans and log records go; undefined as long as
   * it has said nothing.
   */
  saidIn(dir: string): Said | undefined {
    this.#said ??= readDestination(dir, this.identity.id);
    return this.#said;
  }

  /** Its process is there now. */
  seenAlive(): void {
    this.seenAliveMs = Date.now();
    this.seenAliveMonotonicMs = monotonicAt(performance.now());
  }

  /** Nothing of it has been recovered, and nothing has failed to be. */
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
