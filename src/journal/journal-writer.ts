/**
 * The append path of a journal: what a span that begins, changes and ends stores, and in which order. The
 * order is the format's (see format.ts). writer-files.ts holds the files that are written to,
 * segment-supply.ts says where segments come from, write-back.ts how `write` mode brings them to the files.
 *
 * @module
 */
import { warn } from '../warn.js';
import { asMemory, copyBytes, type Memory, memoryOf } from '../wire/memory.js';
import { appendChunk } from './append-chunk.js';
import { beginChunk, beginSpanIn, chunkLength, closeChunk, MAX_OPEN_CHUNK, openChunk, spanStartIn } from './chunk.js';
import type { FilePlans, WriterLosses } from './file-plans.js';
import type { InFlightFiles } from './in-flight-files.js';
import type { InFlightTable } from './in-flight-table.js';
import type { Journal, JournalStats, OpenSegment } from './journal.js';
import { LossLedger } from './loss-ledger.js';
import type { Mapping } from './mapped-memory.js';
import type { SegmentWriter } from './segment-writer.js';
import { NO_ENTRY, type Room, type SpanLog } from './span-log.js';
import { TakenForDead } from './taken-for-dead.js';
import { Upkeep } from './upkeep.js';
import type { VitalsWriter } from './vitals.js';
import type { WriteBack } from './write-back.js';
import { WriterFiles, type WriterFilesOptions } from './writer-files.js';

/** Milliseconds between syncs. */
const SYNC_MS = 1000;
/** Most spans are smaller. */
const LITTLE_ROOM = 512;

export class JournalWriter implements Journal, SpanLog {
  readonly mode: 'mmap' | 'write';
  readonly #losses: WriterLosses;
  readonly #files: WriterFiles;
  // Those of `#files`, one step nearer for what is stored per span.
  readonly #plans: FilePlans;
  readonly #table: InFlightTable;
  readonly #tableFiles: InFlightFiles;
  readonly #spans: SegmentWriter;
  /** `write` mode only. */
  readonly #writeBack: WriteBack | undefined;
  readonly #takenForDead: TakenForDead;
  readonly #upkeep: Upkeep;
  readonly #room: Room = { memory: memoryOf(new Uint8Array(0)), start: 0, end: 0 };
  #wasResourcePending = false;
  #untracked = 0;

  /** @param mapping how files become memory; undefined for `write` mode */
  constructor(options: WriterFilesOptions, mapping: Mapping | undefined) {
    const { dir } = options;
    this.mode = mapping ? 'mmap' : 'write';
    this.#losses = { spans: new LossLedger(dir, 'Spans'), logs: new LossLedger(dir, 'Log records') };
    const files = new WriterFiles(options, mapping, this.#losses, () => this.#takenForDead.look());
    this.#files = files;
    this.#plans = files.plans;
    this.#table = files.table;
    this.#tableFiles = files.tableFiles;
    this.#spans = files.spans;
    this.#writeBack = files.writeBack;
    this.#takenForDead = new TakenForDead(files);
    const syncMs = options.sync === 'interval' ? (options.syncIntervalMs ?? SYNC_MS) : undefined;
    this.#upkeep = new Upkeep(files, this.#takenForDead, syncMs);
  }

  get writerId(): string {
    return this.#plans.identity.id;
  }

  get dir(): string {
    return this.#plans.dir;
  }

  /** Why there is no segment to write to; undefined when there is one. */
  get refusal(): string | undefined {
    return this.#spans.segment === undefined ? this.#losses.spans.refusal : undefined;
  }

  reserve(scope: Memory): Room | undefined {
    const { segment } = this.#spans;
    if (segment === undefined) return undefined;
    const { position, limit } = segment;
    if (spanStartIn(position, scope.bytes.length) + LITTLE_ROOM > limit - segment.trailer) return undefined;
    const room = this.#room;
    room.memory = segment.memory;
    room.start = openChunk(segment.memory, position, scope);
    room.end = Math.min(limit - segment.trailer, position + MAX_OPEN_CHUNK);
    return room;
  }

  commit(end: number): void {
    const segment = this.#spans.segment!;
    closeChunk(segment.memory, segment.position, this.#room.start, end);
    segment.commitTo(end);
    if (this.#writeBack !== undefined) this.#writeBack.appended();
  }

  append(scope: Memory, bytes: Uint8Array, start: number, end: number): void {
    if (appendChunk(this.#spans, scope, bytes, start, end) && this.#writeBack !== undefined) this.#writeBack.appended();
  }

  appendLog(scope: Memory, bytes: Uint8Array, start: number, end: number): void {
    this.#files.logs.append(scope, bytes, start, end);
  }

  begin(scope: Memory, bytes: Uint8Array, start: number, end: number, reading = Number.NaN): number {
    if (this.#takenForDead.mayBe()) this.#takenForDead.look();
    let entry = this.#table.begin(scope, bytes, start, end, reading);
    if (entry === NO_ENTRY) {
      if (!this.#tableFiles.grow()) {
        this.#countUntracked();
        return NO_ENTRY;
      }
      entry = this.#table.begin(scope, bytes, start, end, reading);
    }
    if (this.#writeBack !== undefined) this.#writeBack.begin(entry);
    return entry;
  }

  reserveEntry(scope: Memory): Room | undefined {
    if (this.#takenForDead.mayBe()) this.#takenForDead.look();
    return this.#table.reserve(scope, this.#room) ? this.#room : undefined;
  }

  beginReserved(end: number, reading: number): number {
    const entry = this.#table.beginReserved(this.#room.start, end, reading);
    if (this.#writeBack !== undefined) this.#writeBack.begin(entry);
    return entry;
  }

  reserveMore(entry: number): Room | undefined {
    if (this.#files.isClosed || !this.#table.reserveMore(entry, this.#room)) return undefined;
    return this.#room;
  }

  amend(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    if (entry === NO_ENTRY || this.#files.isClosed || !this.#table.amend(entry, bytes, start, end)) return false;
    if (this.#writeBack !== undefined) this.#writeBack.changed(entry);
    return true;
  }

  settle(entry: number): void {
    if (this.#writeBack !== undefined && !this.#files.isClosed) this.#writeBack.settle(entry);
  }

  drop(entry: number): void {
    if (entry === NO_ENTRY || this.#files.isClosed) return;
    this.#release(entry, false);
  }

  finish(entry: number, bytes: Uint8Array, start: number, end: number, whole: boolean): void {
    if (entry === NO_ENTRY || this.#files.isClosed) {
      this.#loseClosed();
      return;
    }
    const table = this.#table;
    table.read(entry);
    if (this.#takenForDead.mayBe()) {
      if (bytes === table.data.bytes) {
        // The entry may be in another file afterwards.
        bytes = bytes.slice(start, end);
        end -= start;
        start = 0;
      }
      this.#takenForDead.look();
      table.read(entry);
    }
    const { data, scopeStart, fieldsStart } = table;
    const isInPlace = bytes === data.bytes;
    const scopeLength = fieldsStart - scopeStart;
    const fieldsLength = whole ? 0 : table.fieldsEnd - fieldsStart;
    const note = this.#takenForDead.noteFor(entry);
    const spanLength = fieldsLength + end - start + note.length;
    const { identity } = this.#plans;
    const segment = this.#spans.segmentFor(chunkLength(scopeLength, spanLength));
    if (segment === undefined) {
      this.#release(entry, false);
      return;
    }
    if (this.#plans.identity !== identity) {
      // Taken for dead: the entry is in another file by now, with what was written behind its fields, and
      // what was read of it is not there any more.
      table.read(entry);
      const from = isInPlace ? table.fieldsEnd : start;
      this.finish(entry, isInPlace ? table.data.bytes : bytes, from, from + end - start, whole);
      return;
    }

    const { memory } = segment;
    let at = beginChunk(memory.bytes, segment.position, scopeLength, spanLength);
    copyBytes(data, scopeStart, memory, at, scopeLength);
    at = beginSpanIn(memory.bytes, at + scopeLength, spanLength);
    if (isInPlace) copyBytes(data, fieldsStart, memory, at, fieldsLength + end - start);
    else {
      copyBytes(data, fieldsStart, memory, at, fieldsLength);
      copyBytes(asMemory(bytes), start, memory, at + fieldsLength, end - start);
    }
    at += fieldsLength + end - start;
    if (note.length > 0) memory.bytes.set(note, at);
    at += note.length;
    // Dead before the commit: the mark is not reached, so the span was in flight. Dead after it: the mark
    // says that it has ended.
    table.mark(entry, segment.sequence, at - segment.bodyAt);
    segment.commitTo(at);
    if (this.#writeBack !== undefined) this.#writeBack.schedule();
    this.#release(entry, true);
  }

  /**
   * The tables stay, with the resource of before: what is recovered of them gets that of the writer's newest
   * segment.
   */
  useResource(resource: Uint8Array): void {
    if (this.#files.isClosed || !this.#plans.isResourcePending) return;
    this.#takenForDead.look();
    this.#plans.useResource(resource);
    this.#wasResourcePending = true;
    this.#files.renewSegments();
  }

  flush(): void {
    this.#files.flush();
  }

  vitals(): VitalsWriter | undefined {
    return this.#files.vitals();
  }

  openSegments(): OpenSegment[] {
    const open: OpenSegment[] = [];
    for (const [kind, { segment } = {}] of [
      ['segment', this.#spans],
      ['logs', this.#files.logs.segments],
    ] as const)
      if (segment) open.push({ kind, committed: segment.committed, shipped: () => segment.file.shipped() });
    return open;
  }

  stats(): JournalStats {
    const { items: spans, bytes, segments } = this.#spans.counts();
    return {
      mode: this.mode,
      spans,
      bytes,
      segments,
      inFlight: this.#table.used,
      untracked: this.#untracked,
      lost: this.#losses.spans.counts(),
      logRecords: this.#files.logs.segments?.counts().items ?? 0,
      logRecordsLost: this.#losses.logs.counts(),
    };
  }

  close(): void {
    if (this.#files.isClosed) return;
    this.#takenForDead.look();
    this.#upkeep.stop();
    this.#files.close(this.#wasResourcePending);
    this.#losses.spans.end();
    this.#losses.logs.end();
  }

  #countUntracked(): void {
    if (this.#files.isClosed || this.#untracked++ > 0) return;
    const message = `More than ${this.#table.size} requests are in flight: the others are recorded when they end, but would not be reported`;
    warn('FORKTRACE_IN_FLIGHT_FULL', `${message} as interrupted if this process died now.`);
  }

  #release(entry: number, marked: boolean): void {
    this.#takenForDead.forget(entry);
    if (this.#writeBack === undefined) this.#table.release(entry);
    else this.#writeBack.release(entry, marked);
  }

  #loseClosed(): void {
    this.#losses.spans.lose('closed', 1, 'they ended after the journal was closed');
  }
}
