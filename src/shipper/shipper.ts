/**
 * Reads the journals of a directory and exports them: the same class in a process of its own and inline in a worker.
 * Nothing here throws or rejects: what cannot be shipped stays, what is lost is counted.
 *
 * @module
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { makeRoom, removeLeftoversOf } from '../journal/journal-directory.js';
import type { ProcessExit } from '../process/process-exit.js';
import { LossReport, warn } from '../warn.js';
import type { Death } from './interrupted-span.js';
import type { ShipperLock } from './lock.js';
import { RECOVERY_SEQUENCE, recoverInFlight } from './recovery.js';
import { RequestBuilder } from './request-builder.js';
import type { FromShipper, ShipperStats } from './shipper-messages.js';
import { isSoundScopeSpans } from './soundness.js';
import { Tail, type TailedSegment, type TailedWriter } from './tail.js';
import type { SendResult, Transport } from './transport.js';

/** gRPC costs 10× less per byte in messages of 1 to 4 MiB than in those of 64 KiB; a Collector takes 4 MiB. */
const REQUEST_BYTES = 2 * 1024 * 1024;
/** Spans wait so long for others to travel with, in milliseconds; no longer once a request is full. */
const GATHER_MS = 300;
const POLL_MIN_MS = 50;
const POLL_MAX_MS = 500;
const LIVENESS_MS = 500;
/** How long a death that was found waits for the word of it: both come at once, and either may be first. */
const TOLD_WITHIN_MS = 300;
const ROOM_MS = 5000;
const LEASE_MS = 5000;
const BACKOFF_MIN_MS = 250;
const BACKOFF_MAX_MS = 5000;
/** How long the exit of a process is remembered: by then its journal has been seen, if it has one. */
const EXIT_MEMORY_MS = 60_000;

export interface ShipperOptions {
  /** The service's journal directory. */
  dir: string;
  /** Held for the directory: renewed, and released at the end. A shipper whose lock has been taken over stops. */
  lock: ShipperLock;
  transport: Transport;
  maxBytes: number;
  /** Whether somebody tells of deaths, with exit code and signal: one that is found is then waited for a moment. @default no */
  isTold?: () => boolean;
  /** Whether waiting for spans keeps the process alive. @default true */
  keepAlive?: boolean;
  /** What was found in the journal of a process that has died. */
  onRecovered?: (found: Extract<FromShipper, { type: 'recovered' }>) => void;
}

/** The end of a process, as its parent knows it. */
interface KnownExit extends Death {
  answered: boolean;
}

/** A request on its way, and what it was made of. */
interface Shipment {
  spans: number;
  parts: { writer: TailedWriter; segment: TailedSegment; next: number }[];
}

export class Shipper {
  readonly #options: ShipperOptions;
  readonly #tail: Tail;
  readonly #builder = new RequestBuilder(REQUEST_BYTES + 64 * 1024);
  /**
   * What has been read for the request at hand, and how much of it is in use. One for all requests: V8 collects the whole heap
   * after some megabytes of new buffers, which was half of the shipper's CPU time.
   */
  readonly #memory = Buffer.allocUnsafeSlow(REQUEST_BYTES + 64 * 1024);
  #inUse = 0;
  readonly #exits = new Map<number, KnownExit>();
  readonly #counts = { read: 0, shipped: 0, refused: 0, dropped: 0, recovered: 0, interrupted: 0 };
  readonly #refusals = new LossReport(
    'FORKTRACE_SPANS_REFUSED',
    (spans, reason) => `The endpoint refused ${spans} spans: ${reason}.`,
  );
  readonly #drops = new LossReport(
    'FORKTRACE_SPANS_DROPPED',
    (spans, reason) => `${spans} spans that were not shipped yet were given up: ${reason}.`,
  );
  readonly #malformed = new LossReport(
    'FORKTRACE_JOURNAL_MALFORMED',
    (count, reason) => `${count} parts of the journal cannot be read and were skipped: ${reason}.`,
  );
  readonly #outages = new LossReport(
    'FORKTRACE_EXPORT_FAILED',
    (attempts, reason) => `${attempts} exports failed and are tried again; spans are kept meanwhile: ${reason}.`,
  );
  #wake = new AbortController();
  /** Set by {@link stop}: when to give up, by `performance.now()`. */
  #stopAt: number | undefined;
  /** Whether to wait for writers that live, too. */
  #untilWritersEnd = false;
  #idleSince = performance.now();
  #nextLiveness = 0;
  #nextRoom = 0;
  #nextLease = 0;
  #firstWriter = 0;

  constructor(options: ShipperOptions) {
    this.#options = options;
    this.#tail = new Tail(options.dir, (path, reason) => this.#malformed.add(1, `${path} is ${reason}`));
  }

  /** Ships until {@link stop}; resolves with whether everything has been shipped. */
  async run(): Promise<boolean> {
    let pollMs = POLL_MIN_MS;
    let complete = false;
    for (;;) {
      const now = performance.now();
      this.#refresh(now);
      const stopping = this.#stopAt !== undefined;
      if (this.#lagBytes() > 0) {
        if (stopping && now > this.#stopAt!) break;
        if (stopping || this.#isWorthwhile(now)) {
          pollMs = POLL_MIN_MS;
          await this.#ship();
          continue;
        }
      } else if (stopping && (!this.#untilWritersEnd || this.liveWriters === 0)) {
        complete = true;
        break;
      } else if (stopping && now > this.#stopAt!) {
        break;
      }
      await this.#sleep(pollMs);
      pollMs = this.#lagBytes() > 0 || stopping ? POLL_MIN_MS : Math.min(pollMs * 1.5, POLL_MAX_MS);
    }
    this.#tail.close();
    this.#options.lock.release();
    return complete;
  }

  /** The process with this pid has ended: finish its journal now, and tell what was found, also where there is none. */
  writerExited(exit: { pid: number } & ProcessExit): void {
    this.#exits.set(exit.pid, { atMs: Date.now(), code: exit.code, signal: exit.signal, answered: false });
    this.#nextLiveness = 0;
    this.#wake.abort();
  }

  /** Ships what there is, and with `untilWritersEnd` what living writers still add, for `deadlineMs` at most. */
  stop(deadlineMs: number, untilWritersEnd = false): void {
    const at = performance.now() + deadlineMs;
    this.#stopAt = Math.min(this.#stopAt ?? at, at);
    this.#untilWritersEnd = untilWritersEnd;
    this.#wake.abort();
  }

  get liveWriters(): number {
    let live = 0;
    for (const { finished } of this.#tail.writers.values()) if (!finished) live++;
    return live;
  }

  /** Milliseconds since there was last a living writer, or anything to ship. */
  get idleMs(): number {
    return this.#lagBytes() > 0 || this.liveWriters > 0 ? 0 : performance.now() - this.#idleSince;
  }

  stats(): ShipperStats {
    const now = performance.now();
    let oldest = now;
    for (const { segments } of this.#tail.writers.values()) {
      for (const { waitingSince } of segments.values()) if (waitingSince !== 0) oldest = Math.min(oldest, waitingSince);
    }
    return { ...this.#counts, lagBytes: this.#lagBytes(), lagMs: Math.round(now - oldest) };
  }

  #refresh(now: number): void {
    try {
      if (now >= this.#nextLease) {
        this.#nextLease = now + LEASE_MS;
        if (this.#options.lock.isOurs()) this.#options.lock.renew();
        else this.stop(0);
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
        const { spans, segments } = makeRoom(this.#options.dir, 0, this.#options.maxBytes);
        this.#counts.dropped += spans;
        if (segments > 0) this.#drops.add(spans, `the journal is at its limit of ${this.#options.maxBytes} bytes`);
      }
    } catch (error) {
      this.#malformed.add(1, (error as Error).message);
    }
    if (this.#lagBytes() > 0 || this.liveWriters > 0) this.#idleSince = now;
  }

  #deadWriters(now: number): TailedWriter[] {
    this.#nextLiveness = now + LIVENESS_MS;
    return this.#deadAmong([...this.#tail.writers.values()]);
  }

  #deadAmong(writers: TailedWriter[]): TailedWriter[] {
    return writers.filter((writer) => {
      if (writer.finished) return false;
      if (writer.isDead()) return !this.#isWordAwaited(writer);
      writer.seenAliveMs = Date.now();
      return false;
    });
  }

  /** The word says what killed the process, and so what to write into its interrupted spans. */
  #isWordAwaited(writer: TailedWriter): boolean {
    if (this.#stopAt !== undefined || this.#exits.has(writer.identity.pid) || !this.#options.isTold?.()) return false;
    const now = performance.now();
    if (writer.seenDeadAt === 0) writer.seenDeadAt = now;
    return now - writer.seenDeadAt < TOLD_WITHIN_MS;
  }

  #recover(writer: TailedWriter): void {
    const { pid } = writer.identity;
    const known = this.#exits.get(pid);
    const death: Death = known ?? { atMs: Math.max(writer.leaseMs, writer.seenAliveMs) };
    let spansRecovered = 0;
    for (const { reader } of writer.segments.values()) spansRecovered += reader.countUnshipped();
    let requestsInterrupted = 0;
    try {
      const bySequence = new Map(
        [...writer.segments.values()].map(({ file, committed }) => [file.sequence, committed]),
      );
      requestsInterrupted = recoverInFlight(
        writer.tables,
        (sequence) => bySequence.get(sequence),
        bySequence.has(RECOVERY_SEQUENCE),
        death,
        (path, reason) => this.#malformed.add(1, `${path}: ${reason}`),
      );
    } catch (error) {
      // No room for the segment of interrupted spans: shipping makes some.
      this.#malformed.add(1, `interrupted spans of process ${pid} have to wait: ${(error as Error).message}`);
      return;
    }
    writer.finished = true;
    this.#counts.recovered += spansRecovered;
    this.#counts.interrupted += requestsInterrupted;
    if (known) known.answered = true;
    this.#options.onRecovered?.({ type: 'recovered', pid, spansRecovered, requestsInterrupted });
    removeLeftoversOf(this.#options.dir, writer.identity.id);
    if (requestsInterrupted > 0) this.#tail.refresh();
  }

  /** An exit that no journal belongs to is answered too: its parent waits. */
  #answerExits(): void {
    const now = Date.now();
    for (const [pid, exit] of this.#exits) {
      if (!exit.answered && !this.#hasLiveWriter(pid)) {
        exit.answered = true;
        this.#options.onRecovered?.({ type: 'recovered', pid, spansRecovered: 0, requestsInterrupted: 0 });
      }
      if (now - exit.atMs > EXIT_MEMORY_MS) this.#exits.delete(pid);
    }
  }

  #hasLiveWriter(pid: number): boolean {
    for (const { identity, finished } of this.#tail.writers.values())
      if (!finished && identity.pid === pid) return true;
    return false;
  }

  #removeFinished(): void {
    for (const writer of this.#tail.writers.values()) {
      for (const segment of writer.segments.values()) {
        if (segment.lag === 0 && (writer.finished || segment.sealed)) this.#tail.remove(writer, segment);
      }
    }
  }

  #lagBytes(): number {
    let bytes = 0;
    for (const { segments } of this.#tail.writers.values()) for (const { lag } of segments.values()) bytes += lag;
    return bytes;
  }

  #isWorthwhile(now: number): boolean {
    if (this.#lagBytes() >= REQUEST_BYTES) return true;
    for (const { segments } of this.#tail.writers.values()) {
      for (const { waitingSince } of segments.values()) {
        if (waitingSince !== 0 && now - waitingSince >= GATHER_MS) return true;
      }
    }
    return false;
  }

  /** Sends one request until it is taken, refused, or given up because of {@link stop}. */
  async #ship(): Promise<void> {
    const shipment = this.#fill();
    let backoffMs = BACKOFF_MIN_MS;
    while (shipment.spans > 0) {
      const result = await this.#send();
      if (result === undefined) return;
      if (result.outcome !== 'retry') {
        this.#account(shipment, result);
        break;
      }
      this.#outages.add(1, result.reason);
      const waitMs = result.afterMs ?? backoffMs * (0.5 + Math.random() / 2);
      backoffMs = Math.min(backoffMs * 2, BACKOFF_MAX_MS);
      const until = performance.now() + waitMs;
      // The dead are recovered and the directory kept in bounds while the endpoint is down.
      for (let now = performance.now(); now < until; now = performance.now()) {
        await this.#sleep(Math.min(until - now, LIVENESS_MS));
        this.#refresh(performance.now());
        if (this.#stopAt !== undefined && until > this.#stopAt) {
          // No time for another try.
          this.#stopAt = 0;
          return;
        }
      }
    }
    this.#advance(shipment);
  }

  /** undefined: no answer by the time that {@link stop} has set. */
  async #send(): Promise<SendResult | undefined> {
    const sent = this.#options.transport.send(this.#builder.request);
    for (;;) {
      const waiting = new AbortController();
      const leftMs = this.#stopAt === undefined ? LIVENESS_MS : this.#stopAt - performance.now();
      if (leftMs <= 0) return undefined;
      const ref = this.#stopAt !== undefined;
      const timer = sleep(Math.min(leftMs, LIVENESS_MS), 'waiting' as const, { signal: waiting.signal, ref }).catch(
        () => 'waiting' as const,
      );
      const result = await Promise.race([sent, timer]);
      waiting.abort();
      if (result !== 'waiting') return result;
      this.#refresh(performance.now());
    }
  }

  #fill(): Shipment {
    this.#builder.clear();
    this.#inUse = 0;
    const shipment: Shipment = { spans: 0, parts: [] };
    const writers = [...this.#tail.writers.values()];
    // Another one first each time, so that none waits for a busier one.
    this.#firstWriter = writers.length > 0 ? (this.#firstWriter + 1) % writers.length : 0;
    for (const writer of [...writers.slice(this.#firstWriter), ...writers.slice(0, this.#firstWriter)]) {
      for (const segment of writer.segments.values()) {
        const room = REQUEST_BYTES - this.#builder.length;
        if (segment.lag <= 0 || room <= 0 || (shipment.spans > 0 && room < REQUEST_BYTES / 16)) continue;
        this.#read(writer, segment, room, shipment);
      }
      this.#builder.endWriter(writer.resource);
    }
    this.#counts.read += shipment.spans;
    return shipment;
  }

  #read(writer: TailedWriter, segment: TailedSegment, room: number, shipment: Shipment): void {
    const memory = this.#memory.subarray(this.#inUse);
    const { bytes, next, corrupt } = segment.reader.read(segment.shipped, segment.committed, room, memory);
    if (bytes.buffer === memory.buffer) this.#inUse += bytes.length;
    // One chunk that is larger than the room: it goes first in a request of its own.
    if (bytes.length > room && shipment.spans > 0) return;
    // A machine that went down leaves pages that were never written. One such span, and the endpoint refuses the whole request.
    const { spans, malformed } = this.#builder.add(bytes, writer.finished ? isSoundScopeSpans : undefined);
    if (malformed > 0) this.#malformed.add(malformed, `${segment.file.path} is corrupt`);
    if (corrupt) {
      segment.corrupt = true;
      this.#malformed.add(1, `${segment.file.path} is corrupt from byte ${next} of its body on`);
    }
    shipment.spans += spans;
    shipment.parts.push({ writer, segment, next });
  }

  #account({ spans }: Shipment, result: Exclude<SendResult, { outcome: 'retry' }>): void {
    if (result.outcome === 'refused') {
      this.#counts.refused += spans;
      this.#refusals.add(spans, result.reason);
      return;
    }
    const rejected = Math.min(result.rejected, spans);
    this.#counts.shipped += spans - rejected;
    this.#counts.refused += rejected;
    if (rejected > 0) this.#refusals.add(rejected, result.message || 'no reason given');
    else if (result.message)
      warn('FORKTRACE_EXPORT_WARNING', `The endpoint took the spans and says: ${result.message}`);
  }

  #advance({ parts }: Shipment): void {
    for (const { writer, segment, next } of parts) {
      // Gone meanwhile: deleted to make room.
      if (!writer.segments.has(segment.file.name)) continue;
      segment.shipped = next;
      segment.waitingSince = 0;
      try {
        segment.reader.storeShipped(next);
      } catch (error) {
        this.#malformed.add(1, `${segment.file.path} cannot be written: ${(error as Error).message}`);
      }
    }
  }

  async #sleep(ms: number): Promise<void> {
    // Woken before it slept, it does not sleep. Somebody waits for one that stops, even if it holds no process open.
    const ref = this.#options.keepAlive !== false || this.#stopAt !== undefined;
    await sleep(ms, undefined, { signal: this.#wake.signal, ref }).catch(() => {});
    if (this.#wake.signal.aborted) this.#wake = new AbortController();
  }
}
