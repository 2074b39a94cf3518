import type { Span } from '@opentelemetry/api';

/**
 * `00-<trace id>-<span id>-<flags>`: the form of `traceparent`, and of `traceresponse` in the W3C's Level 2
 * draft.
 */
export function responseHeaderValue(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`;
}

/** A page of another origin reads a response header only when this one names it. */
export const EXPOSE_HEADERS = 'access-control-expose-headers';

/** The value of {@link EXPOSE_HEADERS} with one more name. */
export function exposing(present: unknown, name: string): string {
  const names = present === undefined || present === '' ? [] : String(present).split(/\s*,\s*/);
  const has = names.includes('*') || names.some((each) => each.toLowerCase() === name);
  return (has ? names : [...names, name]).join(', ');
}
