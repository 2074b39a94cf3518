/**
 * Why a process ended: one of a fixed list, which is the same under every manager. Interrupted spans,
 * `worker.exit`, `childExit`, `forktrace status` and the viewer show this value.
 *
 * @module
 */
import type { ProcessExit } from '../process/process-exit.js';

export const EXIT_CAUSES = [
  /** It was told to stop, because the cluster or the process manager ends. */
  'stop',
  /** A rolling reload replaced it. */
  'reload',
  /** Scaling down removed its slot. */
  'scale',
  /** Replaced after `supervise.maxRequests`. */
  'recycle_requests',
  /** Replaced because it held more than `supervise.maxMemory`. */
  'recycle_memory',
  /** It called `process.exit`, or its event loop was empty. */
  'exit',
  'uncaught_exception',
  'unhandled_rejection',
  /** V8 reached the limit of its heap. */
  'heap_out_of_memory',
  /** The kernel killed it, because the machine or a control group had no memory left. */
  'system_out_of_memory',
  /** The watchdog killed it: its event loop was blocked for `supervise.heartbeatTimeoutMs`. */
  'event_loop_blocked',
  /** SIGABRT: it called `process.abort`, or a check in native code failed. */
  'abort',
  /** SIGSEGV, SIGBUS, SIGILL or SIGFPE: a fault in native code. */
  'crash',
  /** A signal from outside ended it. */
  'signal',
  /** It was not ready in time, or reported that it cannot start. */
  'not_ready',
  /** Its coordinator, or the machine, went down with it. */
  'lost',
  'unknown',
] as const;

/** Why a process ended. */
export type ExitCause = (typeof EXIT_CAUSES)[number];

/** The cause that follows from exit code and signal alone. */
export function causeOfExit({ code, signal }: Partial<ProcessExit>): ExitCause {
  switch (signal) {
    case 'SIGABRT':
      return 'abort';
    case 'SIGSEGV':
    case 'SIGBUS':
    case 'SIGILL':
    case 'SIGFPE':
      return 'crash';
    case null:
    case undefined:
      return typeof code === 'number' ? 'exit' : 'unknown';
    default:
      return 'signal';
  }
}

const DESCRIPTIONS: Record<ExitCause, string> = {
  stop: 'it was told to stop',
  reload: 'a rolling reload replaced it',
  scale: 'its slot was scaled away',
  recycle_requests: 'it had served as many requests as supervise.maxRequests allows',
  recycle_memory: 'it held more memory than supervise.maxMemory allows',
  exit: 'process.exit was called, or nothing was left to do',
  uncaught_exception: 'an exception that nobody caught',
  unhandled_rejection: 'a rejected promise that nobody handled',
  heap_out_of_memory: "V8's heap had reached its limit",
  system_out_of_memory: 'the kernel killed it for want of memory',
  event_loop_blocked: 'the watchdog ended it: its event loop did not turn',
  abort: 'process.abort, or a check in native code',
  crash: 'a fault in native code',
  signal: 'a signal from outside',
  not_ready: 'it was not ready in time, or said that it cannot start',
  lost: 'its coordinator, or the machine, went down with it',
  unknown: 'nobody has said why',
};

/** Describes a cause in a few words. */
export function describeExitCause(cause: ExitCause): string {
  return DESCRIPTIONS[cause] ?? 'a cause that this version does not know';
}
