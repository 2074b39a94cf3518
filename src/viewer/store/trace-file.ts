/**
 * Traces over a restart: one file of trace export requests, each behind its length (u32, little endian),
 * appended as they arrive and rewritten from the store when half of it has been pushed out. A crash loses at
 * most the last moments.
 *
 * @module
 */
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { ForktraceError } from '../../errors.js';
import { warn } from '../../warn.js';
import type { StoredSpan } from './trace.js';
import { traceRequestOf } from './trace-request.js';
import type { TraceStore } from './trace-store.js';

/** Begins the file, so that no other file is taken for ours and overwritten. */
const MAGIC = Buffer.from('FTVIEW1\n');
/** Before each request's bytes. */
const LENGTH_BYTES = 4;
const FLUSH_MS = 200;
/** Appended bytes that wait for the disk; beyond it, requests are kept in memory only. */
const MAX_PENDING_BYTES = 64 * 1024 * 1024;

export class TraceFile {
  readonly #path: string;
  readonly #store: TraceStore;
  #handle: FileHandle;
  #size: number;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();
  #failed = false;

  /**
   * Reads what is there into `store`; the end of a file that was cut off is left out.
   *
   * @throws ForktraceError FORKTRACE_VIEWER_FILE, when the file is another kind of file, or cannot be written
   */
  static async open(path: string, store: TraceStore): Promise<TraceFile> {
    try {
      const length = await load(path, store);
      const handle = await open(path, 'a', 0o600);
      await handle.truncate(length);
      if (length === 0) await handle.appendFile(MAGIC);
      return new TraceFile(path, store, handle, Math.max(length, MAGIC.length));
    } catch (cause) {
      if (cause instanceof ForktraceError) throw cause;
      throw new ForktraceError('FORKTRACE_VIEWER_FILE', [path, `cannot be used (${(cause as Error).message})`], {
        cause,
      });
    }
  }

  private constructor(path: string, store: TraceStore, handle: FileHandle, size: number) {
    this.#path = path;
    this.#store = store;
    this.#handle = handle;
    this.#size = size;
  }

  append(request: Buffer): void {
    if (this.#failed || this.#pendingBytes + request.length > MAX_PENDING_BYTES) return;
    const length = Buffer.alloc(LENGTH_BYTES);
    length.writeUInt32LE(request.length);
    this.#pending.push(length, request);
    this.#pendingBytes += LENGTH_BYTES + request.length;
    this.#timer ??= setTimeout(() => this.#flushSoon(), FLUSH_MS);
  }

  /** Leaves the file with what the store has now. */
  async clear(): Promise<void> {
    this.#pending = [];
    this.#pendingBytes = 0;
    this.#writing = this.#writing.then(() => this.#rewrite());
    await this.#writing;
  }

  async close(): Promise<void> {
    this.#flushSoon();
    await this.#writing;
    await this.#handle.close();
  }

  #flushSoon(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing = this.#writing
      .then(() => this.#flush())
      .catch((error: Error) => {
        this.#failed = true;
        this.#pending = [];
        warn(
          'FORKTRACE_VIEWER_FILE_WRITE',
          `The viewer cannot write ${this.#path}, and keeps traces in memory only: ${error.message}`,
        );
      });
  }

  async #flush(): Promise<void> {
    if (this.#pendingBytes === 0) return;
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    if (this.#size + bytes.length > 2 * this.#store.limits.maxBytes) {
      await this.#rewrite();
    } else {
      await this.#handle.appendFile(bytes);
      this.#size += bytes.length;
    }
  }

  /** The store has all that was appended, and nothing that it has pushed out. */
  async #rewrite(): Promise<void> {
    const temporary = `${this.#path}.new`;
    const handle = await open(temporary, 'w', 0o600);
    let size = 0;
    let batch: Buffer[] = [MAGIC];
    for (const trace of [...this.#store.traces.values()]) {
      for (const span of trace.spans.values()) batch.push(framed(span));
      if (batch.length < 4096) continue;
      const bytes = Buffer.concat(batch);
      batch = [];
      size += bytes.length;
      await handle.writeFile(bytes);
    }
    const last = Buffer.concat(batch);
    await handle.writeFile(last);
    size += last.length;
    await rename(temporary, this.#path);
    await this.#handle.close();
    this.#handle = handle;
    this.#size = size;
  }
}

/** @returns the length of the sound part */
async function load(path: string, store: TraceStore): Promise<number> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0;
    throw error;
  }
  if (bytes.length === 0) return 0;
  if (!bytes.subarray(0, MAGIC.length).equals(MAGIC))
    throw new ForktraceError('FORKTRACE_VIEWER_FILE', [path, "holds something other than the viewer's traces"]);
  let position = MAGIC.length;
  while (position + LENGTH_BYTES <= bytes.length) {
    const end = position + LENGTH_BYTES + bytes.readUInt32LE(position);
    if (end > bytes.length) break;
    try {
      store.ingest(bytes.subarray(position + LENGTH_BYTES, end));
    } catch {
      break;
    }
    position = end;
  }
  return position;
}

/** One span as a request of its own, behind its length. */
function framed(span: StoredSpan): Buffer {
  const request = traceRequestOf([span]);
  const length = Buffer.alloc(LENGTH_BYTES);
  length.writeUInt32LE(request.length);
  return Buffer.concat([length, request]);
}
