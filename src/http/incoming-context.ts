import type { IncomingHttpHeaders } from 'node:http';
import {
  type Context,
  diag,
  INVALID_SPANID,
  INVALID_TRACEID,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api';
import { isW3cOnly } from '../propagation/w3c-only.js';
import { DerivedContext, SPAN_KEY } from './derived-context.js';
import { ContextFields, type RequestHead } from './request-head.js';

const getter: TextMapGetter<IncomingHttpHeaders> = {
  get: (headers, name) => headers?.[name.toLowerCase()],
  keys: (headers) => Object.keys(headers ?? {}),
};

const W3C_FIELDS = new ContextFields(['traceparent', 'tracestate', 'baggage']);

/** The caller's context, by the API's global propagator. */
export class IncomingContext {
  /** What {@link extract} wants to know of a request's headers before it. */
  readonly fields = W3C_FIELDS;

  /**
   * A propagator is asked whatever headers there are: it may read some that its `fields()` does not name, as
   * B3's does with the format that it does not write. With W3C's alone, which is the default, a request
   * without its headers has no caller, and one with `traceparent` and no other of them is read here. Asking
   * costs `request.headers`, about as much as a span. Never throws.
   */
  extract(head: RequestHead): Context {
    if (isW3cOnly()) {
      // A request starts a trace of its own when it names none, whatever was active when the connection was
      // accepted.
      if (!head.hasContext) return ROOT_CONTEXT;
      if (head.traceparent !== undefined) {
        const caller = parseTraceparent(head.traceparent);
        if (caller !== undefined) return new DerivedContext(ROOT_CONTEXT, SPAN_KEY, trace.wrapSpanContext(caller));
      }
    }
    try {
      return propagation.extract(ROOT_CONTEXT, head.headers, getter) ?? ROOT_CONTEXT;
    } catch (error) {
      diag.error('The propagator threw; the request starts a trace of its own', error);
      return ROOT_CONTEXT;
    }
  }
}

const VERSION_00 = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/;

/**
 * W3C Trace Context, section 3.2, version 00. Undefined for anything else, which is then the propagator's to
 * judge. The propagator would need `request.headers`, which Node builds when it is first read, and a general
 * context.
 */
function parseTraceparent(value: string): SpanContext | undefined {
  const match = VERSION_00.exec(value);
  if (match === null) return undefined;
  const traceId = match[1]!;
  const spanId = match[2]!;
  if (traceId === INVALID_TRACEID || spanId === INVALID_SPANID) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(match[3]!, 16), isRemote: true };
}
