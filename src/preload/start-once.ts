import { context, ROOT_CONTEXT } from '@opentelemetry/api';
import { ForktraceError } from '../errors.js';
import {
  isTracingStarted,
  isTracingStarting,
  mustFlushAtEnd,
  type StartedTracing,
  startWorkerTracing,
} from '../worker/start-worker.js';
import { flushAtEnd } from './flush-at-end.js';
import { sayStartFailed } from './start-failed.js';
import { stopTheStart } from './stop-the-start.js';

let tracing: StartedTracing | undefined;
let failed = false;
let starting = false;

/**
 * @returns undefined when the start has failed, and the process runs without tracing; also undefined while
 * tracing is being started, because the start's own use of files and sockets is instrumented, too
 */
export function startOnce(): StartedTracing | undefined {
  if (tracing !== undefined || failed || isStarting()) return tracing;
  starting = true;
  try {
    // The started parts outlive the request or span whose call started them, so they must not run in its
    // context.
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
  return isStarting() || tracing !== undefined || isTracingStarted();
}

/** Whether tracing is being started, further out in this call, here or by the app itself. @public */
export function isStarting(): boolean {
  return starting || isTracingStarting();
}

function start(): StartedTracing {
  if (isTracingStarted()) return startWorkerTracing();
  const started = startWorkerTracing();
  if (mustFlushAtEnd()) flushAtEnd(started);
  return started;
}
