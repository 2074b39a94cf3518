/**
 * Reads the journals of a directory and exports them: the same class in a process of its own and inline in a
 * worker. Nothing here throws or rejects: what cannot be shipped stays, what is lost is counted.
 *
 * @module
 */

import type { ResolvedExport } from '../config/resolved.js';
import { causeOfDeath } from '../forensics/cause-of-death.js';
import { type RedactLastWords, redacted } from '../forensics/last-words.js';
import { ownEnd } from '../forensics/own-end.js';
import { isOrdinary, type LogInBrief, postMortemId } from '../forensics/post-mortem.js';
import { endOfStderrFile } from '../forensics/stderr-file.js';
import { vitalsOf } from '../forensics/vitals-table.js';
import { isFromHere } from '../journal/identity.js';
import { makeRoom, removeLeftovers, removeLeftoversOf } from '../journal/journal-directory.js';
import { monotonicAt } from '../journal/monotonic.js';
import { addRefused } from '../journal/refused.js';
import { readVitals } from '../journal/vitals.js';
import { numberOf } from '../number-of.js';
import { removeOldExits } from '../process/told-exit.js';
import { LossReport, warn } from '../warn.js';
import { Delivery } from './delivery.js';
import {
  type Destination,
  destinationOf,
  everythingSaid,
  logsExportOf,
  readDestination,
  removeDestination,
  removeDestinations,
  type Said,
} from './destination.js';
import { ExportReport } from './export-report.js';
import { isAwaited } from './fresh-export.js';
import type { Death } from './interrupted-span.js';
import { isOfCoordinator, isThread, KnownEnds } from './known-ends.js';
import { lastLogsOf } from './last-logs.js';
import type { ShipperLock } from './lock.js';
import { RECOVERY_SEQUENCE, recoverInFlight } from './recovery.js';
import { setAside } from './set-aside.js';
import type { FromShipper, KnownDeath, ShipperStats } from './shipper-messages.js';
import { Tail, type TailedWriter } from './tail.js';
import type { Signal } from './transport.js';
import { WakingSleep } from './waking-sleep.js';
import { keepPostMortemOf } from './writer-post-mortem.js';

/** How long the shipper sleeps between two looks: until a delivery is due, within these bounds. */
const POLL_MIN_MS = 50;
const POLL_MAX_MS = 500;
const LIVENESS_MS = 500;
/** How long a death that was found waits for the word of it: both come at once, and either may be first. */
const TOLD_WITHIN_MS = 300;
/**
 * And one of a coordinator that lives, which tells of every death: it may have to read a worker's last words
 * first, or twenty have died at once.
 */
const TOLD_BY_COORDINATOR_WITHIN_MS = 5000;
/** How long a process manager may take to write what a process has said last. */
const WRITTEN_WITHIN_MS = 100;
const ROOM_MS = 5000;
const LEASE_MS = 5000;
/** For the spans of files that a stranger has deleted, when the directory is another shipper's. */
const LAST_COPIES_MS = 10_000;
/** For counting what is left, when a shipper ends. */
const COUNT_MS = 250;

export interface ShipperOptions {
  /** The service's journal directory. */
  dir: string;
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
   * Whether somebody tells of deaths, with exit code and signal: one that is found is then waited for a
   * moment. @default no
   */
  isTold?: () => boolean;
  /**
   * Ends {@link Shipper.run} after so many milliseconds without a living writer and with nothing to ship.
   * @default never
   */
  lingerMs?: number;
  /** Until what was set aside is tried again the first time, in milliseconds. @default 10,000 */
  setAsideMs?: number | undefined;
  /** Until a larger request is tried than the last that was too large, in milliseconds. @default 60,000 */
  requestGrowsMs?: number | undefined;
  /** Whether waiting for spans keeps the process alive. @default true */
  keepAlive?: boolean;
  /** Called with last words that a process manager's file has, as nobody else's. */
  redactLastWords?: RedactLastWords;
  /** What was found in the journal of a process that has died. */
  onRecovered?: (found: Extract<FromShipper, { type: 'recovered' }>) => void;
}

const NOT_WRITABLE: ReadonlySet<string> = new Set(['EROFS', 'EACCES', 'EPERM']);

const SIGNALS: readonly Signal[] = ['traces', 'logs'];

const keyOf = (signal: Signal, { id }: Destination): string => `${signal} ${id}`;

export class Shipper {
  readonly #options: ShipperOptions;
  readonly #tail: Tail;
  /** By signal and {@link Destination.id}. */
  readonly #deliveries = new Map<string, Delivery>();
  /** The newest word for each destination. */
  readonly #words = new Map<string, ResolvedExport>();
  readonly #saidAt = new Map<string, number>();
  readonly #own: Record<Signal, Destination>;
  readonly #ends: KnownEnds;
  readonly #counts = { read: 0, shipped: 0, refused: 0, dropped: 0, recovered: 0, interrupted: 0 };
  readonly #logCounts = { read: 0, shipped: 0, refused: 0, dropped: 0 };
  readonly #drops = new LossReport(
    'FORKTRACE_SPANS_DROPPED',
    (spans, reason) => `${numberOf(spans, 'span')} dropped before they were shipped: ${reason}.`,
  );
  readonly #logDrops = new LossReport(
    'FORKTRACE_SPANS_DROPPED',
    (records, reason) => `${numberOf(records, 'log record')} dropped before they were shipped: ${reason}.`,
  );
  readonly #malformed = new LossReport(
    'FORKTRACE_JOURNAL_MALFORMED',
    (count, reason) => `${numberOf(count, 'unreadable part')} of the journal skipped: ${reason}.`,
  );
  /** Their journals are closed and delivered; what they have said goes with their processes. */
  readonly #closed = new Set<TailedWriter>();
  readonly #sleep = new WakingSleep();
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
  #nextLiveness = 0;
  #nextRoom = 0;
  #nextLease = 0;

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#tail = new Tail(options.dir, (path, reason) => this.#malformed.add(1, `${path} is ${reason}`));
    this.#ends = new KnownEnds(options.dir, () => this.#tail.writers.values());
    const logs = logsExportOf(options.export);
    this.#own = { traces: destinationOf(options.export), logs: destinationOf(logs, 'logs') };
    this.#words.set(keyOf('traces', this.#own.traces), options.export);
    this.#words.set(keyOf('logs', this.#own.logs), logs);
  }

  /** What a writer, or its own starter, says of a destination: the newest word is what is sent with. */
  hear(target: ResolvedExport, at: number): void {
    this.#hear('traces', target, at);
    const isOwn = destinationOf(target).id === this.#own.traces.id;
    const logs = target.logs ?? (isOwn ? logsExportOf(target) : undefined);
    if (logs) this.#hear('logs', logs, at);
  }

  #hear(signal: Signal, target: ResolvedExport, at: number): void {
    const key = keyOf(signal, destinationOf(target, signal));
    // After a shipper was killed, writers say again what they know, in any order.
    if (at < (this.#saidAt.get(key) ?? 0)) return;
    this.#saidAt.set(key, at);
    const known = this.#words.get(key);
    this.#words.set(key, target);
    if (JSON.stringify(known) === JSON.stringify(target)) return;
    this.#deliveries.get(key)?.use(target);
    this.#sleep.wake();
  }

  /** Where a writer's items of a signal go. */
  #destinationOf(writer: TailedWriter, signal: Signal): Destination {
    if (this.#options.everythingThere) return this.#own[signal];
    const said = this.#saidBy(writer);
    return (signal === 'logs' ? said?.logs : said) ?? this.#own[signal];
  }

  #saidBy(writer: TailedWriter): Said | undefined {
    writer.destination ??= readDestination(this.#options.dir, writer.identity.id);
    return writer.destination;
  }

  /** Of every destination that there is something for. */
  #deliver(): Set<Delivery> {
    const found = new Set<Delivery>();
    for (const writer of this.#tail.writers.values()) {
      if (this.#isHeld(writer)) continue;
      for (const signal of SIGNALS) {
        if (![...writer.of(signal).values()].some(({ lag }) => lag > 0)) continue;
        const destination = this.#destinationOf(writer, signal);
        const key = keyOf(signal, destination);
        const delivery = this.#deliveries.get(key) ?? this.#open(signal, destination);
        this.#deliveries.set(key, delivery);
        found.add(delivery);
      }
    }
    return found;
  }

  /** A shipper that stops sends what there is, as it is. */
  #isHeld(writer: TailedWriter): boolean {
    return this.#stopAt === undefined && writer.isWaiting();
  }

  #open(signal: Signal, destination: Destination): Delivery {
    const key = keyOf(signal, destination);
    const word = this.#words.get(key);
    const target: ResolvedExport = word ?? {
      to: destination.to,
      url: destination.url,
      headers: {},
      compression: 'none',
      timeoutMs: this.#options.export.timeoutMs,
      tls: {},
    };
    const delivery = new Delivery({
      signal,
      export: target,
      isAwaited: word ? isAwaited(word) : destination.needsLogin,
      report: new ExportReport(target, signal),
      counts: signal === 'logs' ? this.#logCounts : this.#counts,
      writers: () =>
        [...this.#tail.writers.values()].filter(
          (writer) => !this.#isHeld(writer) && keyOf(signal, this.#destinationOf(writer, signal)) === key,
        ),
      malformed: (count, what) => this.#malformed.add(count, what),
      refused: (spans, errorType) => {
        if (signal !== 'traces') return;
        for (const [writer, count] of spans) {
          const id = this.#saidBy(writer)?.setAsideOf ?? writer.identity.id;
          addRefused(this.#options.dir, id, errorType, count);
        }
      },
      setAside: (writer, chunk) => setAside(this.#options.dir, writer, signal, chunk),
      setAsideMs: this.#options.setAsideMs,
      requestGrowsMs: this.#options.requestGrowsMs,
      answered: () => this.#answered(delivery),
    });
    if (this.#stopAt !== undefined) delivery.stop(this.#stopAt);
    return delivery;
  }

  /** Ships until {@link stop}; resolves with whether everything has been shipped. */
  async run(): Promise<boolean> {
    let complete = false;
    for (;;) {
      const now = performance.now();
      this.#refresh(now);
      const stopping = this.#stopAt !== undefined;
      if (!stopping && this.#isAlone()) {
        this.#hasEndedIdle = true;
        complete = true;
        break;
      }
      const isLate = stopping && now > this.#stopAt!;
      const deliveries = this.#deliver();
      if (deliveries.size > 0) {
        if (isLate || [...deliveries].every(({ gaveUp }) => gaveUp)) break;
        for (const delivery of deliveries) delivery.pump(now);
      } else if (stopping && (!this.#untilWritersEnd || this.liveWriters === 0)) {
        complete = true;
        break;
      } else if (isLate) {
        break;
      }
      const ms = stopping ? Math.max(0, Math.min(POLL_MIN_MS, this.#stopAt! - now)) : pollMsOf(deliveries, now);
      // Somebody waits for one that stops, even if it holds no process open.
      await this.#sleep.sleep(ms, stopping || this.#options.keepAlive !== false);
    }
    for (const delivery of this.#deliveries.values()) delivery.close();
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
    this.#drops.end();
    this.#logDrops.end();
    this.#malformed.end();
    if (this.#takenOver) return;
    const { dir } = this.#options;
    const until = performance.now() + COUNT_MS;
    for (const delivery of this.#deliver()) {
      const { count, isMore } = delivery.countLeft(until);
      if (delivery.signal === 'traces') this.#left += count;
      // That log records stay has been said with the reason.
      if (count === 0 || delivery.isServiceMissing) continue;
      const what = numberOf(count, delivery.signal === 'logs' ? 'log record' : 'span');
      warn(
        'FORKTRACE_SPANS_LEFT',
        `${isMore ? 'More than ' : ''}${what} for ${delivery.name} left in ${dir}: the next start of the service delivers the rest, or: forktrace ship ${dir}`,
      );
    }
  }

  /** What was deleted, and has not been delivered by now, is lost. */
  #countLastCopies(): void {
    const lost: Record<Signal, number> = { traces: 0, logs: 0 };
    for (const writer of this.#tail.writers.values()) {
      for (const signal of SIGNALS) {
        for (const segment of writer.of(signal).values())
          if (segment.lag > 0 && this.#tail.isLastCopy(segment)) lost[signal] += segment.reader.countUnshipped();
      }
    }
    this.#countDropped(lost.traces, lost.logs, `files of ${this.#options.dir} were deleted or moved away`);
  }

  #countDropped(spans: number, logRecords: number, reason: string): void {
    this.#counts.dropped += spans;
    this.#logCounts.dropped += logRecords;
    if (spans > 0) this.#drops.add(spans, reason);
    if (logRecords > 0) this.#logDrops.add(logRecords, reason);
  }

  /**
   * The process with this pid has ended: finish its journal now, and tell what was found, also where there is
   * none.
   */
  writerExited({ pid, ...death }: { pid: number } & KnownDeath): void {
    this.#ends.hear(pid, death);
    this.#nextLiveness = 0;
    this.#sleep.wake();
  }

  /**
   * Ships what there is, and with `untilWritersEnd` what living writers still add, for `deadlineMs` at most.
   */
  stop(deadlineMs: number, untilWritersEnd = false): void {
    const at = performance.now() + deadlineMs;
    this.#stopAt = Math.min(this.#stopAt ?? at, at);
    this.#untilWritersEnd = untilWritersEnd;
    for (const delivery of this.#deliveries.values()) delivery.stop(this.#stopAt);
    this.#sleep.wake();
  }

  get liveWriters(): number {
    return [...this.#tail.writers.values()].filter(({ isLive }) => isLive).length;
  }

  /** Milliseconds for which the writer that has been seen longest has lived; 0 when none lives. */
  get longestLifeMs(): number {
    let since = performance.now();
    for (const { finished, firstSeenAt } of this.#tail.writers.values())
      if (!finished) since = Math.min(since, firstSeenAt);
    return performance.now() - since;
  }

  /** Milliseconds since there was last a living writer, or anything to ship or to recover. */
  get idleMs(): number {
    return this.#isBusy() ? 0 : performance.now() - this.#idleSince;
  }

  #isBusy(): boolean {
    // What was set aside waits for as long as there is something else to do, and for the next start.
    if (this.#lagBytes() > this.#setAsideBytes() || this.liveWriters > 0) return true;
    // Room comes back; a file system that may not be written does not become another by waiting.
    for (const { finished, unrecovered } of this.#tail.writers.values())
      if (!finished && unrecovered && !NOT_WRITABLE.has(unrecovered.code ?? '')) return true;
    return false;
  }

  stats(): ShipperStats {
    const now = performance.now();
    let oldest = now;
    for (const { segments } of this.#tail.writers.values()) {
      for (const { waitingSince } of segments.values()) if (waitingSince !== 0) oldest = Math.min(oldest, waitingSince);
    }
    const lagMs = Math.round(now - oldest);
    const logRecords = { ...this.#logCounts, lagBytes: this.#lagBytes('logs') };
    return { ...this.#counts, lagBytes: this.#lagBytes('traces'), lagMs, logRecords };
  }

  #refresh(now: number): void {
    try {
      if (now >= this.#nextLease || this.#tail.hasLastCopies) this.#lookAtLock(now);
      if (this.#takenOver) {
        this.#tail.refresh(now);
        this.#removeFinished();
        return;
      }
      const dead = now >= this.#nextLiveness ? this.#deadWriters(now) : [];
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
        this.#countDropped(spans, logRecords, `the journal is at its limit of ${this.#options.maxBytes} bytes`);
      }
    } catch (error) {
      this.#malformed.add(1, (error as Error).message);
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

  #deadWriters(now: number): TailedWriter[] {
    this.#nextLiveness = now + LIVENESS_MS;
    for (const writer of this.#closed) {
      if (!writer.isDead()) continue;
      this.#closed.delete(writer);
      removeDestination(this.#options.dir, writer.identity.id);
      removeLeftoversOf(this.#options.dir, writer.identity.id);
    }
    return this.#deadAmong([...this.#tail.writers.values()]);
  }

  /** Threads first, mostly: what their process has written is there as long as its own journal is. */
  #deadAmong(writers: TailedWriter[]): TailedWriter[] {
    const threadsFirst = [...writers].sort((a, b) => Number(isThread(b)) - Number(isThread(a)));
    return threadsFirst.filter((writer) => {
      if (writer.finished) return false;
      if (writer.isDead()) return !this.#isWordAwaited(writer);
      writer.seenAliveMs = Date.now();
      writer.seenAliveMonotonicMs = monotonicAt(performance.now());
      return false;
    });
  }

  /**
   * The word says what killed the process, and so what to write into its interrupted spans; its last words
   * do, too.
   */
  #isWordAwaited(writer: TailedWriter): boolean {
    const now = performance.now();
    if (writer.seenDeadAt === 0) writer.seenDeadAt = now;
    if (this.#stopAt !== undefined) return false;
    const waitedMs = now - writer.seenDeadAt;
    if (waitedMs < WRITTEN_WITHIN_MS && this.#saidBy(writer)?.stderr) return true;
    if (this.#ends.exitOf(writer) !== undefined) return false;
    const isTold = this.#options.isTold?.() === true;
    if (isTold && isOfCoordinator(writer)) return waitedMs < TOLD_BY_COORDINATOR_WITHIN_MS;
    // Somebody may be its parent who knows, unless it has said how it ends itself.
    const isSaid = this.#ends.recordOf(writer) !== undefined;
    return waitedMs < TOLD_WITHIN_MS && (isTold || !isSaid);
  }

  #recover(writer: TailedWriter): void {
    const { pid } = writer.identity;
    const known = this.#ends.exitOf(writer);
    const { atMs, monotonicMs } = known ?? writer.aliveUntil();
    // Before what the writer left is removed.
    const page = readVitals(this.#options.dir, writer.identity.id);
    const record = this.#ends.recordOf(writer);
    const vitals = page && vitalsOf(page.numbers);
    const orphaned = known === undefined && isOfCoordinator(writer);
    const written = this.#lastWordsOf(writer);
    const cause = causeOfDeath({ told: known, record, vitals, lastWords: written, orphaned });
    const lastWords = isOrdinary(cause, 0) ? undefined : this.#redacted(writer, written);
    const id = postMortemId(writer.identity.id);
    const death: Death = {
      id,
      atMs,
      monotonicMs,
      ...cause,
      record,
      block: ownEnd(record, cause.cause) ?? known?.block,
      lastWords,
    };
    const lastLogs = lastLogsOfWriter(writer);
    let spansRecovered = 0;
    for (const reader of writer.readers()) spansRecovered += reader.countUnshipped();
    let requestsInterrupted = 0;
    try {
      // One that lives after all goes on elsewhere: what is there now is all of it.
      const bySequence = new Map<number, number>();
      for (const { reader } of writer.logs.values()) reader.endWriter();
      for (const reader of writer.readers()) {
        reader.endWriter();
        bySequence.set(reader.header.sequence, reader.state().committed);
      }
      for (const segment of writer.allSegments()) segment.refresh(performance.now());
      requestsInterrupted = recoverInFlight({
        tables: writer.tables,
        committedOf: (sequence) => bySequence.get(sequence),
        recovered: bySequence.has(RECOVERY_SEQUENCE),
        death,
        described: writer,
        report: (path, reason) => this.#malformed.add(1, `${path}: ${reason}`),
        found: (entries, roles) =>
          keepPostMortemOf(this.#options.dir, writer, death, {
            vitals,
            entries,
            roles,
            lastWords: known?.lastWords ?? lastWords,
            lastLogs,
          }),
      });
    } catch (error) {
      // No room for the segment of interrupted spans: shipping makes some.
      writer.unrecovered = error as NodeJS.ErrnoException;
      this.#malformed.add(1, `interrupted spans of process ${pid} have to wait: ${(error as Error).message}`);
      return;
    }
    writer.finished = true;
    this.#counts.recovered += spansRecovered;
    this.#counts.interrupted += requestsInterrupted;
    const deathId = isOrdinary(cause, requestsInterrupted) ? undefined : id;
    const found = {
      ...{ spansRecovered, requestsInterrupted, cause: cause.cause, deathId, record, vitals: vitals?.last },
      lastLogs: deathId === undefined ? undefined : lastLogs,
    };
    this.#ends.recovered(writer, found);
    this.#options.onRecovered?.({ type: 'recovered', pid, ...found });
    removeLeftoversOf(this.#options.dir, writer.identity.id);
    if (requestsInterrupted > 0) this.#tail.refresh();
  }

  /** Of a process that has a file for them; it may have been followed by another that writes to the same. */
  #lastWordsOf(writer: TailedWriter): string | undefined {
    const stderr = this.#saidBy(writer)?.stderr;
    if (stderr === undefined || !isFromHere(writer.identity)) return undefined;
    const others = everythingSaid(this.#options.dir).flatMap((said) => said.stderr ?? []);
    return endOfStderrFile(stderr, others);
  }

  /** Where they need a function that is not here, nothing. */
  #redacted(writer: TailedWriter, lastWords: string | undefined): string | undefined {
    const { redactLastWords } = this.#options;
    if (lastWords === undefined || (this.#saidBy(writer)?.stderr?.needsRedaction && !redactLastWords)) return undefined;
    return redacted(lastWords, redactLastWords);
  }

  /** An exit that no journal belongs to is answered too: its parent waits. */
  #answerExits(): void {
    for (const answer of this.#ends.takeUnanswered()) this.#options.onRecovered?.({ type: 'recovered', ...answer });
  }

  #removeFinished(): void {
    for (const writer of this.#tail.writers.values()) {
      for (const segment of writer.allSegments()) {
        if (segment.lag > 0 || !(writer.finished || segment.sealed)) continue;
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
    if (this.#stopAt !== undefined) this.#sleep.wake();
    else this.#sleep.shorten(Math.max(0, delivery.dueInMs(performance.now())));
  }
}

function lastLogsOfWriter({ logs, lastLogs }: TailedWriter): LogInBrief[] {
  const inOrder = [...logs.values()].sort((a, b) => a.file.sequence - b.file.sequence);
  return inOrder.reduce((before, { reader }) => lastLogsOf(reader, before), lastLogs);
}

function pollMsOf(deliveries: Iterable<Delivery>, now: number): number {
  let ms = POLL_MAX_MS;
  for (const delivery of deliveries) ms = Math.min(ms, delivery.dueInMs(now));
  return Math.max(ms, POLL_MIN_MS);
}
