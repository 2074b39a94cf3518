import { type Context, type TextMapGetter, trace } from '@opentelemetry/api';
import { W3CTraceContextPropagator } from '../sdk/propagators.js';

const SIMPLE_KEY = /^[a-z][a-z0-9_\-*/]{0,255}$/;
const TENANT_KEY = /^[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}$/;
/** Printable ASCII but `,` and `=`; it does not end with a space. */
const VALUE = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const MOST_MEMBERS = 32;

/**
 * W3C Trace Context, to the letter: a `tracestate` that cannot be parsed is not passed on (section 3.3,
 * "tracestate Header"), where the SDK's propagator drops the members that are wrong, or too many, and passes
 * on the rest. `traceparent` counts all the same.
 */
export class StrictTraceContextPropagator extends W3CTraceContextPropagator {
  override extract(context: Context, carrier: unknown, getter: TextMapGetter): Context {
    const extracted = super.extract(context, carrier, getter);
    const caller = trace.getSpanContext(extracted);
    if (caller?.traceState === undefined || extracted === context) return extracted;
    const header = getter.get(carrier, 'tracestate');
    if (isTraceState(Array.isArray(header) ? header.join(',') : String(header))) return extracted;
    return trace.setSpanContext(extracted, { ...caller, traceState: undefined });
  }
}

function isTraceState(header: string): boolean {
  const members = header
    .split(',')
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ''))
    .filter((member) => member !== '');
  return members.length <= MOST_MEMBERS && members.every(isMember);
}

function isMember(member: string): boolean {
  const equals = member.indexOf('=');
  const key = member.slice(0, equals);
  return equals > 0 && (SIMPLE_KEY.test(key) || TENANT_KEY.test(key)) && VALUE.test(member.slice(equals + 1));
}
