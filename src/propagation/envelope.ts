/**
 * Where a message carries its context: one more field of the message, which a receiver without forktrace does
 * not look at.
 *
 * @module
 */
import { type Context, context, propagation, ROOT_CONTEXT, trace } from '@opentelemetry/api';

const FIELD = 'forktrace.context';

/**
 * A copy of `message` with the active context in it. Only plain objects have room for one: strings, arrays,
 * Maps, class instances go as they are, so that whoever receives them reads what was sent.
 */
export function enclose(message: unknown): unknown {
  if (!isPlainObject(message)) return message;
  const carrier: Record<string, string> = {};
  propagation.inject(context.active(), carrier);
  return Object.keys(carrier).length === 0 ? message : { ...message, [FIELD]: carrier };
}

/** The message as it was sent, and the sender's context if it has one. */
export function open(message: unknown): { message: unknown; parent: Context | undefined } {
  if (!isPlainObject(message) || !(FIELD in message)) return { message, parent: undefined };
  const { [FIELD]: carrier, ...own } = message;
  if (typeof carrier !== 'object' || carrier === null) return { message: own, parent: undefined };
  const parent = propagation.extract(ROOT_CONTEXT, carrier);
  return { message: own, parent: trace.getSpanContext(parent) ? parent : undefined };
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
