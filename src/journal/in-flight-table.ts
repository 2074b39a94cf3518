/**
 * The writer's side of the in-flight table: fixed entries, in as many files as are needed.
 *
 * @module
 */

import { asMemory, copyBytes, type Memory, memoryOf } from '../wire/memory.js';
import { ProtobufReader } from '../wire/protobuf-reader.js';
import {
  ENTRY_BYTES,
  ENTRY_DATA,
  ENTRY_LENGTH,
  ENTRY_MARK_END,
  ENTRY_MARK_SEGMENT,
  ENTRY_SCOPE_END,
  ENTRY_STARTED,
  ENTRY_STATE,
} from './format.js';
import type { JournalFileWriter } from './journal-file.js';
import { monotonicWord } from './monotonic.js';
import { NO_ENTRY, type Room } from './span-log.js';

export const ENTRY_CAPACITY = ENTRY_BYTES - ENTRY_DATA;

/** What most spans have at their end. */
const LITTLE_ROOM = 128;

const FREE = 0;
const IN_FLIGHT = 1;

// In words, from the start of an entry.
const STATE = ENTRY_STATE / 4;
const LENGTH = ENTRY_LENGTH / 4;
const SCOPE_END = ENTRY_SCOPE_END / 4;
const MARK_END = ENTRY_MARK_END / 4;
const MARK_SEGMENT = ENTRY_MARK_SEGMENT / 4;
const STARTED = ENTRY_STARTED / 4;

/**
 * Entries of all files together, numbered through. Stores only; which of them have reached a file is the
 * writer's business.
 */
export class InFlightTable {
  /** Entries per file: a power of two. */
  readonly perFile: number;
  readonly files: JournalFileWriter[] = [];
  readonly #shift: number;
  readonly #mask: number;
  /** Free entries, the last one next, so that few pages are in use. */
  #free = new Int32Array(0);
  #freeCount = 0;
  /** Whole start data of entries that could not take all of it. */
  readonly #tooLong = new Map<number, { scopeLength: number; data: Memory }>();
  // Results of `read`: an object for them would be one per span.
  data = memoryOf(new Uint8Array(0));
  scopeStart = 0;
  fieldsStart = 0;
  fieldsEnd = 0;

  /** @param perFile rounded up to a power of two */
  constructor(perFile: number) {
    this.#shift = Math.max(4, Math.ceil(Math.log2(perFile)));
    this.perFile = 1 << this.#shift;
    this.#mask = this.perFile - 1;
  }

  get size(): number {
    return this.files.length * this.perFile;
  }

  get used(): number {
    return this.size - this.#freeCount;
  }

  /** Adds a file, all of whose entries are free. */
  add(file: JournalFileWriter): void {
    const first = this.size;
    this.files.push(file);
    const free = new Int32Array(this.size);
    free.set(this.#free.subarray(0, this.#freeCount));
    this.#free = free;
    for (let entry = first + this.perFile - 1; entry >= first; entry--) this.#free[this.#freeCount++] = entry;
  }

  /**
   * Takes the last file out again, when a burst is over: none of its entries is in use, and no more than half
   * of the others are. From now on the lowest free entry is used first, so that the last file empties.
   *
   * @returns undefined where all files are needed
   */
  shrink(): JournalFileWriter | undefined {
    if (this.files.length < 2) return undefined;
    this.#free.subarray(0, this.#freeCount).sort().reverse();
    const size = this.size - this.perFile;
    // The last file's entries come first, if they are free: the lowest of them at this place.
    if (this.#free[this.perFile - 1]! < size || this.used > size / 2) return undefined;
    this.#free = this.#free.slice(this.perFile);
    this.#freeCount -= this.perFile;
    return this.files.pop();
  }

  /** Brings the spans in flight of a file to an empty one; the state last, as when they began. */
  copy(index: number, to: JournalFileWriter): void {
    const from = this.files[index]!;
    for (let entry = index << this.#shift; entry < (index + 1) << this.#shift; entry++) {
      if (!this.isInFlight(entry)) continue;
      const at = this.offsetOf(entry);
      const toAt = at - from.headerLength + to.headerLength;
      to.bytes.set(from.bytes.subarray(at + ENTRY_LENGTH, at + ENTRY_BYTES), toAt + ENTRY_LENGTH);
      to.words[toAt >> 2] = IN_FLIGHT;
    }
  }

  fileOf(entry: number): number {
    return entry >> this.#shift;
  }

  /** Where the entry starts in its file, in bytes. */
  offsetOf(entry: number): number {
    return this.files[entry >> this.#shift]!.headerLength + (entry & this.#mask) * ENTRY_BYTES;
  }

  /**
   * See `SpanLog.begin`. Of start data that is too long for an entry the file has the first whole fields, and
   * the heap all.
   *
   * @returns NO_ENTRY when all entries are in use
   */
  begin(scope: Memory, bytes: Uint8Array, start: number, end: number, reading: number): number {
    if (this.#freeCount === 0) return NO_ENTRY;
    const entry = this.#free[--this.#freeCount]!;
    const { memory, words } = this.files[entry >> this.#shift]!;
    const at = this.offsetOf(entry);
    let scopeLength = scope.bytes.length;
    if (scopeLength + end - start > ENTRY_CAPACITY) {
      const data = new Uint8Array(scopeLength + end - start);
      data.set(scope.bytes);
      data.set(bytes.subarray(start, end), scopeLength);
      this.#tooLong.set(entry, { scopeLength, data: memoryOf(data) });
      if (scopeLength > ENTRY_CAPACITY) scopeLength = 0;
      end = lastWholeField(bytes, start, end, start + ENTRY_CAPACITY - scopeLength);
    }
    copyBytes(scope, 0, memory, at + ENTRY_DATA, scopeLength);
    copyBytes(asMemory(bytes), start, memory, at + ENTRY_DATA + scopeLength, end - start);
    begun(words, at >> 2, scopeLength, scopeLength + end - start, reading);
    return entry;
  }

  /** See `SpanLog.reserveEntry`. @returns false when all entries are in use, or the scope fills one */
  reserve(scope: Memory, room: Room): boolean {
    const scopeLength = scope.bytes.length;
    if (this.#freeCount === 0 || scopeLength >= ENTRY_CAPACITY) return false;
    const entry = this.#free[this.#freeCount - 1]!;
    const { memory } = this.files[entry >> this.#shift]!;
    const at = this.offsetOf(entry);
    copyBytes(scope, 0, memory, at + ENTRY_DATA, scopeLength);
    room.memory = memory;
    room.start = at + ENTRY_DATA + scopeLength;
    room.end = at + ENTRY_BYTES;
    return true;
  }

  /** See `SpanLog.beginReserved`. @param start as {@link reserve} has said */
  beginReserved(start: number, end: number, reading: number): number {
    const entry = this.#free[--this.#freeCount]!;
    const { words } = this.files[entry >> this.#shift]!;
    const at = this.offsetOf(entry);
    begun(words, at >> 2, start - at - ENTRY_DATA, end - at - ENTRY_DATA, reading);
    return entry;
  }

  /** See `SpanLog.amend`. */
  amend(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (this.#tooLong.size > 0 && this.#tooLong.has(entry)) return false;
    const { memory, words } = this.files[entry >> this.#shift]!;
    const at = this.offsetOf(entry);
    const length = words[(at >> 2) + LENGTH]!;
    if (length + end - start > ENTRY_CAPACITY) return false;
    if (bytes !== memory.bytes) copyBytes(asMemory(bytes), start, memory, at + ENTRY_DATA + length, end - start);
    words[(at >> 2) + LENGTH] = length + end - start;
    return true;
  }

  /** See `SpanLog.reserveMore`. @returns false when there is little room, or the heap has the start data */
  reserveMore(entry: number, room: Room): boolean {
    if (this.#tooLong.size > 0 && this.#tooLong.has(entry)) return false;
    const { memory, words } = this.files[entry >> this.#shift]!;
    const at = this.offsetOf(entry);
    room.memory = memory;
    room.start = at + ENTRY_DATA + words[(at >> 2) + LENGTH]!;
    room.end = at + ENTRY_BYTES;
    return room.end - room.start >= LITTLE_ROOM;
  }

  /**
   * Points {@link data} and its three positions at the scope and the fields of an entry, until the next call.
   */
  read(entry: number): void {
    if (this.#tooLong.size > 0) {
      const whole = this.#tooLong.get(entry);
      if (whole !== undefined) {
        this.data = whole.data;
        this.scopeStart = 0;
        this.fieldsStart = whole.scopeLength;
        this.fieldsEnd = whole.data.bytes.length;
        return;
      }
    }
    const { memory, words } = this.files[entry >> this.#shift]!;
    const at = this.offsetOf(entry);
    this.data = memory;
    this.scopeStart = at + ENTRY_DATA;
    this.fieldsStart = this.scopeStart + words[(at >> 2) + SCOPE_END]!;
    this.fieldsEnd = this.scopeStart + words[(at >> 2) + LENGTH]!;
  }

  /** Says where the ended span of this entry is about to be. */
  mark(entry: number, segment: number, end: number): void {
    const { words } = this.files[entry >> this.#shift]!;
    const word = this.offsetOf(entry) >> 2;
    words[word + MARK_END] = end;
    words[word + MARK_SEGMENT] = segment;
  }

  release(entry: number): void {
    if (this.#tooLong.size > 0) this.#tooLong.delete(entry);
    this.clear(entry);
    this.#free[this.#freeCount++] = entry;
  }

  isInFlight(entry: number): boolean {
    return this.files[entry >> this.#shift]!.words[(this.offsetOf(entry) >> 2) + STATE] === IN_FLIGHT;
  }

  /** Nothing begins any more. */
  close(): void {
    this.#freeCount = 0;
  }

  /** Marks the entry free in the file's memory, and does not hand it out again yet. */
  clear(entry: number): void {
    this.files[entry >> this.#shift]!.words[(this.offsetOf(entry) >> 2) + STATE] = FREE;
  }
}

/** The entry whose data are there is one in flight from now on: its state is stored last. */
function begun(words: Uint32Array, word: number, scopeEnd: number, length: number, reading: number): void {
  words[word + LENGTH] = length;
  words[word + SCOPE_END] = scopeEnd;
  words[word + MARK_SEGMENT] = 0;
  words[word + STARTED] = monotonicWord(reading);
  words[word + STATE] = IN_FLIGHT;
}

/** End of the last whole field of [from..end) that ends at or before `limit`. */
function lastWholeField(bytes: Uint8Array, from: number, end: number, limit: number): number {
  const reader = new ProtobufReader(bytes, from, end);
  let whole = from;
  while (reader.position < end) {
    reader.skip(reader.tag());
    if (reader.position > limit) break;
    whole = reader.position;
  }
  return whole;
}
