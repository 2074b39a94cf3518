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
import { listJournal } from '#src/journal/list-journal.js';
import { isUnsound } from '#src/journal/open-file.js';
import { openSegment, type SegmentReader } from '#src/journal/segment-reader.js';
import { NO_ENTRY, type Room } from '#src/journal/span-log.js';
import { RECOVERY_SEQUENCE, recoverInFlight } from '#src/shipper/recover-in-flight.js';
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
  /** Bytes of checksum behind each. */
  trailer: number;
}

/** A segment that a stranger has deleted: a shipper that had it open then still reads it. */
interface Held {
  reader: SegmentReader;
  descriptor: number;
}

interface Turn {
  /** Callbacks of `setImmediate`. */
  callbacks: (() => void)[];
  /** Those of `setInterval`: the lease's, and perhaps that of syncing. */
  intervals: (() => void)[];
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
  readonly #turn: Turn = { callbacks: [], intervals: [] };
  readonly #isSynced: boolean;
  readonly #isBurst: boolean;
  readonly #held: Held[] = [];
  /** The writer has been taken for dead, and has not seen that yet. */
  #isEnded = false;
  /** A table has been deleted, and the writer has not seen that yet. */
  #isTableGone = false;
  #isSegmentGone = false;
  readonly #entries = new Map<number, number>();
  #operation = 'open';
  #isShipping = false;
  #isRenewing = false;
  #lastId = 0;
  #found: Violation | undefined;

  /** @param stopShare of all stores, how many are a stop: 1 for each */
  constructor(seed: number, stopShare: number) {
    this.#seed = seed;
    this.#mode = seed % 3 === 0 ? 'write' : 'mmap';
    this.#isSynced = seed % 4 === 0;
    this.#isBurst = seed % 5 < 2;
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
        {
          dir: DIRECTORY,
          resource: Buffer.alloc(0),
          isResourcePending: true,
          segmentBytes: 8192,
          inFlight: 16,
          sync: this.#isSynced ? 'interval' : 'none',
          renewed: () => {
            this.#isRenewing = true;
          },
        },
        this.#mode === 'mmap' ? this.#mapping : undefined,
      );
      for (let step = 0; step < STEPS; step++) this.#step(journal, step);
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

  /** Many spans are begun, then ended, so that the table grows and shrinks. */
  #diceOfBurst(step: number): number {
    if (this.#random() < 0.3) return this.#random();
    return step < 30 ? 0 : step < 60 ? 0.5 : 0.87;
  }

  #step(journal: JournalWriter, step: number): void {
    const dice = this.#isBurst ? this.#diceOfBurst(step) : this.#random();
    const open = [...this.#entries.keys()];
    const one = open[Math.floor(this.#random() * open.length)];
    if (dice < 0.25) this.#begin(journal);
    else if (dice < 0.35 && one !== undefined) this.#amend(journal, one);
    else if (dice < 0.6 && one !== undefined) this.#finish(journal, one);
    else if (dice < 0.63 && one !== undefined) this.#drop(journal, one);
    else if (dice < 0.71) this.#append(journal);
    else if (dice < 0.78) this.#appendLog(journal);
    else if (dice < 0.85) this.#do('turn', () => this.#endTurn());
    else if (dice < 0.88) this.#lease();
    else if (dice < 0.96) this.#do('ship', () => this.#ship());
    else if (dice < 0.97) this.#do('taken for dead', () => this.#takeForDead());
    else if (dice < 0.98) this.#do('deleted', () => this.#delete(journal.writerId));
    else if (dice < 0.99) this.#do('sync', () => this.#turn.intervals[1]?.());
    // Larger than the page that the header has taken so far.
    else if (dice < 0.995) this.#do('resource', () => journal.useResource(field(15, Buffer.alloc(5000))));
    else this.#do('flush', () => journal.flush());
    if (this.#operation === 'turn' || this.#operation === 'flush') this.#written();
  }

  #begin(journal: JournalWriter): void {
    const span = this.#newSpan(true);
    this.#do('begin', () => {
      const start = span.known[0]!;
      const room = this.#random() < 0.7 ? journal.reserveEntry(SCOPE) : undefined;
      const fits = room !== undefined && this.#writeTo(room, start);
      // As when it could not be encoded after all.
      const isGivenUp = fits && this.#random() < 0.1;
      const entry =
        fits && !isGivenUp
          ? journal.beginReserved(room.start + start.length, 0)
          : journal.begin(SCOPE, start, 0, start.length);
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
      const [bytes, start] = this.#inPlace(journal, id, more);
      if (journal.amend(this.#entries.get(id)!, bytes, start, start + more.length)) {
        span.unwritten ||= this.#mode === 'write';
        span.known.push(more);
      }
    });
    span.adding = undefined;
    if (this.#random() < 0.5) this.#settle(journal, span);
  }

  /** `fields` as the journal is given them, and where they begin: often written to the entry itself. */
  #inPlace(journal: JournalWriter, id: number, fields: Buffer): [bytes: Uint8Array, start: number] {
    const room = this.#random() < 0.7 ? journal.reserveMore(this.#entries.get(id)!) : undefined;
    return room !== undefined && this.#writeTo(room, fields) ? [room.memory.bytes, room.start] : [fields, 0];
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
    this.#do('finish', () => {
      const [from, start] = isWhole ? [bytes, 0] : this.#inPlace(journal, id, bytes);
      journal.finish(this.#entries.get(id)!, from, start, start + bytes.length, isWhole);
    });
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
      // What does not fit has been written in part, and is given up.
      if (room !== undefined && this.#writeTo(room, bytes)) journal.commit(room.start + bytes.length);
      else journal.append(SCOPE, bytes, 0, bytes.length);
    });
    span.step = 'ended';
  }

  /** As an encoder does, store by store. @returns whether there was room for all of it */
  #writeTo({ memory: { view }, start, end }: Room, bytes: Buffer): boolean {
    const space = Math.min(bytes.length, end - start);
    for (let i = 0; i < space; i++) {
      const isWord = i + 4 <= space;
      if (isWord) view.setInt32(start + i, bytes.readInt32LE(i), true);
      else view.setInt8(start + i, bytes.readInt8(i));
      if (isWord) i += 3;
    }
    return space === bytes.length;
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
      told: false,
      noted: this.#isEnded,
      saving: this.#isSegmentGone,
      unseen: this.#isEnded || (hasEntry && this.#isTableGone),
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
    if (!this.#isRenewing) return;
    this.#isRenewing = false;
    this.#isEnded = false;
    this.#saved();
  }

  #lease(): void {
    this.#do('lease', () => this.#turn.intervals[0]!());
    this.#saved();
  }

  /** What a stranger has deleted is there again. */
  #saved(): void {
    this.#isTableGone = this.#isSegmentGone = false;
    for (const span of this.#spans.values()) {
      span.saving = false;
      span.unseen = this.#isEnded && span.unseen;
    }
  }

  /** A shipper that sees no sign of life of the writer, which is stopped, recovers it. */
  #takeForDead(): void {
    this.#mapping.arriveAll();
    this.#beside(() => this.#recoverWriters(true));
    this.#isEnded = true;
    for (const span of this.#spans.values()) {
      if (span.hasEntry && (span.step === 'in flight' || span.unwritten)) span.told = span.noted = true;
      if (span.step !== 'ended' || span.unwritten) span.unseen = true;
    }
  }

  /** A stranger deletes one of the writer's files. */
  #delete(writerId: string): void {
    const files = listJournal(DIRECTORY).filter((file) => file.writerId === writerId);
    const file = files[Math.floor(this.#random() * files.length)];
    if (file === undefined) return;
    this.#beside(() => {
      if (file.kind === 'in-flight') {
        this.#isTableGone = true;
        for (const span of this.#spans.values())
          if (span.hasEntry && (span.step !== 'ended' || span.unwritten)) span.unseen = true;
      } else {
        const reader = openSegment(file);
        if (isUnsound(reader)) throw new Violation(`${file.name} is ${reader.unsound} while its writer lives`);
        this.#held.push({ reader, descriptor: this.#disk.lastDescriptor });
        this.#isSegmentGone = true;
        for (const span of this.#spans.values()) span.saving = true;
      }
      this.#disk.unlink(file.name);
    });
  }

  /** Of what is deleted, the shipper sends what no other file has. */
  #shipHeld(isDead: boolean): Delivered[] {
    const delivered: Delivered[] = [];
    for (const held of [...this.#held]) {
      const { reader } = held;
      const { committed, shipped, sealed } = reader.state();
      const isLast = reader.isLastCopy();
      if (isLast && (sealed || isDead)) {
        const { bytes, next } = reader.read(shipped, committed, 1 << 20);
        delivered.push({ bytes: Buffer.from(bytes), isLog: reader.header.kind === 'logs', trailer: reader.trailer });
        reader.storeShipped(next);
      }
      if (isDead || (isLast && !sealed)) continue;
      reader.close();
      this.#held.splice(this.#held.indexOf(held), 1);
    }
    return delivered;
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
    this.#beside(() => {
      for (const file of listJournal(DIRECTORY)) {
        if (file.kind === 'in-flight') continue;
        const segment = openSegment(file);
        if (isUnsound(segment)) throw new Violation(`${file.name} is ${segment.unsound} while its writer lives`);
        this.#shipSegment(segment);
        segment.close();
      }
      this.#delivered.push(...this.#shipHeld(false));
    });
  }

  /** What another process does, to which the writer's stores come in any order. */
  #beside(work: () => void): void {
    this.#isShipping = true;
    const { called } = this.#disk;
    this.#disk.called = () => {};
    try {
      work();
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
    this.#delivered.push({
      bytes: Buffer.from(bytes),
      isLog: segment.header.kind === 'logs',
      trailer: segment.trailer,
    });
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
    useDisk(this.#mapping.leave(this.#held.map(({ descriptor }) => descriptor)));
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
    this.#recoverWriters(false);
    const tail = new Tail(DIRECTORY, notSound);
    tail.refresh();
    for (const writer of tail.writers.values()) {
      for (const { reader, file, shipped, committed } of writer.allSegments()) {
        const { bytes, corrupt } = reader.read(shipped, committed, 1 << 20, undefined, true);
        if (corrupt) throw new Violation(`${file.name} is corrupt`);
        chunks.push({ bytes: Buffer.from(bytes), isLog: file.kind === 'logs', trailer: reader.trailer });
      }
    }
    tail.close();
    return [...chunks, ...this.#shipHeld(true)];
  }

  /** As the shipper does. `ends`: the writer may live after all. */
  #recoverWriters(ends: boolean): void {
    const tail = new Tail(DIRECTORY, notSound);
    tail.refresh();
    for (const writer of tail.writers.values()) {
      const committed = new Map<number, number>();
      for (const { reader } of writer.allSegments()) if (ends) reader.endWriter();
      for (const { reader } of writer.segments.values())
        committed.set(reader.header.sequence, reader.state().committed);
      for (const { reader } of this.#held) {
        const { sequence, writer: of, kind } = reader.header;
        if (ends) reader.endWriter();
        if (kind === 'segment' && of.id === writer.identity.id && reader.isLastCopy())
          committed.set(sequence, reader.state().committed);
      }
      recoverInFlight({
        tables: writer.tables,
        committedOf: (sequence) => committed.get(sequence),
        recovered: committed.has(RECOVERY_SEQUENCE),
        death: { atMs: Date.now() },
        described: writer,
        report: notSound,
      });
    }
    tail.close();
  }

  #check(chunks: Delivered[]): void {
    const found = new Map<number, Found>();
    for (const { bytes, isLog, trailer } of chunks) {
      for (let at = 0; at < bytes.length; ) {
        const length = chunkLengthAt(bytes, at, bytes.length, trailer);
        const fields = spanFields(bytes.subarray(at, at + length - trailer));
        at += length;
        const id = fields.readDoubleBE(2);
        const of = found.get(id) ?? nothingFound();
        found.set(id, of);
        if (this.#spans.get(id)?.isLog !== isLog) throw new Violation(`item ${id} is in a segment of another kind`);
        if (fields.includes('forktrace.interrupted')) {
          of.interrupted++;
          of.interruptedFields = fields;
        } else {
          of.ended++;
          of.endedFields = fields;
        }
      }
    }
    for (const id of found.keys())
      if (!this.#spans.has(id)) throw new Violation(`there is a span ${id} that never was`);
    for (const span of this.#spans.values()) {
      const wrong = fault(span, found.get(span.id) ?? nothingFound());
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
      this.#turn.intervals.push(callback);
      return handle;
    }) as never;
    return () => Object.assign(globalThis, real);
  }
}

function notSound(path: string, reason: string): never {
  throw new Violation(`${path} is ${reason}`);
}

function nothingFound(): Found {
  return { ended: 0, interrupted: 0, endedFields: Buffer.alloc(0), interruptedFields: Buffer.alloc(0) };
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
