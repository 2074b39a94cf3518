/**
 * Another instrumentation of servers in this process would give each request a second SERVER span.
 *
 * @module
 */
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { warn } from '../warn.js';
import { activeContext } from './run-in-context.js';

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/** A method that `@opentelemetry/instrumentation` has wrapped. */
interface Wrapped {
  __original?: Emit;
}

let warned = false;

function warnOnce(message: string): void {
  if (warned) return;
  warned = true;
  warn('FORKTRACE_HTTP_INSTRUMENTED_TWICE', message);
}

/**
 * `@opentelemetry/instrumentation-http` wraps `emit` of the server's class: called past it, its CLIENT spans stay and its
 * SERVER spans do not come.
 */
export function unwrapEmit(emit: Emit & Wrapped): Emit {
  if (emit.__original === undefined) return emit;
  warnOnce(
    'Another HTTP server instrumentation is active. forktrace traces the requests; turn the other one off for incoming requests (@opentelemetry/instrumentation-http: disableIncomingRequestInstrumentation).',
  );
  return unwrapEmit(emit.__original);
}

/** Whether something around us has started a SERVER span for the request that is about to be handled. */
export function isTracedAlready(): boolean {
  const active = activeContext();
  if (active === ROOT_CONTEXT) return false;
  const span = trace.getSpan(active) as { kind?: SpanKind; isRecording(): boolean } | undefined;
  if (span === undefined || span.kind !== SpanKind.SERVER || !span.isRecording()) return false;
  warnOnce('Another HTTP server instrumentation has started a span for a request; forktrace adds none of its own.');
  return true;
}
