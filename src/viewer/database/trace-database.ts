/**
 * Traces of days, in an SQLite database of a thread of its own. Memory holds what came last, and shows what
 * is live; lists and traces come from here.
 *
 * @module
 */
import { once } from 'node:events';
import { open } from 'node:fs/promises';
import { Worker } from 'node:worker_threads';
import { ForktraceError } from '../../errors.js';
import { warn } from '../../warn.js';
import type { LinkedSpanView } from '../api-types/trace.js';
import type { TraceListView } from '../api-types/trace-list.js';
import type { Trace } from '../store/trace.js';
import { TraceStore } from '../store/trace-store.js';
import type { Answer, Answers, Opened, Question, ThreadOptions } from './thread-messages.js';

/** What a crash of the viewer loses at most. */
const FLUSH_MS = 250;
const FLUSH_BYTES = 512 * 1024;
/** Bytes that wait for the disk; beyond it, requests are kept in memory only. */
const MAX_PENDING_BYTES = 32 * 1024 * 1024;
/** Of its heap, in MB: a thread's default is that of a whole process. */
const MAX_YOUNG_MB = 4;
const MAX_OLD_MB = 96;
const ONE_TRACE = { maxBytes: Infinity, maxSpans: Infinity, maxTraces: Infinity };

interface AskedList {
  query: string;
  signal: AbortSignal;
  resolve: (list: Promise<TraceListView>) => void;
}

interface Waiting {
  resolve: (answer: unknown) => void;
  reject: (error: Error) => void;
}

export class TraceDatabase {
  readonly #path: string;
  readonly #thread: Worker;
  readonly #waiting = new Map<number, Waiting>();
  /** The thread has one list at a time, so that what is received and asked for comes in between. */
  readonly #lists: AskedList[] = [];
  #listing = false;
  readonly #givenUp: Int32Array;
  #lastNumber = 0;
  #pending: Buffer[] = [];
  #pendingBytes = 0;
  #writingBytes = 0;
  #writing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Why its thread has ended. */
  #failed: Error | undefined;
  /** Requests that are in memory only. */
  unwritten = 0;

  /**
   * Opens or makes the file, and gives `store` what came last.
   *
   * @throws ForktraceError FORKTRACE_VIEWER_FILE
   */
  static async open(path: string, maxBytes: number, store: TraceStore): Promise<TraceDatabase> {
    const givenUp = new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT);
    let thread: Worker | undefined;
    try {
      // The database takes its mode from the file that is there.
      await (await open(path, 'a', 0o600)).close();
      const workerData: ThreadOptions = { path, maxBytes, newestBytes: store.limits.maxBytes / 4, givenUp };
      thread = new Worker(new URL('./thread.js', import.meta.url), {
        workerData,
        execArgv: ['--disable-warning=ExperimentalWarning'],
        resourceLimits: { maxYoungGenerationSizeMb: MAX_YOUNG_MB, maxOldGenerationSizeMb: MAX_OLD_MB },
      });
      const [opened] = (await once(thread, 'message')) as [Opened];
      if ('failed' in opened) throw new Error(opened.failed);
      for (const request of opened.opened) store.ingest(asBuffer(request));
      if (opened.traces > store.traces.size) store.isPart();
      return new TraceDatabase(path, thread, new Int32Array(givenUp));
    } catch (cause) {
      await thread?.terminate();
      throw new ForktraceError('FORKTRACE_VIEWER_FILE', [path, `cannot be used (${(cause as Error).message})`], {
        cause,
      });
    }
  }

  private constructor(path: string, thread: Worker, givenUp: Int32Array) {
    this.#path = path;
    this.#givenUp = givenUp;
    this.#thread = thread;
    thread.on('message', (answer: Answer) => {
      const waiting = this.#waiting.get(answer.number);
      this.#waiting.delete(answer.number);
      if ('error' in answer) waiting?.reject(new Error(answer.error));
      else waiting?.resolve(answer.answer);
    });
    thread.on('error', (error) => this.#fail(error));
    thread.on('exit', () => this.#fail(new Error('its thread has ended')));
  }

  append(request: Buffer): void {
    if (this.#pendingBytes + this.#writingBytes + request.length > MAX_PENDING_BYTES) {
      if (this.unwritten++ === 0) this.#warn(new Error('the disk is slower than what is received'));
      return;
    }
    this.#pending.push(request);
    this.#pendingBytes += request.length;
    if (this.#pendingBytes >= FLUSH_BYTES) void this.#flush();
    else this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_MS);
  }

  /**
   * @param signal aborted when nobody waits for it any longer: it is not looked for, or no further
   * @throws the signal's reason
   */
  list(query: URLSearchParams, signal: AbortSignal): Promise<TraceListView> {
    return new Promise((resolve) => {
      this.#lists.push({ query: query.toString(), signal, resolve });
      void this.#nextList();
    });
  }

  async #nextList(): Promise<void> {
    if (this.#listing) return;
    const asked = this.#lists.shift();
    if (asked === undefined) return;
    const { query, signal, resolve } = asked;
    this.#listing = true;
    if (signal.aborted) resolve(Promise.reject(signal.reason));
    else {
      const answer = this.#ask('list', { ask: 'list', query });
      const number = this.#lastNumber;
      const giveUp = () => Atomics.store(this.#givenUp, 0, number);
      signal.addEventListener('abort', giveUp);
      resolve(answer);
      await answer.catch(() => {});
      signal.removeEventListener('abort', giveUp);
    }
    this.#listing = false;
    void this.#nextList();
  }

  /** @param known what memory has of it @returns the whole of it, which may be `known` */
  async trace(id: string, known: Trace | undefined): Promise<Trace | undefined> {
    const request = await this.#ask('trace', { ask: 'trace', traceId: id, moreThan: known?.spans.size ?? 0 });
    if (request === undefined) return known;
    const store = new TraceStore(ONE_TRACE);
    store.ingest(asBuffer(request));
    // What has arrived since the last flush is in memory only.
    return store.traces.get(id);
  }

  linkedFrom(traceId: string): Promise<LinkedSpanView[]> {
    return this.#ask('linked', { ask: 'linked', traceId });
  }

  async clear(): Promise<void> {
    this.#pending = [];
    this.#pendingBytes = 0;
    await this.#ask('clear', { ask: 'clear' });
  }

  async close(): Promise<void> {
    while (this.#pendingBytes > 0 || this.#writing !== undefined) await this.#flush();
    this.#thread.removeAllListeners('exit');
    await this.#ask('close', { ask: 'close' }).catch(() => {});
    await this.#thread.terminate();
  }

  /** One write at a time, so that a list waits for one of them, however much waits to be written. */
  #flush(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#writing ??= this.#writePending().finally(() => {
      this.#writing = undefined;
    });
    return this.#writing;
  }

  async #writePending(): Promise<void> {
    while (this.#pendingBytes > 0) {
      const { requests, bytes } = this.#takePending();
      this.#writingBytes = bytes.length;
      try {
        await this.#ask('write', { ask: 'write', bytes }, [bytes.buffer]);
      } catch (error) {
        if (this.unwritten === 0) this.#warn(error as Error);
        this.unwritten += requests;
      }
      this.#writingBytes = 0;
      if (this.#pendingBytes < FLUSH_BYTES) break;
    }
    if (this.#pendingBytes > 0) this.#timer ??= setTimeout(() => void this.#flush(), FLUSH_MS);
  }

  /** What one write takes: the oldest request, and those after it that fit. */
  #takePending(): { requests: number; bytes: Uint8Array<ArrayBuffer> } {
    let requests = 0;
    let length = 0;
    for (const { length: more } of this.#pending) {
      if (requests > 0 && length + more > FLUSH_BYTES) break;
      requests++;
      length += more;
    }
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const request of this.#pending.splice(0, requests)) {
      bytes.set(request, at);
      at += request.length;
    }
    this.#pendingBytes -= length;
    return { requests, bytes };
  }

  #ask<Ask extends Question['ask']>(
    _ask: Ask,
    question: Question & { ask: Ask },
    transfer: ArrayBuffer[] = [],
  ): Promise<Answers[Ask]> {
    return new Promise((resolve, reject) => {
      if (this.#failed !== undefined) return reject(this.#failed);
      const number = ++this.#lastNumber;
      this.#waiting.set(number, { resolve: resolve as Waiting['resolve'], reject });
      this.#thread.postMessage({ number, ...question }, transfer);
    });
  }

  #fail(error: Error): void {
    this.#failed ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #warn(error: Error): void {
    warn(
      'FORKTRACE_VIEWER_FILE_WRITE',
      `The viewer cannot write ${this.#path}, and keeps traces in memory only: ${error.message}`,
    );
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
