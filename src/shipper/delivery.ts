/**
 * Delivers to one endpoint: what writers have for it is gathered into requests, and sent one at a time.
 *
 * @module
 */
import type { ResolvedExport } from '../config/resolved.js';
import { printable } from '../printable.js';
import type { ExportReport } from './export-report.js';
import { Gatherer, type GathererOptions } from './gatherer.js';
import { Outcomes, type OutcomesOptions } from './outcomes.js';
import { RequestSize } from './request-size.js';
import { RetryTimes } from './retry-times.js';
import type { Shipment } from './shipment.js';
import { Suspects } from './suspects.js';
import type { TailedSegment } from './tailed-segment.js';
import type { TailedWriter } from './tailed-writer.js';
import { createTransport, type Signal, type Transport } from './transport.js';

/**
 * Spans wait so long for others to travel with, in milliseconds; no longer once a request is full. A request
 * costs half a millisecond of this process's CPU, and as much of the endpoint's, however little is in it.
 */
const GATHER_MS = 1000;
/** Where somebody watches. */
const GATHER_WATCHED_MS = 300;
/**
 * To an endpoint that the last request has not reached: what is read and put together for nothing is most of
 * what a try costs.
 */
const UNREACHED_BYTES = 16 * 1024;
/** A writer that lives says where its spans go, and with which login, within this time. */
const SAID_WITHIN_MS = 5000;

/** Spans, or log records, of all their deliveries since the shipper started. */
interface DeliveryCounts {
  read: number;
  shipped: number;
  refused: number;
}

interface DeliveryOptions extends GathererOptions, OutcomesOptions {
  export: ResolvedExport;
  /** Login or certificates are still to be said: nothing is sent before {@link Delivery.use}. */
  isAwaited: boolean;
  report: ExportReport;
  counts: DeliveryCounts;
  writers(): TailedWriter[];
  /** Until it is tried again the first time, in milliseconds. @default 10,000 */
  setAsideMs?: number | undefined;
  /** Until what failed is tried again the first time, in milliseconds. @default 250 */
  retryMs?: number | undefined;
  /** Until a larger request is tried than the last that was too large, in milliseconds. @default 60,000 */
  requestGrowsMs?: number | undefined;
  /** An answer has come: there may be more to send. */
  answered(): void;
}

/** How long what goes there waits for others to travel with, in milliseconds. */
export const gatherMsOf = ({ gatherMs, to }: ResolvedExport): number =>
  gatherMs ?? (to === 'viewer' || to === 'console' ? GATHER_WATCHED_MS : GATHER_MS);

export class Delivery {
  readonly #options: DeliveryOptions;
  #export: ResolvedExport;
  #isAwaited: boolean;
  readonly #since = performance.now();
  #transport: Transport | undefined;
  readonly #size: RequestSize;
  readonly #suspects: Suspects;
  readonly #times: RetryTimes;
  readonly #gatherer: Gatherer;
  readonly #outcomes: Outcomes;
  #shipment: Shipment | undefined;
  #busy = false;
  #sending: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#export = options.export;
    this.#isAwaited = options.isAwaited;
    this.#times = new RetryTimes(options.retryMs);
    this.#suspects = new Suspects(options.setAsideMs);
    this.#size = new RequestSize(options.export.maxRequestBytes, options.requestGrowsMs);
    const gatherer = new Gatherer(options, this.#size, this.#suspects);
    this.#gatherer = gatherer;
    this.#outcomes = new Outcomes(options, this.#size, this.#suspects, this.#times, (index) => gatherer.chunk(index));
  }

  get signal(): Signal {
    return this.#options.signal;
  }

  /** As messages name it. */
  get name(): string {
    return this.#options.report.name;
  }

  /** The endpoint takes nothing of this signal, and that has been said. */
  get isServiceMissing(): boolean {
    return this.#options.report.isMissing;
  }

  /** Stopped, and there is no time for another try. */
  get gaveUp(): boolean {
    return this.#times.gaveUp;
  }

  /** What stays in the journal, as far as it can be counted before `until`, by `performance.now()`. */
  countLeft(until: number): { count: number; isMore: boolean } {
    let count = 0;
    for (const writer of this.#options.writers()) {
      for (const segment of this.#segmentsOf(writer)) {
        if (segment.lag === 0) continue;
        if (performance.now() > until) return { count, isMore: true };
        try {
          count += segment.reader.countUnshipped();
        } catch {
          return { count, isMore: true };
        }
      }
    }
    return { count, isMore: false };
  }

  /** Sends the next request, if there is one worth sending and none on its way. */
  pump(now: number): void {
    const times = this.#times;
    if (this.#busy || this.#closed || times.gaveUp || now < times.notBefore) return;
    if (!this.#shipment && !times.isStopping && this.#gatheredInMs(now) > 0) return;
    if (this.#isAwaited) {
      this.#awaitTarget(now);
      return;
    }
    this.#busy = true;
    this.#sending = this.#sendNext()
      .catch((error: Error) => {
        // What it could not send with is not there. What it would have sent is gathered anew.
        this.#shipment = undefined;
        this.#options.report.failed({ outcome: 'blocked', reason: printable(error.message) });
        times.cannotSend();
      })
      .finally(() => {
        this.#busy = false;
        this.#options.answered();
      });
  }

  /** Sends on until `stopAt`, without waiting for more to gather. */
  stop(stopAt: number): void {
    this.#times.stop(stopAt);
    this.#suspects.wake();
  }

  /** Login or certificates have changed: tried at once. */
  use(target: ResolvedExport): void {
    this.#export = target;
    this.#isAwaited = false;
    const old = this.#transport;
    this.#transport = undefined;
    this.#times.targetChanged();
    // One that is under way is answered first.
    if (old) void this.#sending.finally(() => old.close());
  }

  /**
   * Milliseconds until there is something to do, as far as that can be told; Infinity: an answer says when.
   */
  dueInMs(now: number): number {
    if (this.#busy) return Number.POSITIVE_INFINITY;
    const waitsMs = this.#times.notBefore - now;
    return this.#shipment === undefined ? Math.max(waitsMs, this.#gatheredInMs(now)) : waitsMs;
  }

  /** Nothing is sent for a while, as the last request has failed. */
  isPausing(now: number): boolean {
    return this.#times.notBefore > now;
  }

  close(): void {
    this.#closed = true;
    if (this.#shipment) this.#advance(this.#shipment);
    this.#transport?.close();
    this.#options.report.end();
  }

  #awaitTarget(now: number): void {
    const times = this.#times;
    if (!times.isStopping && now - this.#since < SAID_WITHIN_MS) return;
    const reason = 'no process that runs has said the headers or certificates that its writers had';
    this.#options.report.failed({ outcome: 'blocked', reason });
    times.cannotSend();
    if (times.isStopping) times.gaveUp = true;
  }

  #segmentsOf(writer: TailedWriter): Iterable<TailedSegment> {
    return writer.of(this.#options.signal).values();
  }

  /** Until enough has been gathered: by the time that it waits, or by how fast it grows. */
  #gatheredInMs(now: number): number {
    let bytes = 0;
    let since = now;
    let soonest = Number.POSITIVE_INFINITY;
    for (const writer of this.#options.writers()) {
      const waitsMs = this.#suspects.notBefore(writer) - now;
      if (waitsMs > 0) soonest = Math.min(soonest, waitsMs);
      for (const { lag, waitingSince } of waitsMs > 0 ? [] : this.#segmentsOf(writer)) {
        if (lag === 0) continue;
        // Nothing comes after it.
        if (writer.finished) return 0;
        bytes += lag;
        since = Math.min(since, waitingSince);
      }
    }
    if (bytes >= this.#size.bytes) return 0;
    const waited = now - since;
    const full = bytes > 0 && waited > 0 ? ((this.#size.bytes - bytes) * waited) / bytes : Number.POSITIVE_INFINITY;
    return Math.min(bytes > 0 ? gatherMsOf(this.#export) - waited : Number.POSITIVE_INFINITY, full, soonest);
  }

  async #sendNext(): Promise<void> {
    const { isStopping, isUnreached } = this.#times;
    this.#shipment ??= this.#gatherer.gather(isStopping, isUnreached && !isStopping ? UNREACHED_BYTES : undefined);
    const shipment = this.#shipment;
    const range = shipment.takeNext();
    if (!range) {
      // Nothing in it could be read, or all that there is is left.
      this.#times.gaveUp = shipment.parts.length === 0 && this.#times.isStopping;
      this.#finish(shipment);
      return;
    }
    this.#transport ??= await createTransport(this.#export, this.#options.signal);
    const request = this.#gatherer.encode(range);
    const result = await this.#transport.send(request);
    if (this.#closed) return;
    this.#outcomes.apply(shipment, range, request.length, result);
    if (shipment.isOver && !shipment.isGivenUp) {
      this.#finish(shipment);
      return;
    }
    this.#advance(shipment);
    if (shipment.isGivenUp) this.#shipment = undefined;
  }

  #finish(shipment: Shipment): void {
    this.#shipment = undefined;
    for (const part of shipment.parts) this.#store(part, part.next);
    const { suspect } = shipment;
    const hasMore = suspect !== undefined && [...this.#segmentsOf(suspect)].some(({ lag }) => lag > 0);
    this.#outcomes.over(shipment, hasMore);
  }

  /** Stores how far each segment has come without a gap: a shipper that follows sends the rest. */
  #advance(shipment: Shipment): void {
    for (const part of shipment.parts) {
      const done = shipment.doneOf(part);
      if (done === part.first) continue;
      this.#store(part, done === part.end ? part.next : part.from + this.#gatherer.endOf(done - 1));
    }
  }

  #store({ writer, segment }: Shipment['parts'][number], shipped: number): void {
    // Gone meanwhile: deleted to make room.
    if (shipped <= segment.shipped || !writer.of(this.#options.signal).has(segment.file.name)) return;
    segment.shipped = shipped;
    segment.waitingSince = 0;
    try {
      segment.reader.storeShipped(shipped);
    } catch (error) {
      this.#options.malformed(1, `${segment.file.path} cannot be written: ${(error as Error).message}`);
    }
  }
}
