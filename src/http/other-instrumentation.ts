/**
 * Another instrumentation of servers in this process would give each request a second SERVER span.
 *
 * @module
 */
import { ROOT_CONTEXT, SpanKind, trace } from '@opentelemetry/api';
import { warn } from '../warn.js';
import { contextOfCaller } from './run-in-context.js';

type Emit = (event: string | symbol, ...args: unknown[]) => boolean;

/** A method that a wrapping library has wrapped: those that go by shimmer's habits keep what is inside. */
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
 * `@opentelemetry/instrumentation-http` wraps `emit` of the server's class: called past it, its CLIENT spans
 * stay and its SERVER spans do not come. Whatever else wraps `emit` (a manager's metrics, another vendor's
 * agent) is called.
 *
 * @returns undefined where that wrapper is inside of another, which cannot be called without it
 */
export function withoutOtherSpans(emit: Emit & Wrapped): Emit | undefined {
  let outermost = emit;
  while (isOtherSpans(outermost)) {
    warnOnce(
      'Another HTTP server instrumentation is active. forktrace traces the requests; turn the other one off for incoming requests (@opentelemetry/instrumentation-http: disableIncomingRequestInstrumentation).',
    );
    outermost = outermost.__original!;
  }
  for (let inner = outermost.__original; inner !== undefined; inner = (inner as Wrapped).__original) {
    if (!isOtherSpans(inner)) continue;
    warnOnce(
      'Another HTTP server instrumentation is active, inside of what something else has wrapped around it: its SERVER spans are used, and forktrace adds none. Turn it off for incoming requests (@opentelemetry/instrumentation-http: disableIncomingRequestInstrumentation).',
    );
    return undefined;
  }
  return outermost;
}

/**
 * By the name and the shape that the wrapper of instrumentation-http has: it keeps nothing else to know it
 * by.
 */
function isOtherSpans(emit: Emit & Wrapped): boolean {
  return emit.name === 'incomingRequest' && typeof emit.__original === 'function';
}

/** Whether something around us has started a SERVER span for the request that is about to be handled. */
export function isTracedAlready(): boolean {
  const active = contextOfCaller();
  if (active === ROOT_CONTEXT) return false;
  const span = trace.getSpan(active) as { kind?: SpanKind; isRecording(): boolean } | undefined;
  if (span === undefined || span.kind !== SpanKind.SERVER || !span.isRecording()) return false;
  warnOnce('Another HTTP server instrumentation has started a span for a request; forktrace adds none of its own.');
  return true;
}
