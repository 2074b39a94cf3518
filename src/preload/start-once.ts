import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { ForktraceError } from '../errors.js';
import { isTracingStarted, mustFlushAtEnd, type StartedTracing, startWorkerTracing } from '../worker/start-worker.js';
import { flushAtEnd } from './flush-at-end.js';
import { sayStartFailed } from './start-failed.js';
import { stopTheStart } from './stop-the-start.js';

let tracing: StartedTracing | undefined;
let failed = false;
let starting = false;

/**
 * @returns undefined when it has failed, and the process runs without; also while it starts: what starting
 * does with files and sockets is instrumented, too
 */
export function startOnce(): StartedTracing | undefined {
  if (tracing !== undefined || failed || starting) return tracing;
  starting = true;
  try {
    // Not in the context of the request or span that set it off: what is started here outlives it.
    tracing = context.with(ROOT_CONTEXT, start);
  } catch (error) {
    if (error instanceof ForktraceError) stopTheStart(error);
    failed = true;
    sayStartFailed(error);
  } finally {
    starting = false;
  }
  return tracing;
}

/** @public */
export function isStartedOrStarting(): boolean {
  return starting || tracing !== undefined || isTracingStarted();
}

/** Whether tracing is being started, further out in this call. @public */
export function isStarting(): boolean {
  return starting;
}

function start(): StartedTracing {
  if (isTracingStarted()) return startWorkerTracing();
  const started = startWorkerTracing();
  if (mustFlushAtEnd()) flushAtEnd(started);
  return started;
}
