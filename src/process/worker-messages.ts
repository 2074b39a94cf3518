/**
 * The messages between coordinator and worker over cluster's IPC channel. Each message is an object with a
 * `forktrace` field, so that it cannot be taken for one of the app's own. Both sides check what they receive.
 *
 * @module
 */
import { isFlag, isNumber, isObjectOf, isOneOf, isText, messageParser, orNothing } from './message-parser.js';
import { STOP_REASONS, type StopReason } from './stop-reason.js';

/**
 * Milliseconds between two heartbeats of a worker. They are frequent enough that `forktrace status` shows a
 * blocked worker within a second.
 */
export const HEARTBEAT_MS = 250;

/** Worker → coordinator. */
export type WorkerMessage =
  | { forktrace: 'ready'; address: string | undefined }
  | { forktrace: 'failed'; message: string; stack: string | undefined }
  /**
   * `inspector`: the address of the open inspector. Unless the coordinator opened it, missing heartbeats may
   * mean a breakpoint. `peekable`: SIGUSR1 opens the inspector of this process if it is closed, and does
   * nothing else.
   */
  | { forktrace: 'heartbeat'; stats: WorkerStats; inspector: string | undefined; peekable: boolean }
  | { forktrace: 'stopping'; reason: StopReason };

/** Coordinator → worker. */
export type CoordinatorMessage = { forktrace: 'stop'; reason: StopReason; deadlineMs: number };

/** One worker's numbers, for `forktrace status`, recycling and the viewer's lanes. */
export interface WorkerStats {
  /** Requests served since start. */
  requests: number;
  /** Requests in flight. */
  inFlight: number;
  /** Requests since start that failed: status 500 or more, or no answer. */
  failed: number;
  /**
   * 99th percentile of the durations of the requests of the last 5 to 10 seconds, in milliseconds; 0 when
   * there was no request.
   */
  p99Ms: number;
  /** Processor time since the last heartbeat, as a share of one processor: 1 is one whole processor. */
  cpu: number;
  /** Event-loop utilisation since the last heartbeat, 0..1. */
  utilization: number;
  /** Resident set size in bytes. */
  rss: number;
  /** Spans written to the journal since start. */
  spansJournaled: number;
  /** Spans that could not be written to the journal, since start. */
  spansLost: number;
}

const isStats = isObjectOf<WorkerStats>({
  requests: isNumber,
  inFlight: isNumber,
  failed: isNumber,
  p99Ms: isNumber,
  cpu: isNumber,
  utilization: isNumber,
  rss: isNumber,
  spansJournaled: isNumber,
  spansLost: isNumber,
});
const isStopReason = isOneOf(STOP_REASONS);

/**
 * @returns undefined for a message that no worker of ours sends: the app's own, a malformed one, or a kind
 * that only another version knows
 */
export const parseWorkerMessage = messageParser<WorkerMessage, 'forktrace'>('forktrace', {
  ready: { address: orNothing(isText) },
  failed: { message: isText, stack: orNothing(isText) },
  heartbeat: { stats: isStats, inspector: orNothing(isText), peekable: isFlag },
  stopping: { reason: isStopReason },
});

/** @returns undefined for a message that the coordinator does not send */
export const parseCoordinatorMessage = messageParser<CoordinatorMessage, 'forktrace'>('forktrace', {
  stop: { reason: isStopReason, deadlineMs: isNumber },
});
