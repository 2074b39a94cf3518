/**
 * The messages between the coordinator and the shipper process, over the IPC channel of `child_process.fork`.
 *
 * @module
 */

import type { ResolvedExport } from '../config/resolved.js';
import { type Block, isBlock } from '../forensics/block.js';
import { EXIT_CAUSES, type ExitCause } from '../forensics/exit-cause.js';
import type { LogInBrief } from '../forensics/in-brief.js';
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

/** The configuration of a shipper. */
export interface ShipperConfig {
  /** The service's journal directory. */
  dir: string;
  maxBytes: number;
  export: ResolvedExport;
  /** Milliseconds to ship the rest after SIGTERM. */
  shutdownTimeoutMs: number;
}

/** What a shipper's starter writes to its standard input. */
export interface StartedShipper extends ShipperConfig {
  /** The starter's pid. While it lives, it writes what the shipper says. */
  starter: number;
  /** The starter is a coordinator, whose workers start no shipper. */
  attached: boolean;
}

/** What was found in the journal of a dead process. */
export interface Recovered {
  spansRecovered: number;
  requestsInterrupted: number;
  /** Determined from all evidence; undefined for a process without a journal. */
  cause?: ExitCause | undefined;
  /** Id of the post-mortem; undefined for an ordinary end. */
  deathId?: string | undefined;
  /** What the process wrote about its end. */
  record?: ExitRecord | undefined;
  /** Its vitals in its last second. */
  vitals?: Sample | undefined;
  /** Its last log records, the newest last; undefined for an ordinary end. */
  lastLogs?: LogInBrief[] | undefined;
}

/** For a process without a journal, or when no shipper answers. */
export const NOTHING_RECOVERED: Recovered = Object.freeze({ spansRecovered: 0, requestsInterrupted: 0 });

/** What the parent of a process knows about its end. */
export interface KnownDeath extends ProcessExit {
  cause?: ExitCause | undefined;
  /** What the process was doing, if its event loop was blocked. */
  block?: Block | undefined;
  /** The end of its standard error. */
  lastWords?: string | undefined;
}

/** Coordinator → shipper. */
export type ToShipper =
  /** A worker's process has ended; its journal and in-flight table can be finished now. */
  | ({ type: 'writer-exit'; pid: number } & KnownDeath)
  /** Ship the rest, then exit. */
  | { type: 'stop'; deadlineMs: number };

/** Shipper → coordinator. */
export type FromShipper =
  | { type: 'ready' }
  /** Another process has the lock of the directory; this one exits. */
  | { type: 'busy' }
  /** The shipper has shipped the rest, as it was told, and goes on for other programs of the directory. */
  | { type: 'goes-on' }
  | ({ type: 'recovered'; pid: number } & Recovered)
  | { type: 'stats'; stats: ShipperStats };

/** Counters since the shipper started, in spans unless stated otherwise. */
export interface ShipperStats {
  /** Spans read from journals. */
  read: number;
  /** Spans that the endpoint has accepted. */
  shipped: number;
  /** Spans that the endpoint has refused for good. */
  refused: number;
  /** Spans that were dropped to stay within `journal.maxBytes`. */
  dropped: number;
  /** Spans read from the journals of dead writers. */
  recovered: number;
  /** Spans rebuilt from the in-flight tables of dead writers. */
  interrupted: number;
  /** Committed bytes that are not shipped yet. */
  lagBytes: number;
  /** Age in milliseconds of the oldest byte not shipped yet; 0 when there is none. */
  lagMs: number;
  /** The same counters for log records. */
  logRecords: LogRecordCounts;
}

/** Counters of log records since the shipper started. */
export interface LogRecordCounts {
  /** Records read from journals. */
  read: number;
  /** Records that the endpoint has accepted. */
  shipped: number;
  /** Records that the endpoint has refused for good. */
  refused: number;
  /** Records that were dropped to stay within `journal.maxBytes`. */
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

/** @returns undefined for a message that no shipper of this version sends */
export const parseFromShipper = messageParser<FromShipper, 'type'>('type', {
  ready: {},
  busy: {},
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
 * Whether a value is a death as a parent writes it into the journal, with its time in milliseconds since the
 * epoch.
 */
export const isToldDeath = isObjectOf<KnownDeath & { atMs: number }>({ atMs: isNumber, ...deathChecks });

/** @returns undefined for a message that no coordinator of this version sends */
export const parseToShipper = messageParser<ToShipper, 'type'>('type', {
  'writer-exit': { pid: isNumber, ...deathChecks },
  stop: { deadlineMs: isNumber },
});
