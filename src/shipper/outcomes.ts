/**
 * What becomes of a shipment, by the outcome of each request: taken, refused, split, tried again. A request
 * that is refused is taken apart until what is to blame is alone; all else waits or passes.
 *
 * @module
 */
import type { ExportReport } from './export-report.js';
import type { RequestSize } from './request-size.js';
import type { Failed, RetryTimes } from './retry-times.js';
import { type Range, REFUSALS, type Shipment, sizeOf } from './shipment.js';
import { SET_ASIDE_TIMES, type Suspects } from './suspects.js';
import type { TailedWriter } from './tailed-writer.js';
import type { SendResult } from './transport.js';

/** An endpoint that is ill answers as one that a span makes stumble: tries before spans are suspected. */
const MOST_UNCERTAIN_ANSWERS = 3;
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

export interface OutcomesOptions {
  report: ExportReport;
  counts: { shipped: number; refused: number };
  /** The writers of what goes here. */
  writers(): TailedWriter[];
  /** Items of these writers were refused for good. */
  refused(spans: ReadonlyMap<TailedWriter, number>, errorType: string): void;
  /**
   * Keeps one item of a writer in a journal of its own.
   * @returns the id of that
   * @throws what the file system says
   */
  setAside(writer: TailedWriter, chunk: Uint8Array): string;
}

type Outcome<T extends SendResult['outcome']> = Extract<SendResult, { outcome: T }>;

export class Outcomes {
  readonly #options: OutcomesOptions;
  readonly #size: RequestSize;
  readonly #suspects: Suspects;
  readonly #times: RetryTimes;
  readonly #chunk: (index: number) => Uint8Array;
  #uncertainAnswers = 0;
  #cuts = 0;
  #doubts = 0;

  /** @param chunk the bytes of one item of the shipment at hand */
  constructor(
    options: OutcomesOptions,
    size: RequestSize,
    suspects: Suspects,
    times: RetryTimes,
    chunk: (index: number) => Uint8Array,
  ) {
    this.#options = options;
    this.#size = size;
    this.#suspects = suspects;
    this.#times = times;
    this.#chunk = chunk;
  }

  /** A request of so many bytes with this range of a shipment has been sent. */
  apply(shipment: Shipment, range: Range, bytes: number, result: SendResult): void {
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
        this.#retry(shipment, range, bytes, result);
        break;
      case 'blocked':
        if (result.doubtful && this.#isDoubted(shipment)) this.#doubt(shipment, range, result);
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

  /** All of a shipment was taken or refused; `hasMore`: its suspect has more to send. */
  over({ suspect, refusals }: Shipment, hasMore: boolean): void {
    if (suspect === undefined || refusals > 0) return;
    const isFull = this.#suspects.bytesFor(suspect) >= this.#size.bytes;
    this.#suspects.passed(suspect, isFull || !hasMore);
  }

  #taken(shipment: Shipment, range: Range, { rejected, message }: Outcome<'accepted'>): void {
    const { counts, report } = this.#options;
    const count = sizeOf(range);
    const refused = Math.min(rejected, count);
    counts.shipped += count - refused;
    counts.refused += refused;
    if (refused > 0) this.#options.refused(shareOf(refused, shipment.countByWriter(range)), 'rejected');
    shipment.finish(range);
    shipment.isTaken = true;
    this.#suspects.taken();
    this.#uncertainAnswers = this.#doubts = shipment.refusals = 0;
    this.#times.succeeded();
    report.delivered();
    if (refused > 0) report.refused(refused, message || 'no reason given');
    else if (message !== '') report.warning(message);
    shipment.askForSuspectItemsAgain();
  }

  #refuse(shipment: Shipment, range: Range, reason: string, errorType: string): void {
    const count = sizeOf(range);
    this.#options.refused(shipment.countByWriter(range), errorType);
    shipment.finish(range);
    this.#options.counts.refused += count;
    this.#options.report.refused(count, reason);
  }

  #retry(shipment: Shipment, range: Range, bytes: number, result: Outcome<'retry'>): void {
    const isCut = result.fault === 'cut';
    if (isCut && bytes > SMALL_REQUEST_BYTES && ++this.#cuts >= CUTS && shipment.split(range)) {
      this.#size.tooLarge(bytes, performance.now(), SMALL_REQUEST_BYTES);
      this.#cuts = 0;
    } else if (isCut && this.#isCutForOne(shipment, range, bytes)) {
      this.#refuse(shipment, range, `the connection was cut ${LONE_CUTS} times when it was sent`, '_OTHER');
    } else if (result.doubtful && this.#isDoubted(shipment)) {
      this.#doubt(shipment, range, result);
    } else {
      this.#tryAgain(shipment, range, result);
    }
  }

  #tooLarge(shipment: Shipment, range: Range, bytes: number, { reason, errorType }: Outcome<'too-large'>): void {
    if (shipment.split(range)) {
      this.#size.tooLarge(bytes, performance.now());
      this.#options.report.tooLarge(bytes, reason);
      return;
    }
    const why = `a single one is too large, in a request of ${bytes} bytes: ${reason}`;
    if (bytes > SMALL_REQUEST_BYTES) this.#refuse(shipment, range, why, errorType);
    // An endpoint that finds everything too large refuses all that it is sent.
    else this.#suspect(shipment, range, { outcome: 'bad-data', reason: why, errorType, certain: true });
  }

  #suspectWritersOf({ parts }: Shipment): void {
    for (const { writer } of parts) this.#suspects.add(writer);
  }

  /** A large span that nobody takes, and that nobody says a word about. */
  #isCutForOne(shipment: Shipment, range: Range, bytes: number): boolean {
    if (sizeOf(range) > 1 || bytes <= SMALL_REQUEST_BYTES) return false;
    this.#suspectWritersOf(shipment);
    return ++shipment.loneCuts >= LONE_CUTS && shipment.isTaken;
  }

  /**
   * An endpoint that has failed over one part of a shipment may fail over the next; else it may just be away.
   * At an end there is no time to find that out first.
   */
  #isDoubted({ suspect, isTaken }: Shipment): boolean {
    return suspect !== undefined || isTaken || this.#times.isStopping || ++this.#doubts >= MOST_DOUBTS;
  }

  /**
   * The endpoint fails again and again with this request, and says nothing of what is in it: it may be ill,
   * or a span may be what it fails over. Only what fails alone while others pass is to blame, and is not lost
   * either.
   */
  #doubt(shipment: Shipment, range: Range, result: Failed): void {
    this.#suspectWritersOf(shipment);
    const { suspect } = shipment;
    const isEnd = this.#times.isStopping;
    if (suspect === undefined && !shipment.isTaken && !isEnd) {
      this.#tryAgain(shipment, range, result);
      return;
    }
    // At an end the other parts are tried at once: some of them may pass.
    if (isEnd && result.outcome === 'blocked') this.#options.report.failed(result);
    else this.#pause(result);
    if (suspect?.isSetAside) {
      this.#doubtSetAside(shipment, range, suspect, result);
      return;
    }
    const isSingle = !shipment.split(range);
    shipment.refusals++;
    if (shipment.isTaken) {
      if (isSingle && (!shipment.isAskedAgain(range.from) || !this.#isSetAside(shipment, range, result.reason)))
        shipment.askAgain(range.from);
      return;
    }
    if (isSingle) shipment.suspectItem(range.from);
    if (shipment.refusals < DOUBTS && !shipment.isOver) return;
    if (isEnd && ++this.#doubts >= MOST_DOUBTS) this.#times.gaveUp = true;
    // Others have been taken: it alone waits, as what it begins with has to.
    const isAlone = suspect !== undefined && this.#suspects.refused(suspect) && isSingle && shipment.count === 1;
    shipment.isGivenUp = !(isAlone && this.#isSetAside(shipment, range, result.reason));
  }

  /** It has failed once more over what was set aside: that waits longer, or is given up. */
  #doubtSetAside(shipment: Shipment, range: Range, suspect: TailedWriter, { reason }: Failed): void {
    if (this.#times.isStopping) this.#suspects.leave(suspect);
    if (this.#suspects.refused(suspect) && this.#suspects.isHopeless(suspect))
      this.#refuse(shipment, range, `it failed ${SET_ASIDE_TIMES} times over it alone: ${reason}`, '_OTHER');
    else shipment.isGivenUp = true;
  }

  /** @returns false where it has to stay where it is */
  #isSetAside(shipment: Shipment, range: Range, reason: string): boolean {
    const [writer] = shipment.countByWriter(range).keys();
    if (this.#options.writers().filter(({ isSetAside }) => isSetAside).length >= MOST_SET_ASIDE) return false;
    try {
      this.#suspects.wasSetAside(this.#options.setAside(writer!, this.#chunk(range.from)));
    } catch {
      return false;
    }
    shipment.finish(range);
    this.#options.report.setAside(reason);
    return true;
  }

  #suspect(shipment: Shipment, range: Range, result: Outcome<'bad-data'>): void {
    if (!result.certain && this.#uncertainAnswers < MOST_UNCERTAIN_ANSWERS) {
      this.#uncertainAnswers++;
      this.#tryAgain(shipment, range, { outcome: 'retry', reason: result.reason });
      return;
    }
    this.#suspectWritersOf(shipment);
    if (shipment.suspect === undefined && !shipment.isBegun) {
      shipment.isGivenUp = true;
      return;
    }
    const isSingle = !shipment.split(range);
    shipment.refusals++;
    if (shipment.isTaken) {
      if (!isSingle) return;
      if (shipment.isAskedAgain(range.from))
        this.#refuse(shipment, range, `${result.reason} (others were taken)`, result.errorType);
      else shipment.askAgain(range.from);
      return;
    }
    if (isSingle) shipment.suspectItem(range.from);
    if (shipment.refusals < REFUSALS && !shipment.isOver) return;
    this.#refusedWhole(shipment, result);
  }

  /** Everything that was tried of a shipment has been refused as bad data, and nothing was taken. */
  #refusedWhole(shipment: Shipment, { reason }: Outcome<'bad-data'>): void {
    const { suspect } = shipment;
    const isAlone = suspect !== undefined && this.#suspects.refused(suspect);
    const what = isAlone ? `all of process ${suspect.identity.pid}` : 'everything that it is sent';
    const blocked = { outcome: 'blocked', reason: `${reason}. It refuses ${what}` } as const;
    const isLeft = suspect !== undefined && this.#times.isStopping;
    if (isLeft) this.#suspects.leave(suspect);
    if (isAlone || isLeft) {
      this.#options.report.failed(blocked);
      shipment.isGivenUp = true;
      return;
    }
    shipment.putSuspectItemsBack();
    // Together with what comes next, some of it may pass: then it is known what is to blame.
    this.#tryAgain(shipment, undefined, blocked);
  }

  #tryAgain(shipment: Shipment, range: Range | undefined, result: Failed): void {
    this.#pause(result);
    if (range) shipment.putBack(range);
    // What is tried later is gathered anew: together with what has come since, without what has been given up
    // for room.
    if (!shipment.isBegun) shipment.isGivenUp = true;
  }

  #pause(result: Failed): void {
    this.#options.report.failed(result);
    this.#times.failed(result);
  }
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
