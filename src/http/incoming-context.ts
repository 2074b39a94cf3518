import type { IncomingHttpHeaders } from 'node:http';
import {
  type Context,
  INVALID_SPANID,
  INVALID_TRACEID,
  propagation,
  ROOT_CONTEXT,
  type SpanContext,
  type TextMapGetter,
  trace,
} from '@opentelemetry/api';
import { DerivedContext, SPAN_KEY } from './derived-context.js';
import { ContextFields, type RequestHead } from './request-head.js';

const getter: TextMapGetter<IncomingHttpHeaders> = {
  get: (headers, name) => headers[name.toLowerCase()],
  keys: (headers) => Object.keys(headers),
};

const W3C_FIELDS = ['traceparent', 'tracestate', 'baggage'];
const NO_FIELDS = new ContextFields([]);

/** The caller's context, by the API's global propagator. */
export class IncomingContext {
  #fields = NO_FIELDS;
  /** The propagators are W3C's: a `traceparent` that comes alone can be read without them. */
  #isW3c = false;

  /** The global propagator may be registered after the server is traced: asked until it names a header. */
  get fields(): ContextFields {
    if (this.#fields === NO_FIELDS) {
      const names = propagation.fields();
      if (names.length > 0) this.#fields = new ContextFields(names);
      this.#isW3c = names.includes('traceparent') && names.every((name) => W3C_FIELDS.includes(name));
    }
    return this.#fields;
  }

  extract(head: RequestHead): Context {
    // A request starts a trace of its own when it names none, whatever was active when the connection was accepted.
    if (!head.hasContext) return ROOT_CONTEXT;
    if (head.traceparent !== undefined && this.#isW3c) {
      const caller = parseTraceparent(head.traceparent);
      if (caller !== undefined) return new DerivedContext(ROOT_CONTEXT, SPAN_KEY, trace.wrapSpanContext(caller));
    }
    return propagation.extract(ROOT_CONTEXT, head.headers, getter);
  }
}

const VERSION_00 = /^00-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})$/;

/**
 * W3C Trace Context, section 3.2, version 00. Undefined for anything else, which is then the propagator's to judge.
 * The propagator would need `request.headers`, which Node builds when it is first read, and a general context.
 */
function parseTraceparent(value: string): SpanContext | undefined {
  const match = VERSION_00.exec(value);
  if (match === null) return undefined;
  const traceId = match[1]!;
  const spanId = match[2]!;
  if (traceId === INVALID_TRACEID || spanId === INVALID_SPANID) return undefined;
  return { traceId, spanId, traceFlags: Number.parseInt(match[3]!, 16), isRemote: true };
}
