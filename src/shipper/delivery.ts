/**
 * Delivers to one endpoint: gathers what writers have for it into requests, sends one at a time, and decides
 * from each answer what becomes of its spans. A request that is refused is taken apart until what is to blame
 * is alone; all else waits or passes.
 *
 * @module
 */
import type { ResolvedExport } from '../config/resolved.js';
import { printable } from '../printable.js';
import type { ExportReport } from './export-report.js';
import { RequestBuilder } from './request-builder.js';
import { RequestSize } from './request-size.js';
import { SET_ASIDE_TIMES, Suspects } from './suspects.js';
import type { TailedSegment, TailedWriter } from './tail.js';
import { createTransport, type SendResult, type Signal, type Transport } from './transport.js';

/**
 * Spans wait so long for others to travel with, in milliseconds; no longer once a request is full. A request
 * costs half a millisecond of this process's CPU, and as much of the endpoint's, however little is in it.
 */
const GATHER_MS = 1000;
/** Where somebody watches. */
const GATHER_WATCHED_MS = 300;
const BACKOFF_MIN_MS = 250;
const BACKOFF_MAX_MS = 5000;
/** While a login or an address is wrong. */
const BLOCKED_MIN_MS = 1000;
const BLOCKED_MAX_MS = 60_000;
/** An endpoint that is ill answers as one that a span makes stumble: tries before spans are suspected. */
const MOST_UNCERTAIN_ANSWERS = 3;
/**
 * So many parts are refused and none is taken, and it is the endpoint that refuses everything: nobody's data
 * is to blame.
 */
const REFUSALS = 128;
/**
 * Of them the largest first, to find a part that passes wherever it is; then the smallest, where bad spans
 * are everywhere.
 */
const LARGEST_FIRST = 64;
/** A writer that lives says its word within this time. */
const WORD_MS = 5000;
/** Smaller requests are not what a connection is cut for. */
const SMALL_REQUEST_BYTES = 64 * 1024;
const CUTS = 2;
/** Requests in a row that an endpoint seems to fail over, before spans are suspected. */
const MOST_DOUBTS = 5;
/** Parts of one request. Then others have their turn. */
const DOUBTS = 16;
/** Journals of what was set aside: an endpoint that fails over more is ill. */
const MOST_SET_ASIDE = 100;
/** So often the connection is cut for one large span alone, while others are taken, and it is given up. */
const LONE_CUTS = 5;

/** Spans, or log records, of all their deliveries since the shipper started. */
export interface DeliveryCounts {
  read: number;
  shipped: number;
  refused: number;
}

export interface DeliveryOptions {
  /** What is delivered: spans, or log records. */
  signal: Signal;
  export: ResolvedExport;
  /** Login or certificates are still to be said: nothing is sent before {@link Delivery.use}. */
  isAwaited: boolean;
  report: ExportReport;
  counts: DeliveryCounts;
  /** The writers of what goes here. */
  writers(): TailedWriter[];
  /** Something was found in a journal that cannot be read. */
  malformed(count: number, what: string): void;
  /** Items of these writers were refused for good. */
  refused(spans: ReadonlyMap<TailedWriter, number>, errorType: string): void;
  /**
   * Keeps one item of a writer in a journal of its own.
   * @returns the id of that
   * @throws what the file system says
   */
  setAside(writer: TailedWriter, chunk: Uint8Array): string;
  /** Until it is tried again the first time, in milliseconds. @default 10,000 */
  setAsideMs?: number | undefined;
  /** Until a larger request is tried than the last that was too large, in milliseconds. @default 60,000 */
  requestGrowsMs?: number | undefined;
  /** An answer has come: there may be more to send. */
  answered(): void;
}

/** It has not been taken, and may be later. */
type Failed = Extract<SendResult, { outcome: 'retry' | 'blocked' }>;

/** A part of a shipment, by index in the builder. */
interface Range {
  from: number;
  to: number;
}

/** What was gathered, and how far it has come. */
interface Shipment {
  spans: number;
  parts: { writer: TailedWriter; segment: TailedSegment; from: number; next: number; first: number; end: number }[];
  /** What is still to be sent. */
  ranges: Range[];
  /** 1 for each span that was taken or refused. */
  done: Uint8Array;
  /** Spans that were refused alone, as long as nothing else has been taken. */
  suspects: number[];
  /** Spans that have been refused alone once, and are asked for again, now that others have been taken. */
  again: Set<number>;
  /** Something of this shipment has been taken, or of others often enough: the endpoint works. */
  taken: boolean;
  refusals: number;
  /** The connection was cut for a single span. */
  loneCuts: number;
  /** Whose spans it has alone, each of them looked into. */
  suspect: TailedWriter | undefined;
}

export class Delivery {
  readonly #options: DeliveryOptions;
  #export: ResolvedExport;
  #isAwaited: boolean;
  readonly #since = performance.now();
  #transport: Transport | undefined;
  readonly #builder: RequestBuilder;
  /**
   * What has been read for the request at hand, and how much of it is in use. One for all requests: V8
   * collects the whole heap after some megabytes of new buffers, which was half of the shipper's CPU time.
   */
  readonly #memory: Buffer;
  #inUse = 0;
  readonly #size: RequestSize;
  #shipment: Shipment | undefined;
  #busy = false;
  #sending: Promise<void> = Promise.resolve();
  /** `performance.now()` before which nothing is tried. */
  #notBefore = 0;
  #backoffMs = BACKOFF_MIN_MS;
  #blockedMs = BLOCKED_MIN_MS;
  #uncertainAnswers = 0;
  #cuts = 0;
  #firstWriter = 0;
  readonly #suspects: Suspects;
  #doubts = 0;
  /** Ids of the journals of what this has set aside. */
  readonly #setAside = new Set<string>();
  /** The last shipment was a suspect's. */
  #wasSuspect = false;
  #stopAt: number | undefined;
  #closed = false;
  /** Stopped, and there is no time for another try. */
  gaveUp = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#export = options.export;
    this.#isAwaited = options.isAwaited;
    this.#suspects = new Suspects(options.setAsideMs);
    this.#size = new RequestSize(options.export.maxRequestBytes, options.requestGrowsMs);
    const capacity = this.#size.most + 64 * 1024;
    this.#builder = new RequestBuilder(capacity, options.signal);
    this.#memory = Buffer.allocUnsafeSlow(capacity);
  }

  /** Bytes that are committed and not delivered. */
  lagBytes(): number {
    let bytes = 0;
    for (const writer of this.#options.writers()) for (const { lag } of this.#segmentsOf(writer)) bytes += lag;
    return bytes;
  }

  /** Sends the next request, if there is one worth sending and none on its way. */
  pump(now: number): void {
    if (this.#busy || this.#closed || this.gaveUp || now < this.#notBefore) return;
    if (!this.#shipment && this.#stopAt === undefined && !this.#isWorthwhile(now)) return;
    if (this.#isAwaited) {
      this.#awaitWord(now);
      return;
    }
    this.#busy = true;
    this.#sending = this.#sendNext()
      .catch((error: Error) => {
        // What it could not send with is not there.
        this.#options.report.failed({ outcome: 'blocked', reason: printable(error.message) });
        this.#notBefore = performance.now() + BLOCKED_MAX_MS;
      })
      .finally(() => {
        this.#busy = false;
        this.#options.answered();
      });
  }

  /** Sends on until `stopAt`, without waiting for more to gather. */
  stop(stopAt: number): void {
    this.#stopAt = stopAt;
    // Whoever has mended something since has one try more.
    this.#notBefore = 0;
    this.#suspects.wake();
  }

  /** Login or certificates have changed: tried at once. */
  use(target: ResolvedExport): void {
    this.#export = target;
    this.#isAwaited = false;
    const old = this.#transport;
    this.#transport = undefined;
    this.#notBefore = 0;
    this.#blockedMs = BLOCKED_MIN_MS;
    // One that is under way is answered first.
    if (old) void this.#sending.finally(() => old.close());
  }

  get signal(): Signal {
    return this.#options.signal;
  }

  /** The endpoint takes nothing of this signal, and that has been said. */
  get isServiceMissing(): boolean {
    return this.#options.report.isMissing;
  }

  /** What stays in the journal, as far as it can be counted before `until`, by `performance.now()`. */
  countLeft(until: number): { count: number; isMore: boolean } {
    let count = 0;
    for (const writer of this.#options.writers()) {
      for (const segment of this.#segmentsOf(writer)) {
        if (segment.lag === 0) continue;
        if (performance.now() > until) return { count, isMore: true };
        count += segment.reader.countUnshipped();
      }
    }
    return { count, isMore: false };
  }

  /** As messages name it. */
  get name(): string {
    return this.#options.report.name;
  }

  close(): void {
    this.#closed = true;
    if (this.#shipment) this.#advance(this.#shipment);
    this.#transport?.close();
    this.#options.report.end();
  }

  #awaitWord(now: number): void {
    if (this.#stopAt === undefined && now - this.#since < WORD_MS) return;
    const reason = 'no process that runs has said the headers or certificates that its writers had';
    this.#options.report.failed({ outcome: 'blocked', reason });
    this.#notBefore = now + BLOCKED_MAX_MS;
    if (this.#stopAt !== undefined) this.gaveUp = true;
  }

  #segmentsOf(writer: TailedWriter): Iterable<TailedSegment> {
    return writer.of(this.#options.signal).values();
  }

  #isWorthwhile(now: number): boolean {
    return this.#dueInMs(now) <= 0;
  }

  /**
   * Milliseconds until there is something to do, as far as that can be told; Infinity: an answer says when.
   */
  dueInMs(now: number): number {
    if (this.#busy) return Number.POSITIVE_INFINITY;
    return this.#shipment === undefined ? Math.max(this.#notBefore - now, this.#dueInMs(now)) : this.#notBefore - now;
  }

  /** Until enough has been gathered: by the time that it waits, or by how fast it grows. */
  #dueInMs(now: number): number {
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
    return Math.min(bytes > 0 ? this.#gatherMs - waited : Number.POSITIVE_INFINITY, full, soonest);
  }

  get #gatherMs(): number {
    const { gatherMs, to } = this.#export;
    return gatherMs ?? (to === 'viewer' || to === 'console' ? GATHER_WATCHED_MS : GATHER_MS);
  }

  async #sendNext(): Promise<void> {
    this.#shipment ??= this.#gather();
    const shipment = this.#shipment;
    const range = nextRange(shipment);
    if (!range) {
      // Nothing in it could be read, or all that there is is left.
      this.gaveUp = shipment.parts.length === 0 && this.#stopAt !== undefined;
      this.#finish(shipment);
      return;
    }
    this.#transport ??= await createTransport(this.#export, this.#options.signal);
    const request = this.#builder.encode(range.from, range.to);
    const result = await this.#transport.send(request);
    if (this.#closed) return;
    this.#settle(shipment, range, request.length, result);
    if (shipment.ranges.length === 0 && this.#shipment === shipment) this.#finish(shipment);
    else if (this.#shipment === shipment) this.#advance(shipment);
  }

  #settle(shipment: Shipment, range: Range, bytes: number, result: SendResult): void {
    if (result.outcome !== 'retry') this.#cuts = 0;
    switch (result.outcome) {
      case 'accepted':
        this.#size.taken(bytes, performance.now());
        this.#taken(shipment, range, result);
        break;
      case 'refused':
        this.#refuse(shipment, range, result.reason, result.errorType);
        break;
      case 'retry':
        if (
          result.fault === 'cut' &&
          bytes > SMALL_REQUEST_BYTES &&
          ++this.#cuts >= CUTS &&
          this.#split(shipment, range)
        ) {
          this.#size.tooLarge(bytes, performance.now(), SMALL_REQUEST_BYTES);
          this.#cuts = 0;
          break;
        }
        if (result.fault === 'cut' && this.#isCutForOne(shipment, range, bytes)) {
          this.#refuse(shipment, range, `the connection was cut ${LONE_CUTS} times when it was sent`, '_OTHER');
          break;
        }
        if (result.doubtful && this.#isDoubted(shipment)) this.#doubt(shipment, range, result);
        else this.#tryAgain(shipment, range, result);
        break;
      case 'blocked':
        // At an end there is no time to find out what passes.
        if (result.doubtful && this.#stopAt === undefined && this.#isDoubted(shipment))
          this.#doubt(shipment, range, result);
        else this.#tryAgain(shipment, range, result);
        break;
      case 'too-large':
        this.#tooLarge(shipment, range, bytes, result);
        break;
      case 'bad-data':
        this.#suspect(shipment, range, result);
        break;
    }
  }

  #tooLarge(
    shipment: Shipment,
    range: Range,
    bytes: number,
    { reason, errorType }: Extract<SendResult, { outcome: 'too-large' }>,
  ): void {
    if (this.#split(shipment, range)) {
      this.#size.tooLarge(bytes, performance.now());
      this.#options.report.tooLarge(bytes, reason);
      return;
    }
    const why = `a single one is too large, in a request of ${bytes} bytes: ${reason}`;
    if (bytes > SMALL_REQUEST_BYTES) this.#refuse(shipment, range, why, errorType);
    // An endpoint that finds everything too large refuses all that it is sent.
    else this.#suspect(shipment, range, { outcome: 'bad-data', reason: why, errorType, certain: true });
  }

  #taken(shipment: Shipment, range: Range, { rejected, message }: Extract<SendResult, { outcome: 'accepted' }>): void {
    const { counts, report } = this.#options;
    const spans = range.to - range.from;
    const refused = Math.min(rejected, spans);
    counts.shipped += spans - refused;
    counts.refused += refused;
    if (refused > 0) this.#options.refused(shareOf(refused, writersOf(shipment, range)), 'rejected');
    shipment.done.fill(1, range.from, range.to);
    shipment.taken = true;
    this.#suspects.taken();
    this.#uncertainAnswers = this.#doubts = shipment.refusals = 0;
    this.#notBefore = 0;
    this.#backoffMs = BACKOFF_MIN_MS;
    this.#blockedMs = BLOCKED_MIN_MS;
    report.delivered();
    if (refused > 0) report.refused(refused, message || 'no reason given');
    else if (message !== '') report.warning(message);
    for (const index of shipment.suspects.splice(0)) this.#askAgain(shipment, index);
  }

  /** One that refused everything a moment ago, and takes spans now, has refused nothing for good. */
  #askAgain({ ranges, again }: Shipment, index: number): void {
    again.add(index);
    ranges.push({ from: index, to: index + 1 });
  }

  #refuse(shipment: Shipment, range: Range, reason: string, errorType: string): void {
    const spans = range.to - range.from;
    this.#options.refused(writersOf(shipment, range), errorType);
    shipment.done.fill(1, range.from, range.to);
    this.#options.counts.refused += spans;
    this.#options.report.refused(spans, reason);
  }

  #suspectWritersOf({ parts }: Shipment): void {
    for (const { writer } of parts) this.#suspects.add(writer);
  }

  /** A large span that nobody takes, and that nobody says a word about. */
  #isCutForOne(shipment: Shipment, { from, to }: Range, bytes: number): boolean {
    if (to - from > 1 || bytes <= SMALL_REQUEST_BYTES) return false;
    this.#suspectWritersOf(shipment);
    return ++shipment.loneCuts >= LONE_CUTS && shipment.taken;
  }

  /**
   * An endpoint that has failed over one part of a shipment may fail over the next; else it may just be away.
   */
  #isDoubted({ suspect, taken }: Shipment): boolean {
    return suspect !== undefined || taken || ++this.#doubts >= MOST_DOUBTS;
  }

  /**
   * The endpoint fails again and again with this request, and says nothing of what is in it: it may be ill,
   * or a span may be what it fails over. Only what fails alone while others pass is to blame, and is not lost
   * either.
   */
  #doubt(shipment: Shipment, range: Range, result: Failed): void {
    this.#suspectWritersOf(shipment);
    const { suspect } = shipment;
    if (suspect === undefined && !shipment.taken) {
      this.#tryAgain(shipment, range, result);
      return;
    }
    this.#pause(result);
    if (suspect?.isSetAside) {
      this.#shipment = undefined;
      if (this.#stopAt !== undefined) this.#suspects.leave(suspect);
      if (!this.#suspects.refused(suspect) || !this.#suspects.isHopeless(suspect)) return;
      this.#shipment = shipment;
      this.#refuse(shipment, range, `it failed ${SET_ASIDE_TIMES} times over it alone: ${result.reason}`, '_OTHER');
      return;
    }
    const isSingle = !this.#split(shipment, range);
    shipment.refusals++;
    if (shipment.taken) {
      if (isSingle && (!shipment.again.has(range.from) || !this.#isSetAside(shipment, range, result.reason)))
        this.#askAgain(shipment, range.from);
      return;
    }
    if (isSingle) shipment.suspects.push(range.from);
    if (shipment.refusals < DOUBTS && shipment.ranges.length > 0) return;
    this.#shipment = undefined;
    // Others have been taken: it alone waits, as what it begins with has to.
    const isAlone = this.#suspects.refused(suspect!);
    if (isAlone && isSingle && shipment.spans === 1 && this.#isSetAside(shipment, range, result.reason))
      this.#finish(shipment);
  }

  /** @returns false where it has to stay where it is */
  #isSetAside(shipment: Shipment, range: Range, reason: string): boolean {
    const [writer] = writersOf(shipment, range).keys();
    if (this.#options.writers().filter(({ isSetAside }) => isSetAside).length >= MOST_SET_ASIDE) return false;
    try {
      this.#setAside.add(this.#options.setAside(writer!, this.#builder.chunk(range.from)));
    } catch {
      return false;
    }
    shipment.done.fill(1, range.from, range.to);
    this.#options.report.setAside(reason);
    return true;
  }

  #suspect(shipment: Shipment, range: Range, result: Extract<SendResult, { outcome: 'bad-data' }>): void {
    if (!result.certain && this.#uncertainAnswers < MOST_UNCERTAIN_ANSWERS) {
      this.#uncertainAnswers++;
      this.#tryAgain(shipment, range, { outcome: 'retry', reason: result.reason });
      return;
    }
    this.#suspectWritersOf(shipment);
    if (shipment.suspect === undefined && !shipment.done.includes(1)) {
      this.#shipment = undefined;
      return;
    }
    const isSingle = !this.#split(shipment, range);
    shipment.refusals++;
    if (shipment.taken) {
      if (!isSingle) return;
      if (shipment.again.has(range.from))
        this.#refuse(shipment, range, `${result.reason} (others were taken)`, result.errorType);
      else this.#askAgain(shipment, range.from);
      return;
    }
    if (isSingle) shipment.suspects.push(range.from);
    if (shipment.refusals < REFUSALS && shipment.ranges.length > 0) return;
    shipment.suspects = [];
    const { suspect } = shipment;
    const isAlone = suspect !== undefined && this.#suspects.refused(suspect);
    const what = isAlone ? `all of process ${suspect.identity.pid}` : 'everything that it is sent';
    const blocked = { outcome: 'blocked', reason: `${result.reason}. It refuses ${what}` } as const;
    const isLeft = suspect !== undefined && this.#stopAt !== undefined;
    if (isLeft) this.#suspects.leave(suspect);
    if (isAlone || isLeft) {
      this.#options.report.failed(blocked);
      this.#shipment = undefined;
      return;
    }
    // Together with what comes next, some of it may pass: then it is known what is to blame.
    this.#tryAgain(shipment, undefined, blocked);
  }

  #tryAgain(shipment: Shipment, range: Range | undefined, result: Failed): void {
    this.#pause(result);
    this.#putBack(shipment, range);
  }

  #pause(result: Failed): void {
    this.#options.report.failed(result);
    if (result.outcome === 'blocked') {
      this.#wait(this.#blockedMs);
      this.#blockedMs = Math.min(this.#blockedMs * 2, BLOCKED_MAX_MS);
      if (this.#stopAt !== undefined) this.gaveUp = true;
      return;
    }
    const { afterMs = 0 } = result;
    // One that asks to be asked again at once, each time, is not asked a hundred times a second.
    this.#wait(afterMs >= BACKOFF_MIN_MS ? afterMs : this.#backoffMs * (0.5 + Math.random() / 2));
    this.#backoffMs = Math.min(this.#backoffMs * 2, BACKOFF_MAX_MS);
  }

  #wait(waitMs: number): void {
    this.#notBefore = performance.now() + waitMs;
    if (this.#stopAt !== undefined && this.#notBefore > this.#stopAt) this.gaveUp = true;
  }

  #putBack(shipment: Shipment, range: Range | undefined): void {
    if (range) shipment.ranges.push(range);
    // What is tried later is gathered anew: together with what has come since, without what has been given up
    // for room.
    if (!shipment.done.includes(1)) this.#shipment = undefined;
  }

  /** @returns false where there is nothing left to split */
  #split({ ranges }: Shipment, { from, to }: Range): boolean {
    if (to - from < 2) return false;
    const middle = (from + to) >> 1;
    ranges.push({ from, to: middle }, { from: middle, to });
    return true;
  }

  #gather(): Shipment {
    this.#builder.clear();
    this.#inUse = 0;
    const shipment: Shipment = {
      spans: 0,
      parts: [],
      ranges: [],
      done: new Uint8Array(0),
      suspects: [],
      again: new Set(),
      taken: false,
      refusals: 0,
      loneCuts: 0,
      suspect: undefined,
    };
    for (const writer of this.#inTurn()) {
      // Nothing waits for it at an end.
      if (writer.isSetAside && this.#stopAt !== undefined && shipment.spans > 0) break;
      const isSuspect = this.#suspects.has(writer);
      if (isSuspect && (shipment.spans > 0 || this.#suspects.notBefore(writer) > performance.now())) continue;
      let begun = false;
      for (const segment of this.#segmentsOf(writer)) {
        const room =
          this.#size.bytes - this.#builder.length - (begun ? 0 : writer.resource.length + writer.schemaUrl.length);
        if (segment.lag <= 0) continue;
        if (shipment.spans > 0 && (isSuspect || room < this.#size.bytes / 16)) continue;
        if (!begun) this.#builder.beginWriter(writer);
        begun = true;
        this.#read(writer, segment, Math.max(0, Math.min(room, this.#suspects.bytesFor(writer))), shipment);
      }
      if (!isSuspect || shipment.spans === 0) continue;
      shipment.suspect = writer;
      shipment.taken = this.#suspects.isProven(writer);
      break;
    }
    this.#wasSuspect = shipment.suspect !== undefined;
    shipment.done = new Uint8Array(shipment.spans);
    if (shipment.spans > 0) shipment.ranges.push({ from: 0, to: shipment.spans });
    return shipment;
  }

  /** Another writer first each time, so that none waits for a busier one; suspects every other time. */
  #inTurn(): TailedWriter[] {
    const writers = this.#options.writers();
    this.#suspects.keep(writers);
    this.#firstWriter = writers.length > 0 ? (this.#firstWriter + 1) % writers.length : 0;
    const inTurn = [...writers.slice(this.#firstWriter), ...writers.slice(0, this.#firstWriter)];
    for (const writer of writers)
      if (writer.isSetAside) this.#suspects.addSetAside(writer, this.#setAside.has(writer.identity.id));
    const first = inTurn.filter((writer) => this.#suspects.has(writer) !== this.#wasSuspect);
    const all = [...first, ...inTurn.filter((writer) => !first.includes(writer))];
    if (this.#stopAt === undefined) return all;
    // Should the endpoint fail over it again, the others have been taken.
    return [...all.filter(({ isSetAside }) => !isSetAside), ...all.filter(({ isSetAside }) => isSetAside)];
  }

  #read(writer: TailedWriter, segment: TailedSegment, room: number, shipment: Shipment): void {
    const memory = this.#memory.subarray(this.#inUse);
    const from = segment.shipped;
    const { reader } = segment;
    const verify = writer.finished || this.#suspects.has(writer);
    const { bytes, next: end, corrupt } = reader.read(from, segment.committed, room, memory, writer.finished);
    if (bytes.buffer === memory.buffer) this.#inUse += bytes.length;
    // One chunk that is larger than the room: it goes first in a request of its own.
    if (bytes.length > room && shipment.spans > 0) return;
    const first = this.#builder.count;
    // One such span that is passed on, and the endpoint refuses the whole request.
    const { spans, malformed } = this.#builder.add(bytes, verify, reader.trailer);
    const next = corrupt ? reader.soundAfter(end, segment.committed) : end;
    // What is gathered a second time has been said.
    const { path } = segment.file;
    if (malformed > 0 && next > (verify ? segment.verifiedTo : segment.readTo)) {
      // They have been counted as read when nobody had looked into them.
      if (from < segment.readTo) this.#options.counts.refused += malformed;
      this.#options.malformed(malformed, `${path} has what is no span`);
    }
    if (corrupt && next > segment.readTo)
      this.#options.malformed(1, `${path} cannot be read from byte ${end} to ${next} of its body`);
    if (verify) segment.verifiedTo = Math.max(segment.verifiedTo, next);
    this.#count(segment, from, next, first);
    shipment.spans += spans;
    shipment.parts.push({ writer, segment, from, next, first, end: first + spans });
  }

  /** What is gathered a second time, because the first request of it failed, has been counted. */
  #count(segment: TailedSegment, from: number, next: number, first: number): void {
    let unknown = first;
    while (unknown < this.#builder.count && from + this.#builder.endOf(unknown) <= segment.readTo) unknown++;
    this.#options.counts.read += this.#builder.count - unknown;
    segment.readTo = Math.max(segment.readTo, next);
  }

  #finish(shipment: Shipment): void {
    this.#shipment = undefined;
    for (const part of shipment.parts) this.#store(part, part.next);
    const { suspect, refusals } = shipment;
    if (suspect === undefined || refusals > 0) return;
    const isFull = this.#suspects.bytesFor(suspect) >= this.#size.bytes;
    this.#suspects.passed(suspect, isFull || [...this.#segmentsOf(suspect)].every(({ lag }) => lag === 0));
  }

  /** Stores how far each segment has come without a gap: a shipper that follows sends the rest. */
  #advance({ parts, done }: Shipment): void {
    for (const part of parts) {
      let end = part.first;
      while (end < part.end && done[end] === 1) end++;
      if (end > part.first) this.#store(part, end === part.end ? part.next : part.from + this.#builder.endOf(end - 1));
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

/** How many of the items in a range are each writer's. */
function writersOf({ parts }: Shipment, { from, to }: Range): Map<TailedWriter, number> {
  const found = new Map<TailedWriter, number>();
  for (const { writer, first, end } of parts) {
    const count = Math.min(end, to) - Math.max(first, from);
    if (count > 0) found.set(writer, (found.get(writer) ?? 0) + count);
  }
  return found;
}

/** OTLP's partial success says how many, not which: each writer has its share. */
function shareOf(refused: number, writers: Map<TailedWriter, number>): Map<TailedWriter, number> {
  let ofAll = 0;
  for (const count of writers.values()) ofAll += count;
  let left = refused;
  const shares = new Map<TailedWriter, number>();
  for (const [writer, count] of writers) {
    const share = Math.min(left, Math.ceil((refused * count) / ofAll));
    shares.set(writer, share);
    left -= share;
  }
  return shares;
}

/** Taken out of those to be sent. */
function nextRange({ ranges, refusals, taken }: Shipment): Range | undefined {
  const largest = taken || refusals < LARGEST_FIRST;
  let best = 0;
  const size = ({ from, to }: Range) => to - from;
  for (let n = 1; n < ranges.length; n++) {
    const difference = size(ranges[n]!) - size(ranges[best]!);
    if (difference === 0 ? ranges[n]!.from < ranges[best]!.from : largest === difference > 0) best = n;
  }
  return ranges.splice(best, 1)[0];
}
