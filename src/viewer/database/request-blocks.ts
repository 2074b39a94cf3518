/**
 * Requests as they were received, in blocks: each write is one, compressed. The spans of a trace are read
 * from the blocks in which they arrived.
 *
 * @module
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Trace } from '../store/trace.js';
import { traceRequestOf } from '../store/trace-request.js';
import { TraceStore } from '../store/trace-store.js';
import type { Statements } from './statements.js';

/** Blocks that are held as read: traces that are looked at one after the other stand in the same. */
const READ_BLOCKS = 4;
const UNLIMITED = { maxBytes: Infinity, maxSpans: Infinity, maxTraces: Infinity };

export class RequestBlocks {
  readonly #statements: Statements;
  readonly #read = new Map<number, Map<string, Trace>>();
  #last: number;

  constructor(statements: Statements) {
    this.#statements = statements;
    this.#last = statements.number('SELECT coalesce(max(id), 0) FROM block');
  }

  /** The id of the block that is added next. */
  get next(): number {
    return this.#last + 1;
  }

  /** @param newest the highest key of the traces in it */
  add(request: Buffer, newest: number): void {
    const block = ++this.#last;
    const bytes = deflateRawSync(request, { level: 1 });
    this.#statements.run('INSERT INTO block VALUES (?, ?, ?, ?)', block, newest, request.length, bytes);
    this.#read.delete(block);
  }

  /** Deletes the blocks of which no trace has a key above `key`. */
  removeUpTo(key: number): void {
    this.#statements.run('DELETE FROM block WHERE newest <= ?', key);
  }

  traceIn(blocks: readonly number[], id: string): Trace | undefined {
    if (blocks.length === 1) return this.#tracesIn(blocks[0]!).get(id);
    const together = new TraceStore(UNLIMITED);
    for (const block of blocks) {
      const part = this.#tracesIn(block).get(id);
      if (part !== undefined) together.ingest(traceRequestOf(part.spans.values()));
    }
    return together.traces.get(id);
  }

  #tracesIn(block: number): Map<string, Trace> {
    let traces = this.#read.get(block);
    if (traces === undefined) {
      const row = this.#statements.get('SELECT bytes FROM block WHERE id = ?', block);
      const store = new TraceStore(UNLIMITED);
      if (row !== undefined) store.ingest(inflateRawSync(row.bytes as Uint8Array));
      traces = store.traces;
      this.#read.set(block, traces);
      if (this.#read.size > READ_BLOCKS) this.#read.delete(this.#read.keys().next().value as number);
    }
    return traces;
  }

  /** The newest requests, oldest first: of up to `maxBytes` together. */
  newest(maxBytes: number): Buffer[] {
    const requests: Buffer[] = [];
    let room = maxBytes;
    let before = Number.MAX_SAFE_INTEGER;
    for (;;) {
      const block = this.#statements.get('SELECT * FROM block WHERE id < ? ORDER BY id DESC LIMIT 1', before);
      if (block === undefined) break;
      before = block.id as number;
      room -= block.size as number;
      if (room < 0) break;
      requests.unshift(inflateRawSync(block.bytes as Uint8Array));
    }
    return requests;
  }
}
