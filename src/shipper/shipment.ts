/**
 * What was gathered for one request, and how far it has come: a request that is refused is taken apart, range
 * by range.
 *
 * @module
 */
import type { TailedSegment } from './tailed-segment.js';
import type { TailedWriter } from './tailed-writer.js';

/**
 * So many parts of one shipment are refused and none is taken, and it is the endpoint that refuses
 * everything: nobody's data is to blame.
 */
export const REFUSALS = 128;
/**
 * Of them the largest first, to find a part that passes wherever it is; then the smallest, where bad spans
 * are everywhere.
 */
const LARGEST_FIRST = 64;

/** Some items of a shipment, by their index in it. */
export interface Range {
  from: number;
  to: number;
}

/** What a shipment has of one segment: bytes `from` to `next` of its body, and so items `first` to `end`. */
interface ShipmentPart {
  writer: TailedWriter;
  segment: TailedSegment;
  from: number;
  next: number;
  first: number;
  end: number;
}

export class Shipment {
  readonly parts: readonly ShipmentPart[];
  /** The writer whose spans it has alone, each of them looked into. */
  readonly suspect: TailedWriter | undefined;
  /** How many spans, or log records. */
  readonly count: number;
  /** What is still to be sent. */
  readonly #ranges: Range[] = [];
  /** 1 for each that was taken or refused. */
  readonly #done: Uint8Array;
  /** Items that were refused alone, as long as nothing else has been taken. */
  readonly #suspects: number[] = [];
  /** Those that have been refused alone once, and are asked for again, now that others have been taken. */
  readonly #again = new Set<number>();
  /** Something of this shipment has been taken, or of others often enough: the endpoint works. */
  isTaken: boolean;
  refusals = 0;
  /** How often the connection was cut for a single item. */
  loneCuts = 0;
  /** What is left of it is gathered anew. */
  isGivenUp = false;

  /** @param isProven the endpoint has taken enough of others */
  constructor(parts: readonly ShipmentPart[], suspect?: TailedWriter, isProven = false) {
    this.parts = parts;
    this.suspect = suspect;
    this.isTaken = isProven;
    this.count = parts.at(-1)?.end ?? 0;
    this.#done = new Uint8Array(this.count);
    if (this.count > 0) this.#ranges.push({ from: 0, to: this.count });
  }

  /** Whether something of it was taken or refused. */
  get isBegun(): boolean {
    return this.#done.includes(1);
  }

  /** Whether nothing is left to be sent. */
  get isOver(): boolean {
    return this.#ranges.length === 0;
  }

  /** What is sent next: it is no longer among what is left. */
  takeNext(): Range | undefined {
    const ranges = this.#ranges;
    const largest = this.isTaken || this.refusals < LARGEST_FIRST;
    let best = 0;
    for (let n = 1; n < ranges.length; n++) {
      const difference = sizeOf(ranges[n]!) - sizeOf(ranges[best]!);
      if (difference === 0 ? ranges[n]!.from < ranges[best]!.from : largest === difference > 0) best = n;
    }
    return ranges.splice(best, 1)[0];
  }

  putBack(range: Range): void {
    this.#ranges.push(range);
  }

  /** @returns false where there is nothing left to split */
  split(range: Range): boolean {
    const { from, to } = range;
    if (sizeOf(range) < 2) return false;
    const middle = (from + to) >> 1;
    this.#ranges.push({ from, to: middle }, { from: middle, to });
    return true;
  }

  /** It was taken, refused or set aside. */
  finish({ from, to }: Range): void {
    this.#done.fill(1, from, to);
  }

  /** Refused alone, while nothing else has been taken: it may be the endpoint that refuses everything. */
  suspectItem(index: number): void {
    this.#suspects.push(index);
  }

  /** It is the endpoint that refuses everything: they are sent again as any other. */
  putSuspectItemsBack(): void {
    for (const index of this.#suspects.splice(0)) this.putBack({ from: index, to: index + 1 });
  }

  /** One that refused everything a moment ago, and takes spans now, has refused nothing for good. */
  askForSuspectItemsAgain(): void {
    for (const index of this.#suspects.splice(0)) this.askAgain(index);
  }

  askAgain(index: number): void {
    this.#again.add(index);
    this.putBack({ from: index, to: index + 1 });
  }

  isAskedAgain(index: number): boolean {
    return this.#again.has(index);
  }

  /** How many of the items in a range are each writer's. */
  countByWriter({ from, to }: Range): Map<TailedWriter, number> {
    const found = new Map<TailedWriter, number>();
    for (const { writer, first, end } of this.parts) {
      const count = Math.min(end, to) - Math.max(first, from);
      if (count > 0) found.set(writer, (found.get(writer) ?? 0) + count);
    }
    return found;
  }

  /** Up to which item a part has come without a gap. */
  doneOf({ first, end }: ShipmentPart): number {
    let done = first;
    while (done < end && this.#done[done] === 1) done++;
    return done;
  }
}

export const sizeOf = ({ from, to }: Range): number => to - from;
