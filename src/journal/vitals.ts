/**
 * The vitals page: the last numbers that a process has said of itself, and how it ended as it knows it. Both
 * survive any death of the process. A file of its own beside the writer's others, `<writer id>-1.vitals`;
 * docs/journal-format.md has its bytes.
 *
 * @module
 */
import { closeSync, constants, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import type { ActiveSpan } from '../process/active-span.js';
import { signalName, signalNumber } from '../process/signal-names.js';
import { decodeHeader, fileName, headerLengthOf, type JournalHeader, PAGE_BYTES, VITALS } from './format.js';
import { isFromHere } from './identity.js';
import type { JournalFileWriter } from './journal-file.js';
import { OPEN_SAFELY } from './open-file.js';

/** Body of the file: a page of numbers, then a page for the exit record. */
export const VITALS_BYTES = 2 * PAGE_BYTES;
/** Numbers that a page holds. */
const NUMBERS = PAGE_BYTES / 8;

// The exit record, from the start of its page.
/** u32: one of {@link STATE} once all of the record is there. Stored last. */
const AT_STATE = 0;
/** i32: exit code, {@link NO_CODE} for none; or the number of a signal. */
const AT_CODE = 4;
/** u32 each: bytes of the texts, which follow one another from {@link AT_TEXTS} on. */
const AT_LENGTHS = 8;
const AT_TEXTS = 24;
const NO_CODE = -0x80000000;
/** What {@link AT_CODE} is. */
const STATE = { code: 1, signal: 2 } as const;
/**
 * The span that was active is at the end of the page: trace id, span id, root span id, u32 length of its
 * name.
 */
const ACTIVE_BYTES = 256;
const AT_ACTIVE = PAGE_BYTES - ACTIVE_BYTES;
const AT_NAME = AT_ACTIVE + 36;
/** A process's start and its page's are told by two clocks. */
const CLOCK_MS = 1000;
/** The most bytes of each text, in UTF-8. */
const MOST = { cause: 64, exceptionType: 256, message: 1024, stack: AT_ACTIVE - AT_TEXTS - 64 - 256 - 1024 };
const TEXTS = ['cause', 'exceptionType', 'message', 'stack'] as const;

/** How a process ended, written by itself while it ended. */
export interface ExitRecord {
  code?: number | undefined;
  /** The signal that it has sent to itself; such a record has no code. */
  signal?: NodeJS.Signals | undefined;
  /** One of the exit causes. */
  cause?: string | undefined;
  exceptionType?: string | undefined;
  message?: string | undefined;
  /** Of the exception, or of the call that ended the process. */
  stack?: string | undefined;
  /** Where that was. */
  active?: ActiveSpan | undefined;
}

/** Nothing here throws. */
export class VitalsWriter {
  #file: JournalFileWriter;
  #numbers: Float64Array;

  constructor(file: JournalFileWriter) {
    this.#file = file;
    this.#numbers = numbersOf(file);
  }

  /** Goes on in another file, with all that there is. */
  moveTo(file: JournalFileWriter): void {
    const old = this.#file;
    file.bytes.set(old.bytes.subarray(old.headerLength), file.headerLength);
    this.#file = file;
    this.#numbers = numbersOf(file);
    this.#write(file.headerLength, file.length);
    old.remove();
    old.release();
  }

  /**
   * Stores one number: a store to mapped memory, and no more. `write` mode: kept until {@link flush}. @param
   * index from 0 to 511
   */
  set(index: number, value: number): void {
    this.#numbers[index] = value;
  }

  /** `write` mode: brings the numbers to the file. */
  flush(): void {
    this.#write(this.#file.headerLength, this.#file.headerLength + PAGE_BYTES);
  }

  /** Keeps how the process is ending, in the place of what has been kept of that before. */
  recordExit(record: ExitRecord): void {
    const start = this.#file.headerLength + PAGE_BYTES;
    const { view, bytes } = this.#file.memory;
    if (bytes.length === 0) return;
    bytes.fill(0, start, start + PAGE_BYTES);
    const number = record.signal === undefined ? record.code : signalNumber(record.signal);
    view.setInt32(start + AT_CODE, number ?? NO_CODE, true);
    let at = start + AT_TEXTS;
    for (const [i, name] of TEXTS.entries()) {
      const text = Buffer.from(record[name] ?? '').subarray(0, MOST[name]);
      bytes.set(text, at);
      view.setUint32(start + AT_LENGTHS + i * 4, text.length, true);
      at += text.length;
    }
    if (record.active !== undefined) storeActive(bytes, start, record.active);
    view.setUint32(start + AT_STATE, record.signal === undefined ? STATE.code : STATE.signal, true);
    this.#write(start, start + PAGE_BYTES);
  }

  /** Renews the file's time: an old page is that of a dead process. */
  touch(): void {
    this.#file.touch();
  }

  #write(from: number, to: number): void {
    if (this.#file.isMapped || this.#file.bytes.length === 0) return;
    try {
      this.#file.writeRange(from, to);
    } catch {
      // A full disk: the numbers are for those who look for a cause, and no cause themselves.
    }
  }
}

const numbersOf = ({ bytes, headerLength }: JournalFileWriter) =>
  new Float64Array(bytes.buffer, bytes.byteOffset + headerLength, NUMBERS);

function storeActive(bytes: Uint8Array, page: number, { traceId, spanId, rootSpanId, name }: ActiveSpan): void {
  const text = Buffer.from(name ?? '').subarray(0, PAGE_BYTES - AT_NAME);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  const ids = Buffer.from(traceId + spanId + (rootSpanId ?? NO_SPAN), 'hex');
  bytes.set(Buffer.concat([ids, length, text]), page + AT_ACTIVE);
}

const NO_SPAN = '0'.repeat(16);

function activeOf(page: Buffer): ActiveSpan | undefined {
  const id = (at: number, bytes: number) => page.toString('hex', AT_ACTIVE + at, AT_ACTIVE + at + bytes);
  const length = page.readUInt32LE(AT_NAME - 4);
  if (id(16, 8) === NO_SPAN || length > PAGE_BYTES - AT_NAME) return undefined;
  const root = id(24, 8);
  return {
    traceId: id(0, 16),
    spanId: id(16, 8),
    rootSpanId: root === NO_SPAN ? undefined : root,
    name: length === 0 ? undefined : page.toString('utf8', AT_NAME, AT_NAME + length),
  };
}

/** What a writer has said of itself. */
export interface Vitals {
  numbers: Float64Array;
  /** undefined: its process has not ended, or could not say how. */
  exit: ExitRecord | undefined;
}

/** The vitals page of a writer; undefined where there is none that is sound. */
export function readVitals(dir: string, writerId: string): Vitals | undefined {
  const page = readPage(join(dir, fileName('vitals', writerId, 1)));
  return page?.header.writer.id === writerId ? page.vitals : undefined;
}

/**
 * The newest page of a process's main thread; undefined where there is none.
 *
 * @param sinceMs its start: another process may have had that pid before
 */
export function vitalsOfProcess(dir: string, pid: number, sinceMs: number): Vitals | undefined {
  const pages = vitalsFilesIn(dir).flatMap((name) => readPage(join(dir, name)) ?? []);
  const own = pages.filter(({ header: { writer, createdMs } }) => {
    const isMain = writer.thread === 0 || writer.thread === pid;
    return writer.pid === pid && isMain && isFromHere(writer) && createdMs >= sinceMs - CLOCK_MS;
  });
  return own.sort((a, b) => b.header.createdMs - a.header.createdMs)[0]?.vitals;
}

function vitalsFilesIn(dir: string): string[] {
  try {
    return readdirSync(dir).filter((name) => name.endsWith(VITALS));
  } catch {
    return [];
  }
}

function readPage(path: string): { header: JournalHeader; vitals: Vitals } | undefined {
  const bytes = readStart(path);
  if (bytes === undefined) return undefined;
  const header = decodeHeader(bytes);
  if (typeof header === 'string' || header.kind !== 'vitals') return undefined;
  const body = bytes.subarray(header.headerLength, header.headerLength + VITALS_BYTES);
  const numbers = new Float64Array(NUMBERS);
  for (let i = 0; i < NUMBERS; i++) numbers[i] = body.readDoubleLE(i * 8);
  return { header, vitals: { numbers, exit: exitOf(body.subarray(PAGE_BYTES)) } };
}

function exitOf(page: Buffer): ExitRecord | undefined {
  const state = page.readUInt32LE(AT_STATE);
  if (state !== STATE.code && state !== STATE.signal) return undefined;
  const number = page.readInt32LE(AT_CODE);
  const record: ExitRecord =
    state === STATE.signal ? { signal: signalName(number) } : number === NO_CODE ? {} : { code: number };
  let at = AT_TEXTS;
  for (const [i, name] of TEXTS.entries()) {
    const length = page.readUInt32LE(AT_LENGTHS + i * 4);
    if (length > MOST[name] || at + length > page.length) return record;
    if (length > 0) record[name] = page.toString('utf8', at, at + length);
    at += length;
  }
  const active = activeOf(page);
  return active === undefined ? record : { ...record, active };
}

/**
 * The file, with zeros for what has not been written yet: in `write` mode each page comes when it is first
 * needed.
 */
function readStart(path: string): Buffer | undefined {
  try {
    const fd = openSync(path, constants.O_RDONLY | OPEN_SAFELY);
    try {
      const first = Buffer.alloc(PAGE_BYTES);
      readSync(fd, first, 0, PAGE_BYTES, 0);
      const headerLength = headerLengthOf(first);
      if (typeof headerLength === 'string') return undefined;
      const bytes = Buffer.alloc(headerLength + VITALS_BYTES);
      const length = readSync(fd, bytes, 0, bytes.length, 0);
      return length < headerLength + PAGE_BYTES ? undefined : bytes;
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}
