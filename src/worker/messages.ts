/**
 * What coordinator and worker say to each other over cluster's IPC channel. Each message is an object with a `forktrace`
 * field, so that it cannot be taken for one of the app's own.
 *
 * @module
 */
import type { StopReason } from '../config/types.js';

/** Set by the coordinator for one worker, taken out of `process.env` by the worker before the app loads. */
export const SLOT_VARIABLE = 'FORKTRACE_SLOT';
export const INCARNATION_VARIABLE = 'FORKTRACE_INCARNATION';

/** Worker → coordinator. */
export type WorkerMessage =
  | { forktrace: 'started'; writerId: string | undefined }
  | { forktrace: 'ready'; address: string | undefined }
  | { forktrace: 'failed'; message: string; stack: string | undefined }
  /** `debugged`: an inspector is open, so silence may be a breakpoint. */
  | { forktrace: 'heartbeat'; stats: WorkerStats; debugged: boolean }
  | { forktrace: 'stopping'; reason: StopReason };

/** Coordinator → worker. */
export type CoordinatorMessage = { forktrace: 'stop'; reason: StopReason; deadlineMs: number };

/** One worker's numbers, for `forktrace status`, recycling and the viewer's lanes. */
export interface WorkerStats {
  /** Requests served since start. */
  requests: number;
  /** Requests in flight. */
  inFlight: number;
  /** Event-loop utilisation since the last heartbeat, 0..1. */
  utilization: number;
  /** Resident set size in bytes. */
  rss: number;
  /** Spans written to the journal since start. */
  spansJournaled: number;
  /** Spans that could not be kept. */
  spansLost: number;
}

export function isForktraceMessage(value: unknown): value is WorkerMessage | CoordinatorMessage {
  return typeof value === 'object' && value !== null && 'forktrace' in value;
}
