/**
 * One program that traces, written down in a seed: it begins, changes, ends and appends spans, appends log
 * records, fills segments, has them shipped and given back, and closes. After a store, or any other change
 * that it leaves behind, it is stopped: what is there then is recovered and shipped by the real reader and
 * recovery, and each span and record has to be found exactly once.
 *
 * @module
 */

import { chunkLengthAt } from '#src/journal/chunk.js';
import { JournalWriter } from '#src/journal/journal-writer.js';
import { isUnsound, listJournal, openSegment, type SegmentReader } from '#src/journal/reader.js';
import { NO_ENTRY } from '#src/journal/span-log.js';
import { RECOVERY_SEQUENCE, recoverInFlight } from '#src/shipper/recovery.js';
import { Tail } from '#src/shipper/tail.js';
import { memoryOf } from '#src/wire/memory.js';
import { varintEnd, varintIn } from '#src/wire/varint.js';
import { type Found, fault, field, type KnownSpan } from './ledger.js';
import { randomFrom } from './random.js';
import { DIRECTORY, SimulatedDisk, useDisk } from './simulated-disk.js';
import { SimulatedMapping } from './simulated-memory.js';

const SCOPE = memoryOf(field(1, field(1, Buffer.from('simulated'))));
const STEPS = 80;

/** The first thing that a simulation has found wrong. */
export class Violation extends Error {}

/** Chunks that a shipper has read. */
interface Delivered {
  bytes: Buffer;
  isLog: boolean;
}

interface Turn {
  /** Callbacks of `setImmediate`. */
  callbacks: (() => void)[];
  renewLease: () => void;
}

export class Simulation {
  /** Stops, and stores between them. */
  stops = 0;
  stores = 0;
  readonly #seed: number;
  readonly #mode: 'mmap' | 'write';
  readonly #random: () => number;
  readonly #stopRandom: () => number;
  readonly #stopShare: number;
  readonly #disk = new SimulatedDisk();
  readonly #mapping: SimulatedMapping;
  readonly #spans = new Map<number, KnownSpan>();
  readonly #delivered: Delivered[] = [];
  readonly #turn: Turn = { callbacks: [], renewLease: () => {} };
  readonly #entries = new Map<number, number>();
  #operation = 'open';
  #isShipping = false;
  #lastId = 0;
  #found: Violation | undefined;

  /** @param stopShare of all stores, how many are a stop: 1 for each */
  constructor(seed: number, stopShare: number) {
    this.#seed = seed;
    this.#mode = seed % 3 === 0 ? 'write' : 'mmap';
    this.#random = randomFrom(seed);
    this.#stopRandom = randomFrom(seed ^ 0x5bd1e995);
    this.#stopShare = stopShare;
    this.#mapping = new SimulatedMapping(this.#disk, randomFrom(seed ^ 0x27d4eb2f));
    this.#mapping.stored = () => this.#changed();
    this.#disk.changed = () => this.#changed();
  }

  /** @throws Violation */
  run(): void {
    useDisk(this.#disk);
    const restore = this.#takeTimers();
    try {
      const journal = new JournalWriter(
        { dir: DIRECTORY, resource: Buffer.alloc(0), isResourcePending: true, segmentBytes: 8192, inFlight: 16 },
        this.#mode === 'mmap' ? this.#mapping : undefined,
      );
      for (let step = 0; step < STEPS; step++) this.#step(journal);
      this.#do('close', () => journal.close());
      this.#written();
      this.#stop();
    } catch (error) {
      throw this.#found ?? error;
    } finally {
      restore();
    }
    if (this.#found !== undefined) throw this.#found;
  }

  #step(journal: JournalWriter): void {
    const dice = this.#random();
    const open = [...this.#entries.keys()];
    const one = open[Math.floor(this.#random() * open.length)];
    if (dice < 0.25) this.#begin(journal);
    else if (dice < 0.35 && one !== undefined) this.#amend(journal, one);
    else if (dice < 0.6 && one !== undefined) this.#finish(journal, one);
    else if (dice < 0.63 && one !== undefined) this.#drop(journal, one);
    else if (dice < 0.71) this.#append(journal);
    else if (dice < 0.78) this.#appendLog(journal);
    else if (dice < 0.85) this.#do('turn', () => this.#endTurn());
    else if (dice < 0.88) this.#do('lease', () => this.#turn.renewLease());
    else if (dice < 0.99) this.#do('ship', () => this.#ship());
    // Larger than the page that the header has taken so far.
    else if (dice < 0.995) this.#do('resource', () => journal.useResource(Buffer.alloc(5000)));
    else this.#do('flush', () => journal.flush());
    if (this.#operation === 'turn' || this.#operation === 'flush') this.#written();
  }

  #begin(journal: JournalWriter): void {
    const span = this.#newSpan(true);
    this.#do('begin', () => {
      const start = span.known[0]!;
      const entry = journal.begin(SCOPE, start, 0, start.length);
      if (entry === NO_ENTRY) throw new Violation('no entry');
      this.#entries.set(span.id, entry);
    });
    span.step = 'in flight';
  }

  #amend(journal: JournalWriter, id: number): void {
    const span = this.#spans.get(id)!;
    const more = field(9, field(1, this.#filling(40)));
    span.adding = more;
    this.#do('amend', () => {
      if (journal.amend(this.#entries.get(id)!, more, 0, more.length)) {
        span.unwritten ||= this.#mode === 'write';
        span.known.push(more);
      }
    });
    span.adding = undefined;
    if (this.#random() < 0.5) this.#settle(journal, span);
  }

  /** An answer leaves: what is known of its span is in the files, and every span without an entry. */
  #settle(journal: JournalWriter, span: KnownSpan): void {
    this.#do('settle', () => journal.settle(this.#entries.get(span.id)!));
    for (const one of this.#spans.values()) if (one === span || !(one.hasEntry || one.isLog)) one.unwritten = false;
  }

  #finish(journal: JournalWriter, id: number): void {
    const span = this.#spans.get(id)!;
    const isWhole = this.#random() < 0.2;
    const end = field(3, this.#filling(600));
    const bytes = isWhole ? Buffer.concat([...span.known, end]) : end;
    span.whole = Buffer.concat([...span.known, end]);
    span.step = 'finishing';
    span.unwritten ||= this.#mode === 'write';
    this.#do('finish', () => journal.finish(this.#entries.get(id)!, bytes, 0, bytes.length, isWhole));
    this.#entries.delete(id);
    span.step = 'ended';
  }

  #drop(journal: JournalWriter, id: number): void {
    const span = this.#spans.get(id)!;
    span.step = 'dropping';
    span.unwritten ||= this.#mode === 'write';
    this.#do('drop', () => journal.drop(this.#entries.get(id)!));
    this.#entries.delete(id);
    span.step = 'dropped';
  }

  #append(journal: JournalWriter): void {
    const span = this.#newSpan(false);
    const bytes = span.known[0]!;
    span.whole = bytes;
    span.step = 'finishing';
    span.unwritten = this.#mode === 'write';
    this.#do('append', () => {
      const room = this.#random() < 0.5 ? journal.reserve(SCOPE) : undefined;
      const space = room === undefined ? 0 : Math.min(bytes.length, room.end - room.start);
      for (let i = 0; i < space; i++) {
        const isWord = i + 4 <= space;
        if (isWord) room!.memory.view.setInt32(room!.start + i, bytes.readInt32LE(i), true);
        else room!.memory.view.setInt8(room!.start + i, bytes.readInt8(i));
        if (isWord) i += 3;
      }
      // What does not fit has been written in part, and is given up.
      if (space === bytes.length) journal.commit(room!.start + space);
      else journal.append(SCOPE, bytes, 0, bytes.length);
    });
    span.step = 'ended';
  }

  /** A log record is an item like a span that has no entry, in segments of its own. */
  #appendLog(journal: JournalWriter): void {
    const record = this.#newSpan(false);
    record.isLog = true;
    const bytes = record.known[0]!;
    record.whole = bytes;
    record.step = 'finishing';
    record.unwritten = this.#mode === 'write';
    this.#do('log', () => journal.appendLog(SCOPE, bytes, 0, bytes.length));
    record.step = 'ended';
  }

  #newSpan(hasEntry: boolean): KnownSpan {
    const id = Buffer.alloc(8);
    id.writeDoubleBE(++this.#lastId);
    const start = Buffer.concat([field(2, id), field(5, this.#filling(hasEntry ? 100 : 700))]);
    const span: KnownSpan = {
      id: this.#lastId,
      step: 'beginning',
      hasEntry,
      isLog: false,
      known: [start],
      adding: undefined,
      whole: start,
      unwritten: false,
    };
    this.#spans.set(span.id, span);
    return span;
  }

  #filling(most: number): Buffer {
    return Buffer.alloc(1 + Math.floor(this.#random() * most), 97 + (this.#lastId % 26));
  }

  #do(operation: string, work: () => void): void {
    this.#operation = operation;
    work();
  }

  #endTurn(): void {
    for (const callback of this.#turn.callbacks.splice(0)) callback();
  }

  /** What has been said of spans is in the files. */
  #written(): void {
    for (const span of this.#spans.values()) span.unwritten = false;
  }

  /** A shipper beside the living writer: it sees some of the stores that are on their way. */
  #ship(): void {
    this.#mapping.arriveSome();
    this.#isShipping = true;
    const { called } = this.#disk;
    this.#disk.called = () => {};
    try {
      for (const file of listJournal(DIRECTORY)) {
        if (file.kind === 'in-flight') continue;
        const segment = openSegment(file);
        if (isUnsound(segment)) throw new Violation(`${file.name} is ${segment.unsound} while its writer lives`);
        this.#shipSegment(segment);
        segment.close();
      }
    } finally {
      this.#disk.called = called;
      this.#isShipping = false;
    }
  }

  #shipSegment(segment: SegmentReader): void {
    const { committed, shipped, sealed } = segment.state();
    const end = this.#random() < 0.9 ? committed : shipped;
    const { bytes, next, corrupt } = segment.read(shipped, end, 1 << 20);
    if (corrupt) throw new Violation('the shipper read bytes that are no chunk');
    this.#delivered.push({ bytes: Buffer.from(bytes), isLog: segment.header.kind === 'logs' });
    if (next > shipped) segment.storeShipped(next);
    if (sealed && next === committed && !segment.giveBack()) segment.remove();
  }

  #changed(): void {
    this.stores++;
    if (!this.#isShipping && (this.#stopShare === 1 || this.#stopRandom() < this.#stopShare)) this.#stop();
  }

  /** The process ends here: recovers and ships what it leaves, and looks at every span. */
  #stop(): void {
    this.stops++;
    useDisk(this.#mapping.leave());
    try {
      this.#check(this.#recover());
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      // The writer, in whose store this is thrown, may take it for a failure of the disk.
      this.#found ??= new Violation(`${error.message}; ${this.#where()}`);
      throw this.#found;
    } finally {
      useDisk(this.#disk);
    }
  }

  #where(): string {
    return `stopped in ${this.#operation} after store ${this.stores}, mode ${this.#mode}, seed ${this.#seed}`;
  }

  #recover(): Delivered[] {
    const chunks = [...this.#delivered];
    const report = (path: string, reason: string) => {
      throw new Violation(`${path} is ${reason}`);
    };
    const tail = new Tail(DIRECTORY, report);
    tail.refresh();
    for (const writer of tail.writers.values()) {
      const committed = new Map(
        [...writer.segments.values()].map((segment) => [segment.file.sequence, segment.committed]),
      );
      const isRecovered = committed.has(RECOVERY_SEQUENCE);
      const death = { atMs: Date.now() };
      recoverInFlight(writer.tables, (sequence) => committed.get(sequence), isRecovered, death, writer, report);
    }
    tail.refresh();
    for (const writer of tail.writers.values()) {
      for (const segment of writer.allSegments()) {
        const { bytes, corrupt } = segment.reader.read(segment.shipped, segment.committed, 1 << 20);
        if (corrupt) throw new Violation(`${segment.file.name} is corrupt`);
        chunks.push({ bytes: Buffer.from(bytes), isLog: segment.file.kind === 'logs' });
      }
    }
    tail.close();
    return chunks;
  }

  #check(chunks: Delivered[]): void {
    const found = new Map<number, Found>();
    for (const { bytes, isLog } of chunks) {
      for (let at = 0; at < bytes.length; ) {
        const length = chunkLengthAt(bytes, at, bytes.length);
        const fields = spanFields(bytes.subarray(at, at + length));
        at += length;
        const id = fields.readDoubleBE(2);
        const of = found.get(id) ?? { ended: 0, interrupted: 0, fields };
        found.set(id, of);
        if (this.#spans.get(id)?.isLog !== isLog) throw new Violation(`item ${id} is in a segment of another kind`);
        if (fields.includes('forktrace.interrupted')) of.interrupted++;
        else of.ended++;
      }
    }
    for (const id of found.keys())
      if (!this.#spans.has(id)) throw new Violation(`there is a span ${id} that never was`);
    for (const span of this.#spans.values()) {
      const wrong = fault(span, found.get(span.id) ?? { ended: 0, interrupted: 0, fields: Buffer.alloc(0) });
      if (wrong !== undefined) throw new Violation(`span ${span.id} is ${wrong}`);
    }
  }

  /** The writer's turns of the event loop, and its renewals of the lease, are steps of the program. */
  #takeTimers(): () => void {
    const real = { setImmediate: globalThis.setImmediate, setInterval: globalThis.setInterval };
    const handle = { unref: () => handle, ref: () => handle };
    globalThis.setImmediate = ((callback: () => void) => {
      this.#turn.callbacks.push(callback);
      return handle;
    }) as never;
    globalThis.setInterval = ((callback: () => void) => {
      this.#turn.renewLease = callback;
      return handle;
    }) as never;
    return () => Object.assign(globalThis, real);
  }
}

/** The span's fields in a chunk of one span, whose scope is the simulation's. */
function spanFields(chunk: Buffer): Buffer {
  const scopeAt = varintEnd(chunk, 1, chunk.length);
  const spanAt = scopeAt + SCOPE.bytes.length + 1;
  if (scopeAt < 0 || !chunk.subarray(scopeAt, spanAt - 1).equals(SCOPE.bytes)) throw new Violation('a chunk is broken');
  const fieldsAt = varintEnd(chunk, spanAt, chunk.length);
  const fields = chunk.subarray(fieldsAt);
  if (fieldsAt < 0 || varintIn(chunk, spanAt, fieldsAt) !== fields.length)
    throw new Violation('a chunk has a wrong length');
  return fields;
}
