/**
 * Opening a journal, and what its holder sees of it.
 *
 * @module
 */
import { ForktraceError } from '../errors.js';
import type { Memory } from '../wire/memory.js';
import { watchThreads } from './dead-threads.js';
import { availableBytes, whyNotToMap } from './file-system.js';
import { ENTRY_BYTES } from './format.js';
import { openDirectory, removeUnfinishedFiles } from './journal-directory.js';
import { JournalWriter } from './journal-writer.js';
import type { Losses } from './loss-ledger.js';
import { mappingUnavailable, systemMapping } from './mapped-memory.js';
import type { SpanLog } from './span-log.js';
import type { VitalsWriter } from './vitals.js';

export interface JournalOptions {
  /** The service's own directory; made with mode 0700 if need be. */
  dir: string;
  /** OTLP-encoded Resource message, without tag and length. */
  resource: Uint8Array;
  /** Of the conventions that the names of the resource follow. @default '' */
  schemaUrl?: string | undefined;
  /** Some of its attributes are still awaited: {@link Journal.useResource} will be called. @default false */
  isResourcePending?: boolean;
  slot?: number | undefined;
  /** @default 'auto': `mmap` where koffi and Linux are, else `write` */
  mode?: 'auto' | 'mmap' | 'write';
  /** Bytes of one segment, header included; a multiple of 4096. @default 1048576 (1 MiB) */
  segmentBytes?: number;
  /** Bytes that the directory may take, all writers together. @default 268435456 (256 MiB) */
  maxBytes?: number;
  /**
   * `interval`: what has been kept is brought to the disk every `syncIntervalMs`, and has checksums, so that
   * it survives the machine's crash. @default 'none'
   */
  sync?: 'none' | 'interval';
  /** Milliseconds. @default 1000 */
  syncIntervalMs?: number;
  /** Entries of one in-flight table file. @default 1024 */
  inFlight?: number;
  /**
   * Called when the journal goes on under another writer id, or in another directory, before anything is
   * written there: somebody has taken this process for dead while it was stopped, or while a clock was wrong;
   * or {@link dirOfUser} is in use now. Also once files have been made again that somebody had deleted.
   */
  renewed?: ((writerId: string, dir: string) => void) | undefined;
  /**
   * Where the journal goes on when the process has changed its user, as `process.setuid()` does, and can make
   * no further files in `dir`. Asked then. @default nowhere: what the open files cannot hold is lost
   */
  dirOfUser?: (() => string) | undefined;
}

/** Counters of one writer since it was opened. */
export interface JournalStats {
  mode: 'mmap' | 'write';
  /** Spans kept. */
  spans: number;
  /** Bytes of these. */
  bytes: number;
  /** Segments written to so far. */
  segments: number;
  /** Local-root spans in flight with an entry in the table. */
  inFlight: number;
  /** Local-root spans for which the table had no entry: a crash would not show them as interrupted. */
  untracked: number;
  /** Spans not kept, by cause. */
  lost: Losses & { total: number };
  /** Log records kept. */
  logRecords: number;
  /** Log records not kept, by cause. */
  logRecordsLost: Losses & { total: number };
}

/** A segment that is being written. */
export interface OpenSegment {
  kind: 'segment' | 'logs';
  /** Bytes of its body. */
  committed: number;
  /** Of these, how many have been delivered by now. */
  shipped(): number;
}

const DEFAULT_SEGMENT_BYTES = 1024 * 1024;
const DEFAULT_IN_FLIGHT = 1024;
/** Smaller ones are not worth their header. */
const MIN_SEGMENT_BYTES = 16 * 1024;
const MIN_IN_FLIGHT = 16;

/** What a worker or coordinator holds. Nothing here throws. */
export interface Journal extends SpanLog {
  /** Changes when the journal is renewed: see {@link JournalOptions.renewed}. */
  readonly writerId: string;
  readonly mode: 'mmap' | 'write';
  /** Changes when {@link JournalOptions.dirOfUser} comes into use. */
  readonly dir: string;
  /** What is being written to, which this process can read also where it may not enter the directory. */
  openSegments(): OpenSegment[];
  stats(): JournalStats;
  /**
   * Keep a log record: bare fields of the LogRecord message in `bytes[start..end)`, copied before the call
   * returns.
   */
  appendLog(scope: Memory, bytes: Uint8Array, start: number, end: number): void;
  /**
   * The page of numbers and the exit record of this process; made at the first call, and usable after
   * {@link close}, as an exit may be recorded late. The shipper deletes it with what else a dead writer
   * leaves behind.
   *
   * @returns undefined when the system refuses the file, or the journal is closed
   */
  vitals(): VitalsWriter | undefined;
  /**
   * All attributes of the resource are known now: what this writer has kept before, and has not been shipped,
   * has them too.
   */
  useResource(resource: Uint8Array): void;
  /**
   * `write` mode: everything appended so far is in the files when this returns. `mmap` mode: it always is.
   */
  flush(): void;
  /** Seals what has been written and lets go of all memory and files. What ends later is counted lost. */
  close(): void;
}

/**
 * Opens a journal of its own for this process (or worker thread) in `dir`.
 *
 * @throws ForktraceError FORKTRACE_JOURNAL_DIR when the directory cannot be used or has no room for the
 * smallest segment, FORKTRACE_JOURNAL_MMAP when `mode: 'mmap'` is asked for and not possible
 */
export function openJournal(options: JournalOptions): Journal {
  const mode = options.mode ?? 'auto';
  const unavailable = mode === 'write' ? 'not asked for' : mappingUnavailable();
  if (mode === 'mmap' && unavailable !== undefined) throw new ForktraceError('FORKTRACE_JOURNAL_MMAP', [unavailable]);
  let unsafe: string | undefined;
  try {
    openDirectory(options.dir);
    removeUnfinishedFiles(options.dir);
    if (unavailable === undefined) unsafe = whyNotToMap(options.dir);
  } catch (error) {
    if (error instanceof ForktraceError) throw error;
    throw new ForktraceError('FORKTRACE_JOURNAL_DIR', [options.dir, (error as Error).message], { cause: error });
  }
  if (mode === 'mmap' && unsafe !== undefined) throw new ForktraceError('FORKTRACE_JOURNAL_MMAP', [unsafe]);
  const available = availableBytes(options.dir);
  if (available < 2 * MIN_SEGMENT_BYTES) {
    throw new ForktraceError('FORKTRACE_JOURNAL_DIR', [options.dir, `there is no space, ${available} bytes are free`]);
  }
  const sized = { ...options, ...sizesWithin(available, options) };
  const mapping = unavailable === undefined && unsafe === undefined ? systemMapping : undefined;
  if (mapping !== undefined) watchThreads();
  let journal = new JournalWriter(sized, mapping);
  if (journal.refusal !== undefined && mapping !== undefined && mode === 'auto') {
    // A file system that reserves no space, or whose files cannot be mapped.
    journal.close();
    journal = new JournalWriter(sized, undefined);
  }
  if (journal.refusal === undefined) return journal;
  journal.close();
  throw new ForktraceError('FORKTRACE_JOURNAL_DIR', [options.dir, journal.refusal]);
}

/**
 * Smaller files where the default ones would take more than an eighth of the space: several segments are in
 * use at a time.
 */
function sizesWithin(
  available: number,
  { segmentBytes = DEFAULT_SEGMENT_BYTES, inFlight = DEFAULT_IN_FLIGHT }: JournalOptions,
): { segmentBytes: number; inFlight: number } {
  const most = 2 ** Math.floor(Math.log2(available / 8));
  return {
    segmentBytes: Math.min(segmentBytes, Math.max(most, MIN_SEGMENT_BYTES)),
    inFlight: Math.min(inFlight, Math.max(most / ENTRY_BYTES, MIN_IN_FLIGHT)),
  };
}
