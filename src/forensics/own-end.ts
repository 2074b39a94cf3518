import type { ExitRecord } from '../journal/vitals.js';
import type { Block } from './block.js';
import type { ExitCause } from './exit-cause.js';

const STATES: Partial<Record<ExitCause, string>> = {
  exit: 'called process.exit',
  abort: 'called process.abort',
  uncaught_exception: 'threw',
  unhandled_rejection: 'rejected a promise',
  heap_out_of_memory: 'ran out of heap memory',
};

/**
 * What a process did when it ended itself, from its own record.
 *
 * @param cause of the death; a record with another cause does not describe it
 * @returns undefined when the record has neither a stack nor a span
 */
export function ownEnd(record: ExitRecord | undefined, cause: ExitCause): Block | undefined {
  if (record?.cause !== cause) return undefined;
  const { active, signal } = record;
  const state = signal === undefined ? STATES[cause] : `sent itself ${signal}`;
  if (state === undefined) return undefined;
  const stack = framesOf(record.stack);
  return stack === undefined && active === undefined ? undefined : { state, stack, active };
}

/** The frames of a stack, without the name and message at its beginning. */
export function framesOf(stack: string | undefined): string | undefined {
  const at = stack?.search(/^ {4}at /m) ?? -1;
  return at < 0 ? undefined : stack!.slice(at);
}
