/**
 * Reads the journals of a directory and exports them: the same class in a process of its own and inline in a
 * worker. Nothing here throws or rejects: what cannot be shipped stays, what is lost is counted.
 *
 * @module
 */

import type { ResolvedExport } from '../config/resolved.js';
import { makeRoom, removeLeftovers, removeLeftoversOf } from '../journal/journal-directory.js';
import { numberOf } from '../number-of.js';
import { removeOldExits } from '../process/told-exit.js';
import { warn } from '../warn.js';
import { ConnectedWriters, type Connections } from './connected-writers.js';
import { DeadWriters, type DeadWritersOptions } from './dead-writers.js';
import { Deliveries, SHIPPED_SIGNALS } from './deliveries.js';
import type { Delivery } from './delivery.js';
import { removeDestination, removeDestinations } from './destination.js';
import { KnownEnds } from './known-ends.js';
import { lastLogsOf } from './last-logs.js';
import type { ShipperLock } from './lock.js';
import { ShipperCounts } from './shipper-counts.js';
import type { FromShipper, KnownDeath, ShipperStats } from './shipper-messages.js';
import { Tail } from './tail.js';
import type { TailedSegment } from './tailed-segment.js';
import type { TailedWriter } from './tailed-writer.js';
import type { Signal } from './transport.js';
import { WakingSleep } from './waking-sleep.js';
import { WriterRecovery, type WriterRecoveryOptions } from './writer-recovery.js';

/** How long the shipper sleeps between two looks: until a delivery is due, within these bounds. */
const POLL_MIN_MS = 50;
const POLL_MAX_MS = 500;
/**
 * Likewise, while every writer is connected: whoever comes or goes wakes it, and spans that it finds after as
 * long as they may wait are due at once.
 */
const POLL_CONNECTED_MAX_MS = 1000;
/**
 * And while all of them say when they have written, after so many looks that have found nothing: waking up is
 * most of what a look costs. One whose event loop is blocked says nothing.
 */
const POLL_ASLEEP_MS = 5000;
const LOOKS_BEFORE_SLEEP = 2;
/** Until it is looked again whether writers live; and while all of them are connected. */
const LIVENESS_MS = 500;
const LIVENESS_CONNECTED_MS = 5000;
/**
 * After somebody has come or gone: several do at once, and a process ends a little later than its
 * connections. Doubled until one that has gone is looked for as any other.
 */
const NEWS_MS = 20;
const ROOM_MS = 5000;
const LEASE_MS = 5000;
/** For the spans of files that a stranger has deleted, when the directory is another shipper's. */
const LAST_COPIES_MS = 10_000;
/** What a writer has said so long ago, and has no files for, is not for files that it is about to make. */
const LAST_ORPHAN_MS = 1000;
/** For counting what is left, when a shipper ends. */
const COUNT_MS = 250;

export interface ShipperOptions extends DeadWritersOptions, WriterRecoveryOptions {
  /**
   * Held for the directory: renewed, and released at the end. A shipper whose lock has been taken over stops.
   */
  lock: ShipperLock;
  /** Where spans go whose writer has not said another place. */
  export: ResolvedExport;
  /** All spans go there, whatever their writers have said. @default false */
  everythingThere?: boolean;
  maxBytes: number;
  /**
   * Ends {@link Shipper.run} after so many milliseconds without a living writer and with nothing to ship.
   * @default never
   */
  lingerMs?: number;
  /** Until what was set aside is tried again the first time, in milliseconds. @default 10,000 */
  setAsideMs?: number | undefined;
  /** Until what failed is tried again the first time, in milliseconds. @default 250 */
  retryMs?: number | undefined;
  /** Until a larger request is tried than the last that was too large, in milliseconds. @default 60,000 */
  requestGrowsMs?: number | undefined;
  /** Whether waiting for spans keeps the process alive. @default true */
  keepAlive?: boolean;
  /** What was found in the journal of a process that has died. */
  onRecovered?: (found: Extract<FromShipper, { type: 'recovered' }>) => void;
}

function sayLeft(what: string, dir: string): void {
  const how = `the next start of the service delivers the rest, or: forktrace ship ${dir}`;
  warn('FORKTRACE_SPANS_LEFT', `${what} left in ${dir}: ${how}`);
}

const hasLag = (writer: TailedWriter): boolean => [...writer.allSegments()].some(({ lag }) => lag > 0);

/**
 * errno(3) of what the system lacks now and has again later: room, descriptors, memory. A file system that
 * may not be written, or has failed, does not become another by waiting.
 */
const COMES_BACK: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT', 'EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN']);

export class Shipper {
  readonly #options: ShipperOptions;
  readonly #tail: Tail;
  readonly #counts = new ShipperCounts();
  readonly #deliveries: Deliveries;
  readonly #ends: KnownEnds;
  readonly #deadWriters: DeadWriters;
  readonly #recovery: WriterRecovery;
  /** Their journals are closed and delivered; what they have said goes with their processes. */
  readonly #closed = new Set<TailedWriter>();
  readonly #sleep = new WakingSleep();
  readonly #connected = new ConnectedWriters(
    (isClosed, writerId) => this.#heardOf(isClosed, writerId),
    // Else it looks soon by itself.
    () => this.#isAsleep && this.#sleep.shorten(0),
  );
  /** Looks in a row with nothing to ship. */
  #emptyLooks = 0;
  /** It looks when a writer says that it has written. */
  #isAsleep = false;
  /** Set by {@link stop}: when to give up, by `performance.now()`. */
  #stopAt: number | undefined;
  /** Whether to wait for writers that live, too. */
  #untilWritersEnd = false;
  /** Another process ships the directory now: what is left is its business. */
  #takenOver = false;
  #left = 0;
  #idleSince = performance.now();
  #hasEndedIdle = false;
  /** Of writers that lived when {@link run} ended. */
  #leftWriters: readonly string[] = [];
  /** `performance.now()` of the last look whether writers live. */
  #livenessAt = Number.NEGATIVE_INFINITY;
  /** `performance.now()` of the next one, as somebody has gone. */
  #goneAt = Number.POSITIVE_INFINITY;
  /** Until the one after that. */
  #goneMs = Number.POSITIVE_INFINITY;
  #nextRoom = 0;
  #nextLease = 0;

  constructor(options: ShipperOptions) {
    this.#options = options;
    const counts = this.#counts;
    this.#tail = new Tail(options.dir, (path, reason) => counts.malformed(1, `${path} is ${reason}`));
    const writers = () => this.#tail.writers.values();
    this.#deliveries = new Deliveries(options, counts, writers, (delivery) => this.#answered(delivery));
    this.#ends = new KnownEnds(options.dir, writers);
    this.#deadWriters = new DeadWriters(options, this.#ends);
    this.#recovery = new WriterRecovery(options, this.#ends, counts);
  }

  /** What a writer, or its own starter, says of a destination: the newest word is what is sent with. */
  hear(target: ResolvedExport, at: number): void {
    if (this.#deliveries.hear(target, at)) this.#sleep.wake();
  }

  /** For whoever receives what writers tell. */
  get connections(): Connections {
    return this.#connected;
  }

  /**
   * Ships until {@link stop}; resolves with whether everything has been shipped.
   *
   * @param looked called after each look, which is once a second at least
   */
  async run(looked?: () => void): Promise<boolean> {
    let complete = false;
    for (;;) {
      const now = performance.now();
      this.#refresh(now);
      looked?.();
      const stopping = this.#stopAt !== undefined;
      if (!stopping && this.#isAlone()) {
        this.#hasEndedIdle = true;
        complete = this.#tail.unreadableFiles === 0;
        break;
      }
      const isLate = stopping && now > this.#stopAt!;
      const deliveries = this.#deliveries.withLag();
      this.#emptyLooks = deliveries.size > 0 ? 0 : this.#emptyLooks + 1;
      if (deliveries.size > 0) {
        if (isLate || [...deliveries].every(({ gaveUp }) => gaveUp)) break;
        for (const delivery of deliveries) delivery.pump(now);
      } else if (stopping && (!this.#untilWritersEnd || this.liveWriters === 0)) {
        complete = this.#tail.unreadableFiles === 0;
        break;
      } else if (isLate) {
        break;
      }
      const ms = stopping ? Math.max(0, Math.min(POLL_MIN_MS, this.#stopAt! - now)) : this.#pollMs(deliveries, now);
      // Somebody waits for one that stops, even if it holds no process open.
      await this.#sleep.sleep(ms, stopping || this.#options.keepAlive !== false);
    }
    this.#deliveries.close();
    this.#end();
    this.#leftWriters = [...this.#tail.writers].filter(([, { isLive }]) => isLive).map(([id]) => id);
    this.#tail.close();
    this.#options.lock.release();
    return complete;
  }

  /** Whether {@link run} has ended by itself, with nothing left to do. */
  get hasEndedIdle(): boolean {
    return this.#hasEndedIdle;
  }

  /**
   * Whether a program counts on the lock that {@link run} has given back: it lived when that last looked and
   * has a journal still, or its files were not there yet.
   */
  isNeeded(): boolean {
    return !this.#takenOver && this.#tail.hasFiles(this.#leftWriters);
  }

  #isAlone(): boolean {
    const { lingerMs = Number.POSITIVE_INFINITY, isTold } = this.#options;
    return this.idleMs > lingerMs && !isTold?.();
  }

  /**
   * Spans that stay in the directory after the end of {@link run}, as far as there was time to count them.
   */
  get left(): number {
    return this.#left;
  }

  /** Says what has not been said: totals, and what stays behind. */
  #end(): void {
    this.#countLastCopies();
    this.#counts.end();
    if (this.#takenOver) return;
    const { dir } = this.#options;
    // Of a process that takes its time to end, or whose last file a shipper that was killed has deleted,
    // nobody will remove it.
    for (const { identity } of this.#closed) removeDestination(dir, identity.id);
    removeDestinations(dir, (writerId) => this.#tail.writers.has(writerId), LAST_ORPHAN_MS);
    const until = performance.now() + COUNT_MS;
    for (const delivery of this.#deliveries.withLag()) {
      const { count, isMore } = delivery.countLeft(until);
      if (delivery.signal === 'traces') this.#left += count;
      // That log records stay has been said with the reason.
      if ((count === 0 && !isMore) || delivery.isServiceMissing) continue;
      const what = numberOf(count, delivery.signal === 'logs' ? 'log record' : 'span');
      sayLeft(`${isMore ? 'More than ' : ''}${what} for ${delivery.name}`, dir);
    }
    const files = this.#tail.unreadableFiles;
    if (files > 0) sayLeft(`${numberOf(files, 'file')} that the system cannot read`, dir);
  }

  /** What was deleted, and has not been delivered by now, is lost. */
  #countLastCopies(): void {
    const lost: Record<Signal, number> = { traces: 0, logs: 0 };
    for (const writer of this.#tail.writers.values()) {
      for (const signal of SHIPPED_SIGNALS) {
        for (const segment of writer.of(signal).values()) lost[signal] += this.#countLastCopy(segment);
      }
    }
    this.#counts.dropped(lost.traces, lost.logs, `files of ${this.#options.dir} were deleted or moved away`);
  }

  #countLastCopy(segment: TailedSegment): number {
    try {
      return segment.lag > 0 && this.#tail.isLastCopy(segment) ? segment.reader.countUnshipped() : 0;
    } catch {
      return 0; // Not to be read: see the end's word of such files.
    }
  }

  /**
   * The process with this pid has ended: finish its journal now, and tell what was found, also where there is
   * none.
   */
  writerExited({ pid, ...death }: { pid: number } & KnownDeath): void {
    this.#ends.hear(pid, death);
    this.#livenessAt = Number.NEGATIVE_INFINITY;
    this.#sleep.wake();
  }

  /**
   * Ships what there is, and with `untilWritersEnd` what living writers still add, for `deadlineMs` at most.
   */
  stop(deadlineMs: number, untilWritersEnd = false): void {
    const at = performance.now() + deadlineMs;
    this.#stopAt = Math.min(this.#stopAt ?? at, at);
    this.#untilWritersEnd = untilWritersEnd;
    this.#deliveries.stop(this.#stopAt);
    this.#sleep.wake();
  }

  get liveWriters(): number {
    return [...this.#tail.writers.values()].filter(({ isLive }) => isLive).length;
  }

  get hasToPrint(): boolean {
    return this.#deliveries.hasToPrint;
  }

  /** Milliseconds for which the writer that has been seen longest has lived; 0 when none lives. */
  get longestLifeMs(): number {
    let since = performance.now();
    for (const writer of this.#tail.writers.values())
      if (writer.isLive && !writer.isDead()) since = Math.min(since, writer.firstSeenAt);
    return performance.now() - since;
  }

  /** Milliseconds since there was last a living writer, or anything to ship or to recover. */
  get idleMs(): number {
    return this.#isBusy() ? 0 : performance.now() - this.#idleSince;
  }

  #isBusy(): boolean {
    // What was set aside waits for as long as there is something else to do, and for the next start.
    if (this.#lagBytes() > this.#setAsideBytes() || this.liveWriters > 0) return true;
    for (const { finished, unrecovered } of this.#tail.writers.values())
      if (!finished && COMES_BACK.has(unrecovered?.code ?? '')) return true;
    return false;
  }

  stats(): ShipperStats {
    const now = performance.now();
    let oldest = now;
    for (const { segments } of this.#tail.writers.values()) {
      for (const { waitingSince } of segments.values()) if (waitingSince !== 0) oldest = Math.min(oldest, waitingSince);
    }
    const lagMs = Math.round(now - oldest);
    const logRecords = { ...this.#counts.logs, lagBytes: this.#lagBytes('logs') };
    return { ...this.#counts.traces, lagBytes: this.#lagBytes('traces'), lagMs, logRecords };
  }

  #refresh(now: number): void {
    try {
      if (now >= this.#nextLease || this.#tail.hasLastCopies) this.#lookAtLock(now);
      if (this.#takenOver) {
        this.#tail.refresh(now);
        this.#removeFinished();
        return;
      }
      const dead = now >= this.#nextLiveness() ? this.#newlyDead(now) : [];
      // After the deaths are known: what the dead have written is then all there.
      this.#tail.refresh(now);
      const found = this.#deadAmong([...this.#tail.writers.values()].filter(({ seenAliveMs }) => seenAliveMs === 0));
      if (found.length > 0) this.#tail.refresh(now);
      for (const writer of new Set([...dead, ...found])) this.#recover(writer);
      this.#answerExits();
      this.#removeFinished();
      if (now >= this.#nextRoom) {
        this.#nextRoom = now + ROOM_MS;
        this.#tail.removeUndeleted();
        removeOldExits(this.#options.dir);
        removeLeftovers(this.#options.dir, (writerId) => this.#tail.writers.has(writerId));
        removeDestinations(this.#options.dir, (writerId) => this.#tail.writers.has(writerId));
        const { spans, logRecords } = makeRoom(this.#options.dir, 0, this.#options.maxBytes);
        this.#counts.dropped(spans, logRecords, `the journal is at its limit of ${this.#options.maxBytes} bytes`);
      }
    } catch (error) {
      this.#counts.malformed(1, (error as Error).message);
    }
    if (this.#isBusy()) this.#idleSince = now;
  }

  /** Lost to another shipper, or with the directory: what was deleted from that is here alone. */
  #lookAtLock(now: number): void {
    if (this.#takenOver) return;
    this.#nextLease = now + LEASE_MS;
    if (this.#options.lock.isOurs()) {
      this.#options.lock.renew();
      return;
    }
    this.#takenOver = true;
    // The directory may have gone since the last look.
    this.#tail.refresh();
    this.stop(this.#tail.hasLastCopies ? LAST_COPIES_MS : 0);
    this.#tail.leave();
  }

  #newlyDead(now: number): TailedWriter[] {
    this.#livenessAt = now;
    this.#goneAt = this.#goneMs < LIVENESS_MS ? now + this.#goneMs : Number.POSITIVE_INFINITY;
    this.#goneMs *= 2;
    for (const writer of this.#closed) {
      if (!writer.isDead()) continue;
      this.#closed.delete(writer);
      removeDestination(this.#options.dir, writer.identity.id);
      removeLeftoversOf(this.#options.dir, writer.identity.id);
    }
    return this.#deadAmong(this.#tail.writers.values());
  }

  #nextLiveness(): number {
    return Math.min(this.#goneAt, this.#livenessAt + (this.#areAllConnected() ? LIVENESS_CONNECTED_MS : LIVENESS_MS));
  }

  /** Nobody can come to an end without being heard. */
  #areAllConnected(): boolean {
    let isAny = false;
    for (const { identity, finished, wasDead } of this.#tail.writers.values()) {
      if (finished) continue;
      if (wasDead || !this.#connected.has(identity.id)) return false;
      isAny = true;
    }
    return isAny && this.#closed.size === 0;
  }

  /** Nobody writes without being heard; of those whose endpoint is away, what they have waits anyway. */
  #isWokenByAll(): boolean {
    const heard = [...this.#tail.writers.values()].filter((writer) => writer.isWaiting() || !hasLag(writer));
    return this.#connected.tellAsleep(heard.map(({ identity }) => identity.id));
  }

  /** Somebody has connected, or a connection has ended. */
  #heardOf(isClosed: boolean, writerId: string | undefined): void {
    if (isClosed) {
      if (writerId !== undefined) this.#tail.writers.get(writerId)?.seenAlive();
      this.#goneMs = NEWS_MS;
      this.#goneAt = Math.min(this.#goneAt, performance.now() + NEWS_MS);
    }
    this.#sleep.shorten(NEWS_MS);
  }

  #deadAmong(writers: Iterable<TailedWriter>): TailedWriter[] {
    return this.#deadWriters.among(writers, this.#stopAt === undefined);
  }

  #recover(writer: TailedWriter): void {
    const found = this.#recovery.recover(writer);
    if (found === undefined) return;
    this.#options.onRecovered?.({ type: 'recovered', pid: writer.identity.pid, ...found });
    if (found.requestsInterrupted > 0) this.#tail.refresh();
  }

  /** An exit that no journal belongs to is answered too: its parent waits. */
  #answerExits(): void {
    for (const answer of this.#ends.takeUnanswered()) this.#options.onRecovered?.({ type: 'recovered', ...answer });
  }

  #removeFinished(): void {
    for (const writer of this.#tail.writers.values()) {
      for (const segment of writer.allSegments()) {
        if (segment.lag > 0 || segment.isUnreadable || !(writer.finished || segment.sealed)) continue;
        if (segment.isOfLogs && !writer.finished) writer.lastLogs = lastLogsOf(segment.reader, writer.lastLogs);
        this.#tail.remove(writer, segment);
      }
      if (writer.hasSegments) continue;
      if (writer.finished) removeDestination(this.#options.dir, writer.identity.id);
      else if (!writer.hasFiles) this.#closed.add(writer);
    }
  }

  #setAsideBytes(): number {
    let bytes = 0;
    for (const writer of this.#tail.writers.values()) {
      if (writer.isSetAside) for (const { lag } of writer.allSegments()) bytes += lag;
    }
    return bytes;
  }

  /** Of one signal, or of all. */
  #lagBytes(signal?: Signal): number {
    let bytes = 0;
    for (const writer of this.#tail.writers.values()) {
      for (const { lag } of signal ? writer.of(signal).values() : writer.allSegments()) bytes += lag;
    }
    return bytes;
  }

  /**
   * After an answer it is the next that is waited for: not looked for at once, as most often there is none.
   */
  #answered(delivery: Delivery): void {
    const now = performance.now();
    // One that has failed is slept for: how long is known now.
    if (this.#stopAt !== undefined || delivery.isPausing(now)) this.#sleep.wake();
    else this.#sleep.shorten(Math.max(0, delivery.dueInMs(now)));
  }

  #pollMs(deliveries: ReadonlySet<Delivery>, now: number): number {
    let ms = POLL_MAX_MS;
    this.#isAsleep = false;
    if (this.#areAllConnected()) {
      ms = Math.max(ms, Math.min(POLL_CONNECTED_MAX_MS, this.#deliveries.gatherMs));
      const isPausing = deliveries.size > 0 && [...deliveries].every((delivery) => delivery.isPausing(now));
      this.#isAsleep = (isPausing || this.#emptyLooks > LOOKS_BEFORE_SLEEP) && this.#isWokenByAll();
      if (this.#isAsleep) ms = POLL_ASLEEP_MS;
    }
    for (const delivery of deliveries) ms = Math.min(ms, delivery.dueInMs(now));
    ms = Math.max(ms, POLL_MIN_MS);
    return Math.min(ms, Math.max(0, this.#goneAt - now));
  }
}
