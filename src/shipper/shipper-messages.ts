/**
 * What the coordinator and the shipper process say to each other over the IPC channel of
 * `child_process.fork`.
 *
 * @module
 */

import type { ResolvedExport } from '../config/resolved.js';
import { type Block, isBlock } from '../forensics/block.js';
import { EXIT_CAUSES, type ExitCause } from '../forensics/exit-cause.js';
import type { LogInBrief } from '../forensics/post-mortem.js';
import { isSample, type Sample } from '../forensics/vitals-table.js';
import type { ExitRecord } from '../journal/vitals.js';
import { isActiveSpan } from '../process/active-span.js';
import {
  isArrayOf,
  isNumber,
  isObjectOf,
  isOneOf,
  isText,
  messageParser,
  orNothing,
} from '../process/message-parser.js';
import { exitChecks, type ProcessExit } from '../process/process-exit.js';

/** What a shipper needs to know. */
export interface ShipperConfig {
  /** The service's journal directory. */
  dir: string;
  maxBytes: number;
  export: ResolvedExport;
  /** Milliseconds to ship what is left after SIGTERM. */
  shutdownTimeoutMs: number;
}

/** What the journal of a dead process says. */
export interface Recovered {
  spansRecovered: number;
  requestsInterrupted: number;
  /** With all that is known; undefined where it had no journal. */
  cause?: ExitCause | undefined;
  /** Of what is remembered of it; undefined for an end that nobody asks about. */
  deathId?: string | undefined;
  /** What it wrote of its end. */
  record?: ExitRecord | undefined;
  /** Of its last second. */
  vitals?: Sample | undefined;
  /** Its last log records, the newest last; undefined for an end that nobody asks about. */
  lastLogs?: LogInBrief[] | undefined;
}

/** Of a process without a journal, or where nobody answers. */
export const NOTHING_RECOVERED: Recovered = Object.freeze({ spansRecovered: 0, requestsInterrupted: 0 });

/** What the parent of a process knows of its end. */
export interface KnownDeath extends ProcessExit {
  cause?: ExitCause | undefined;
  /** What it was found doing, if its event loop was blocked. */
  block?: Block | undefined;
  /** The end of its standard error. */
  lastWords?: string | undefined;
}

/** Coordinator → shipper. */
export type ToShipper =
  /** A worker's process has ended; its journal and in-flight table can be finished now. */
  | ({ type: 'writer-exit'; pid: number } & KnownDeath)
  /** The coordinator ends at once, and its terminal is somebody else's then: print nothing more. */
  | { type: 'release-stderr' }
  /** Ship what there is, then exit. */
  | { type: 'stop'; deadlineMs: number };

/** Shipper → coordinator. */
export type FromShipper =
  | { type: 'ready' }
  /** Another process has the lock of the directory; this one exits. */
  | { type: 'busy' }
  /** It prints nothing from now on. */
  | { type: 'stderr-released' }
  /** It has shipped what there was, as told, and ships on for other programs of the directory. */
  | { type: 'goes-on' }
  | ({ type: 'recovered'; pid: number } & Recovered)
  | { type: 'stats'; stats: ShipperStats };

/** Counters since the shipper started, in spans unless it says otherwise. */
export interface ShipperStats {
  /** Read from journals. */
  read: number;
  /** Taken by the endpoint. */
  shipped: number;
  /** The endpoint said no for good. */
  refused: number;
  /** Given up to stay within `journal.maxBytes`. */
  dropped: number;
  /** Read from the journal of a dead writer. */
  recovered: number;
  /** Rebuilt from the in-flight table of a dead writer. */
  interrupted: number;
  /** Committed bytes that are not shipped yet. */
  lagBytes: number;
  /** Age in milliseconds of the oldest byte not shipped yet; 0 when there is none. */
  lagMs: number;
  /** The same of log records. */
  logRecords: LogRecordCounts;
}

/** As those of spans in {@link ShipperStats}. */
export interface LogRecordCounts {
  /** Read from journals. */
  read: number;
  /** Taken by the endpoint. */
  shipped: number;
  /** The endpoint said no for good. */
  refused: number;
  /** Given up to stay within `journal.maxBytes`. */
  dropped: number;
  /** Committed bytes that are not shipped yet. */
  lagBytes: number;
}

const isRecord = isObjectOf<ExitRecord>({
  code: orNothing(isNumber),
  signal: orNothing(isText),
  cause: orNothing(isText),
  exceptionType: orNothing(isText),
  message: orNothing(isText),
  stack: orNothing(isText),
  active: orNothing(isActiveSpan),
});

const isLogInBrief = isObjectOf<LogInBrief>({
  timeMs: isNumber,
  severity: isNumber,
  severityText: isText,
  body: isText,
  attributes: isText,
  traceId: isText,
  spanId: isText,
});

const isStats = isObjectOf<ShipperStats>({
  read: isNumber,
  shipped: isNumber,
  refused: isNumber,
  dropped: isNumber,
  recovered: isNumber,
  interrupted: isNumber,
  lagBytes: isNumber,
  lagMs: isNumber,
  logRecords: isObjectOf<LogRecordCounts>({
    read: isNumber,
    shipped: isNumber,
    refused: isNumber,
    dropped: isNumber,
    lagBytes: isNumber,
  }),
});

/** @returns undefined for what is no message of a shipper of this version */
export const parseFromShipper = messageParser<FromShipper, 'type'>('type', {
  ready: {},
  busy: {},
  'stderr-released': {},
  'goes-on': {},
  recovered: {
    pid: isNumber,
    spansRecovered: isNumber,
    requestsInterrupted: isNumber,
    cause: orNothing(isOneOf(EXIT_CAUSES)),
    deathId: orNothing(isText),
    record: orNothing(isRecord),
    vitals: orNothing(isSample),
    lastLogs: orNothing(isArrayOf(isLogInBrief)),
  },
  stats: { stats: isStats },
});

const deathChecks = {
  cause: orNothing(isOneOf(EXIT_CAUSES)),
  block: orNothing(isBlock),
  lastWords: orNothing(isText),
  ...exitChecks,
};

/**
 * Whether it is a death as a parent leaves it in the journal, with its time in milliseconds since the epoch.
 */
export const isToldDeath = isObjectOf<KnownDeath & { atMs: number }>({ atMs: isNumber, ...deathChecks });

/** @returns undefined for what is no message of a coordinator of this version */
export const parseToShipper = messageParser<ToShipper, 'type'>('type', {
  'writer-exit': { pid: isNumber, ...deathChecks },
  'release-stderr': {},
  stop: { deadlineMs: isNumber },
});
