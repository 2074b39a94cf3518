/**
 * Reads what writers have for one endpoint into the next shipment: from each in turn, and alone from one that
 * is suspected of bad data.
 *
 * @module
 */
import { RequestBuilder } from './request-builder.js';
import type { RequestSize } from './request-size.js';
import { type Range, Shipment } from './shipment.js';
import type { Suspects } from './suspects.js';
import type { TailedSegment } from './tailed-segment.js';
import type { TailedWriter } from './tailed-writer.js';
import type { Signal } from './transport.js';

export interface GathererOptions {
  /** What is delivered: spans, or log records. */
  signal: Signal;
  /** `refused` has what cannot be read, too, if it was taken for readable before. */
  counts: { read: number; refused: number };
  /** The writers of what goes here. */
  writers(): TailedWriter[];
  /** Something was found in a journal that cannot be read. */
  malformed(count: number, what: string): void;
}

export class Gatherer {
  readonly #options: GathererOptions;
  readonly #size: RequestSize;
  readonly #suspects: Suspects;
  readonly #builder: RequestBuilder;
  /**
   * What has been read for the request at hand, and how much of it is in use. One for all requests: V8
   * collects the whole heap after some megabytes of new buffers, which was half of the shipper's CPU time.
   */
  readonly #memory: Buffer;
  #inUse = 0;
  #parts: Shipment['parts'][number][] = [];
  /** Bytes of the request at hand, at most. */
  #most = 0;
  #firstWriter = 0;
  /** The last shipment was a suspect's. */
  #wasSuspect = false;

  constructor(options: GathererOptions, size: RequestSize, suspects: Suspects) {
    this.#options = options;
    this.#size = size;
    this.#suspects = suspects;
    const capacity = size.most + 64 * 1024;
    this.#builder = new RequestBuilder(capacity, options.signal);
    this.#memory = Buffer.allocUnsafeSlow(capacity);
  }

  /** A request with a part of what was gathered last. */
  encode({ from, to }: Range): Uint8Array {
    return this.#builder.encode(from, to);
  }

  /** The bytes of one item of what was gathered last. */
  chunk(index: number): Uint8Array {
    return this.#builder.chunk(index);
  }

  /** Where the chunk of an item ends, from where its part was read. */
  endOf(index: number): number {
    return this.#builder.endOf(index);
  }

  /**
   * @param isStopping what was set aside keeps nothing else waiting then
   * @param most bytes, but for a single item that is larger
   */
  gather(isStopping: boolean, most = Number.POSITIVE_INFINITY): Shipment {
    this.#most = Math.min(most, this.#size.bytes);
    this.#builder.clear();
    this.#inUse = 0;
    this.#parts = [];
    let suspect: TailedWriter | undefined;
    for (const writer of this.#inTurn(isStopping)) {
      if (writer.isSetAside && isStopping && this.#count > 0) break;
      const isSuspect = this.#suspects.has(writer);
      if (isSuspect && (this.#count > 0 || this.#suspects.notBefore(writer) > performance.now())) continue;
      this.#readWriter(writer, isSuspect);
      if (!isSuspect || this.#count === 0) continue;
      suspect = writer;
      break;
    }
    this.#wasSuspect = suspect !== undefined;
    return new Shipment(this.#parts, suspect, suspect && this.#suspects.isProven(suspect));
  }

  /** Items in the shipment so far. */
  get #count(): number {
    return this.#builder.count;
  }

  /** Another writer first each time, so that none waits for a busier one; suspects every other time. */
  #inTurn(isStopping: boolean): TailedWriter[] {
    const writers = this.#options.writers();
    this.#suspects.keep(writers);
    this.#firstWriter = writers.length > 0 ? (this.#firstWriter + 1) % writers.length : 0;
    const inTurn = [...writers.slice(this.#firstWriter), ...writers.slice(0, this.#firstWriter)];
    for (const writer of writers) if (writer.isSetAside) this.#suspects.addSetAside(writer);
    const first = inTurn.filter((writer) => this.#suspects.has(writer) !== this.#wasSuspect);
    const all = [...first, ...inTurn.filter((writer) => !first.includes(writer))];
    if (!isStopping) return all;
    // Should the endpoint fail over it again, the others have been taken.
    return [...all.filter(({ isSetAside }) => !isSetAside), ...all.filter(({ isSetAside }) => isSetAside)];
  }

  #readWriter(writer: TailedWriter, isSuspect: boolean): void {
    let begun = false;
    for (const segment of writer.of(this.#options.signal).values()) {
      const room = this.#most - this.#builder.length - (begun ? 0 : writer.resource.length + writer.schemaUrl.length);
      if (segment.lag <= 0) continue;
      if (this.#count > 0 && (isSuspect || room < this.#most / 16)) continue;
      if (!begun) this.#builder.beginWriter(writer);
      begun = true;
      this.#tryToRead(writer, segment, Math.max(0, Math.min(room, this.#suspects.bytesFor(writer))));
    }
  }

  #tryToRead(writer: TailedWriter, segment: TailedSegment, room: number): void {
    try {
      this.#read(writer, segment, room);
    } catch (error) {
      const { path } = segment.file;
      if (segment.failed()) this.#options.malformed(1, `${path} is not to be read now: ${(error as Error).message}`);
    }
  }

  #read(writer: TailedWriter, segment: TailedSegment, room: number): void {
    const memory = this.#memory.subarray(this.#inUse);
    const from = segment.shipped;
    const { reader } = segment;
    const verify = writer.finished || this.#suspects.has(writer);
    const { bytes, next: end, corrupt } = reader.read(from, segment.committed, room, memory, writer.finished);
    if (bytes.buffer === memory.buffer) this.#inUse += bytes.length;
    const first = this.#count;
    // One chunk that is larger than the room: it goes first in a request of its own.
    if (bytes.length > room && first > 0) return;
    const next = corrupt ? reader.soundAfter(end, segment.committed) : end;
    // One such span that is passed on, and the endpoint refuses the whole request.
    const { malformed } = this.#builder.add(bytes, verify, reader.trailer);
    // What is gathered a second time has been said.
    const { path } = segment.file;
    if (malformed > 0 && next > (verify ? segment.verifiedTo : segment.readTo)) {
      // They have been counted as read when nobody had looked into them.
      if (from < segment.readTo) this.#options.counts.refused += malformed;
      this.#options.malformed(malformed, `${path} contains bytes that are no span`);
    }
    if (corrupt && next > segment.readTo)
      this.#options.malformed(1, `${path} cannot be read from byte ${end} to ${next} of its body`);
    if (verify) segment.verifiedTo = Math.max(segment.verifiedTo, next);
    this.#countRead(segment, from, next, first);
    this.#parts.push({ writer, segment, from, next, first, end: this.#count });
  }

  /** What is gathered a second time, because the first request of it failed, has been counted. */
  #countRead(segment: TailedSegment, from: number, next: number, first: number): void {
    let unknown = first;
    while (unknown < this.#count && from + this.#builder.endOf(unknown) <= segment.readTo) unknown++;
    this.#options.counts.read += this.#count - unknown;
    segment.readTo = Math.max(segment.readTo, next);
  }
}
