import type { TextMapPropagator } from '@opentelemetry/api';

/** Propagators that we have made ourselves, of W3C Trace Context and perhaps Baggage and nothing else. */
const made = new WeakSet<TextMapPropagator>();

/**
 * The API's global propagator is one of {@link made}: then a `traceparent` header can be read without it. Its
 * `fields()` would not tell: a propagator of somebody else's may name the same headers, and read them or
 * others in its own way.
 */
let isGlobal = false;

/** Says that `propagator` reads W3C's headers and no others. */
export function madeOfW3cOnly(propagator: TextMapPropagator): void {
  made.add(propagator);
}

/** Says which propagator is registered with the API; undefined when none of ours is. */
export function registeredPropagator(propagator: TextMapPropagator | undefined): void {
  isGlobal = propagator !== undefined && made.has(propagator);
}

/** Whether incoming requests can be read by the rules of W3C Trace Context alone. */
export function isW3cOnly(): boolean {
  return isGlobal;
}
