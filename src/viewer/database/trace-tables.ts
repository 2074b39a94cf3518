/**
 * Traces in an SQLite database: writes them, finds them by their id, and deletes the oldest. Its tables are
 * those of trace-schema.ts.
 *
 * @module
 */
import type { Trace } from '../store/trace.js';
import { traceRequestOf } from '../store/trace-request.js';
import { TraceStore } from '../store/trace-store.js';
import { traceRow } from '../views/trace-list.js';
import { FacetValues } from './facet-values.js';
import { RequestBlocks } from './request-blocks.js';
import type { Database, Row, Value } from './sqlite.js';
import { Statements } from './statements.js';
import { keyAt } from './trace-row.js';
import { openTraceDatabase } from './trace-schema.js';
import { idTerm, linkTerm, MAX_WORDS, traceTerms } from './trace-terms.js';

/** Of the traces that still get spans. A trace that gets one later is read again. */
const OPEN_BYTES = 8 * 1024 * 1024;
/**
 * What goes after a write when the size is exceeded: twice as many traces as came, so that any rate is kept
 * up with, and not so many that what is received next has to wait. Pages that are free are given back
 * likewise.
 */
const GO_AT_LEAST = 200;
const GIVE_BACK_PAGES = 500;
/** Of the size that is allowed, what is kept free for what is written next. */
const FREE_SHARE = 0.02;
/**
 * Pages of the index that one step merges, and what is left of the term at which it gets there. Left to
 * itself, the index merges as part of a write, the more the more is deleted: 50 MB and 1.3 s of CPU in one
 * write of a file of 1.5 million traces that was at its limit.
 */
const MERGE_PAGES = 64;
const MAX_LINKING = 50;
const MAX_NAMED = 50;
/** The index puts all entries of a prefix in order before it answers: 0.25 s of CPU for a million. */
const MAX_ENTRIES = 1_500_000;
/** How many there are is told by so many traces. */
const TOLD_BY = 100;

/** Where a trace stands. */
interface Place {
  key: number;
  sequence: number;
  blocks: number[];
}

export class TraceTables {
  readonly database: Database;
  values!: FacetValues;
  /** Traces in the database. */
  held = 0;
  /** Of the trace that came last. */
  lastSequence = 0;
  readonly #maxBytes: number;
  readonly #maxEntries: number;
  readonly #statements: Statements;
  #blocks!: RequestBlocks;
  /** What came last, with all its spans. */
  #open!: TraceStore;
  #places = new WeakMap<Trace, Place>();
  readonly #changed = new Set<Trace>();

  /**
   * @param maxEntries of the index that one prefix may have it put in order
   * @throws when the file is no database of ours, or cannot be written
   */
  constructor(path: string, maxBytes: number, maxEntries = MAX_ENTRIES) {
    this.#maxBytes = maxBytes;
    this.#maxEntries = maxEntries;
    this.database = openTraceDatabase(path);
    this.#statements = new Statements(this.database);
    try {
      this.#start();
    } catch (error) {
      this.database.close();
      throw error;
    }
  }

  /** From what the database has. */
  #start(): void {
    const held = this.get('SELECT traces FROM held');
    this.held = held === undefined ? this.#statements.number('SELECT count(*) FROM trace') : Number(held.traces);
    if (held === undefined) this.#statements.run('INSERT INTO held VALUES (?)', this.held);
    this.lastSequence = this.#statements.number('SELECT coalesce(max(sequence), 0) FROM trace');
    this.#blocks = new RequestBlocks(this.#statements);
    this.values = new FacetValues(this.database);
    this.#open = new TraceStore({ maxBytes: OPEN_BYTES });
    this.#open.onSpan((_span, trace) => this.#changed.add(trace));
    this.#changed.clear();
    this.#places = new WeakMap();
  }

  close(): void {
    this.database.close();
  }

  get(sql: string, ...values: Value[]): Row | undefined {
    return this.#statements.get(sql, ...values);
  }

  all(sql: string, ...values: Value[]): Row[] {
    return this.#statements.all(sql, ...values);
  }

  /** @param request one or several trace export requests, one after the other */
  write(request: Buffer): void {
    const known = this.#open.lastSequence;
    this.#open.ingest(request);
    if (this.#changed.size === 0) return;
    this.#transaction(() => {
      for (const trace of [...this.#changed]) if (trace.sequence > known) this.#continue(trace);
      const block = this.#blocks.next;
      const traces = [...this.#changed].sort((a, b) => a.startMs - b.startMs);
      // In the order of keys: the index is written in one go as long as they ascend.
      for (const trace of traces) this.#forget(trace);
      let newest = 0;
      for (const trace of traces) newest = Math.max(newest, this.#put(trace, block));
      this.#blocks.add(request, newest);
    });
    const traces = this.#changed.size;
    this.#changed.clear();
    this.#trim(Math.max(GO_AT_LEAST, 2 * traces));
  }

  /**
   * Merges some of the index, which grows by a segment with each write.
   *
   * @returns whether there was anything to merge: then there may be more
   */
  merge(): boolean {
    const changes = () => this.#statements.number('SELECT total_changes()');
    const before = changes();
    this.#statements.run("INSERT INTO terms (terms, rank) VALUES ('merge', ?)", MERGE_PAGES);
    // As SQLite's manual has it: one is that of the statement itself.
    return changes() - before >= 2;
  }

  #transaction(work: () => void): void {
    this.database.exec('BEGIN');
    try {
      work();
      this.#statements.run('UPDATE held SET traces = ?', this.held);
      this.database.exec('COMMIT');
    } catch (error) {
      // A full disk may have rolled it back already.
      try {
        this.database.exec('ROLLBACK');
      } catch {}
      this.#start();
      throw error;
    }
  }

  /** A trace that has been here before gets what it had. */
  #continue(trace: Trace): void {
    const row = this.#rowOf(trace.id);
    if (row === undefined) return;
    const { key, sequence } = row as { key: number; sequence: number };
    const blocks = blocksOf(row);
    const earlier = this.#blocks.traceIn(blocks, trace.id);
    if (earlier !== undefined) this.#open.ingest(traceRequestOf(earlier.spans.values()));
    this.#places.set(trace, { key, sequence, blocks });
  }

  /** Its row is written anew. */
  #forget(trace: Trace): void {
    const place = this.#places.get(trace);
    if (place === undefined) return;
    this.#remove(place.key);
  }

  #remove(key: number): void {
    this.#statements.run('DELETE FROM terms WHERE rowid = ?', key);
    this.held -= this.#statements.run('DELETE FROM trace WHERE key = ?', key);
  }

  /** @returns its key */
  #put(trace: Trace, block: number): number {
    const place = this.#places.get(trace) ?? { key: 0, sequence: ++this.lastSequence, blocks: [] };
    place.blocks.push(block);
    place.key = this.#freeKey(keyAt(trace.startMs));
    this.#places.set(trace, place);
    const { id, durationMs, outcome, spans, errors, httpStatus, processes, slots, name, service } = traceRow(trace);
    this.#statements.run(
      'INSERT INTO trace VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)',
      place.key,
      place.sequence,
      id,
      place.blocks.join(' '),
      durationMs,
      outcome,
      spans,
      errors,
      httpStatus,
      processes,
      slots.join(' '),
      name,
      service,
    );
    this.#statements.run(
      'INSERT INTO terms (rowid, words) VALUES (?, ?)',
      place.key,
      traceTerms(trace, this.values.termOf),
    );
    this.held++;
    return place.key;
  }

  /** The key itself, or one after it: the more have begun in the same microsecond, the further. */
  #freeKey(wanted: number): number {
    let key = wanted;
    for (let room = 2; this.get('SELECT 1 FROM trace WHERE key = ?', key) !== undefined; room *= 2) {
      key = wanted + Math.floor(Math.random() * room);
    }
    return key;
  }

  #rowOf(id: string): Row | undefined {
    return this.get(
      'SELECT trace.* FROM terms JOIN trace ON trace.key = terms.rowid WHERE terms MATCH ?',
      `"${idTerm(id)}"`,
    );
  }

  /** Terms that begin with `prefix`; undefined when there are many. */
  beginningWith(prefix: string): string[] | undefined {
    const terms: string[] = [];
    for (let from = prefix; ; from = `${terms.at(-1)}\u0001`) {
      const term = this.get('SELECT term FROM vocabulary WHERE term >= ? LIMIT 1', from)?.term as string | undefined;
      if (!term?.startsWith(prefix)) return terms;
      if (terms.push(term) > MAX_NAMED) return undefined;
    }
  }

  /** Whether the terms that begin with `prefix` are too often in what came last for the index to be asked. */
  beginsMuch(prefix: string): boolean {
    if (this.held * MAX_WORDS <= this.#maxEntries) return false;
    const rows = this.all('SELECT id, blocks FROM trace ORDER BY sequence DESC LIMIT ?', TOLD_BY);
    let entries = 0;
    for (const row of rows) {
      const trace = this.traceOf(row);
      if (trace === undefined) continue;
      for (const term of traceTerms(trace, () => undefined).split(' ')) if (term.startsWith(prefix)) entries++;
    }
    return (entries / rows.length) * this.held > this.#maxEntries;
  }

  /** How many spans a trace has here. */
  spansOf(id: string): number {
    return Number(this.#rowOf(id)?.spans ?? 0);
  }

  trace(id: string): Trace | undefined {
    const row = this.#rowOf(id);
    return row && this.#blocks.traceIn(blocksOf(row), id);
  }

  /** Some traces with a link to a span of the trace `id`, newest first. */
  *linkingTo(id: string): Generator<Trace> {
    const sql = 'SELECT trace.* FROM terms JOIN trace ON trace.key = terms.rowid WHERE terms MATCH ?';
    for (const row of this.all(`${sql} ORDER BY terms.rowid DESC LIMIT ${MAX_LINKING}`, `"${linkTerm(id)}"`)) {
      const trace = this.traceOf(row);
      if (trace !== undefined) yield trace;
    }
  }

  /** @param row with its `id` and `blocks` */
  traceOf(row: Row): Trace | undefined {
    return this.#blocks.traceIn(blocksOf(row), String(row.id));
  }

  /** What came last, oldest first: requests of up to `maxBytes` together. */
  newest(maxBytes: number): Buffer[] {
    return this.#blocks.newest(maxBytes);
  }

  /** When the database is larger than it may be, up to `most` of the oldest traces go. */
  #trim(most: number): void {
    const allowed = this.#maxBytes / this.#statements.number('PRAGMA page_size');
    const pages = () => this.#statements.number('PRAGMA page_count');
    const used = pages() - this.#statements.number('PRAGMA freelist_count');
    if (used > allowed * (1 - FREE_SHARE)) {
      this.#transaction(() => {
        const oldest = this.all('SELECT key FROM trace ORDER BY key LIMIT ?', Math.min(most, this.held >> 1));
        for (const { key } of oldest) this.#remove(key as number);
        const last = oldest.at(-1)?.key as number | undefined;
        if (last !== undefined) this.#blocks.removeUpTo(last);
      });
    }
    const over = Math.min(GIVE_BACK_PAGES, Math.ceil(pages() - allowed));
    if (over > 0) this.database.exec(`PRAGMA incremental_vacuum(${over})`);
  }

  clear(): void {
    this.#transaction(() => {
      this.database.exec(`
        DELETE FROM trace; DELETE FROM block; DELETE FROM facet_value; DELETE FROM held;
        INSERT INTO terms (terms) VALUES ('delete-all');
      `);
    });
    this.database.exec('VACUUM');
    this.#start();
  }
}

const blocksOf = ({ blocks }: Row) => String(blocks).split(' ').map(Number);
