/**
 * A span around a child process: from its start to its exit, as the semantic conventions have it for
 * programs that are called ("CLI programs", client span).
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { type EventEmitter, errorMonitor } from 'node:events';
import { basename } from 'node:path';
import { context, type Span, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api';
import {
  ERROR_TYPE,
  EXIT_SIGNAL,
  PROCESS_EXECUTABLE_NAME,
  PROCESS_EXIT_CODE,
  PROCESS_PID,
} from '../wire/conventions.js';

/** Before tracing has started, which the first span does, the environment says it. */
const state: { wanted: boolean | undefined } = { wanted: undefined };

/** As the option `outgoing` says. */
export function traceChildren(wanted: boolean): void {
  state.wanted = wanted;
}

/**
 * Starts a child, with a span around its life if that is wanted: it is the parent of the child's first span.
 *
 * @param program its path or name
 */
export function withChildSpan(program: string, start: () => ChildProcess): ChildProcess {
  if (!(state.wanted ?? /^true$/i.test(process.env.FORKTRACE_OUTGOING ?? ''))) return start();
  const name = basename(program);
  const attributes = { [PROCESS_EXECUTABLE_NAME]: name };
  const span = trace.getTracer('forktrace').startSpan(name, { kind: SpanKind.CLIENT, attributes });
  let child: ChildProcess;
  try {
    child = context.with(trace.setSpan(context.active(), span), start);
  } catch (error) {
    fail(span, error as Error);
    throw error;
  }
  if (child.pid !== undefined) span.setAttribute(PROCESS_PID, child.pid);
  child.once('exit', (code, signal) => {
    if (code !== null) span.setAttribute(PROCESS_EXIT_CODE, code);
    if (signal !== null) span.setAttribute(EXIT_SIGNAL, signal);
    if (code !== 0) {
      span.setAttribute(ERROR_TYPE, String(signal ?? code));
      span.setStatus({ code: SpanStatusCode.ERROR, message: `ended with ${signal ?? `exit code ${code}`}` });
    }
    span.end();
  });
  // Not a listener of 'error', which would keep an error that nobody hears from ending the process.
  if (child.pid === undefined) (child as EventEmitter).once(errorMonitor, (error: Error) => fail(span, error));
  return child;
}

function fail(span: Span, error: Error & { code?: string }): void {
  span.setAttribute(ERROR_TYPE, error.code ?? error.name);
  span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
  span.end();
}
