import {
  type Context,
  isSpanContextValid,
  type TextMapGetter,
  type TextMapPropagator,
  type TextMapSetter,
  trace,
} from '@opentelemetry/api';
import { isTracingSuppressed, parseTraceParent } from '../sdk/propagators.js';
import { parseTraceState } from './passed-trace-state.js';

const TRACEPARENT = 'traceparent';
const TRACESTATE = 'tracestate';
/** Sampled, and random trace id; "vendors MUST set" all others "to zero" (section 3.2.2.5, "Other Flags"). */
const KNOWN_FLAGS = 0x03;

/**
 * W3C Trace Context Level 2, to the letter, where the SDK's propagator
 *
 * - drops members of a `tracestate` that are wrong, or too many, and passes on the rest: one that cannot be
 *   parsed is not passed on, and `traceparent` counts all the same (section 3.3, "tracestate Header");
 * - takes the first of two `traceparent` lines: two are none;
 * - writes flags from 0x10 on as three digits, which nobody can read.
 */
export class StrictTraceContextPropagator implements TextMapPropagator {
  inject(context: Context, carrier: unknown, setter: TextMapSetter): void {
    const span = trace.getSpanContext(context);
    if (span === undefined || isTracingSuppressed(context) || !isSpanContextValid(span)) return;
    setter.set(carrier, TRACEPARENT, `00-${span.traceId}-${span.spanId}-0${span.traceFlags & KNOWN_FLAGS}`);
    const state = span.traceState?.serialize();
    if (state) setter.set(carrier, TRACESTATE, state);
  }

  extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const caller = parse(joined(getter.get(carrier, TRACEPARENT)));
    if (caller === null) return context;
    const traceState = parseTraceState(joined(getter.get(carrier, TRACESTATE)));
    return trace.setSpanContext(context, { ...caller, isRemote: true, ...(traceState && { traceState }) });
  }

  fields(): string[] {
    return [TRACEPARENT, TRACESTATE];
  }
}

/** RFC 9110, section 5.3: several lines of a header are one, joined by commas. */
function joined(header: string | string[] | undefined): string {
  return Array.isArray(header) ? header.join(',') : String(header ?? '');
}

/** A comma joins two lines. What a later version has behind the flags could hold one, and is not read. */
function parse(header: string): ReturnType<typeof parseTraceParent> {
  return header.includes(',') ? null : parseTraceParent(header);
}
