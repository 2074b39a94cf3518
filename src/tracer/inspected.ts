import type { inspect } from 'node:util';
import type { Attributes } from '@opentelemetry/api';
import type { ReadableSpan } from '../sdk/types.js';

/** What `util.inspect` hands to an object's own method of that name. */
export type InspectArguments = [depth: number, options: { depth?: number | null | undefined }, show: typeof inspect];

/** How the SDK shows its objects: the class and what one would look for, not all that hangs on it. */
export function inspected(of: object, fields: object, [depth, options, show]: InspectArguments): string {
  const title = of.constructor?.name ?? 'Object';
  return depth < 0 ? `[${title}]` : `${title} ${show(fields, options as object)}`;
}

/** Without those that are promises still: to ask for them is an error that the SDK logs. */
export function settledAttributes(resource: ReadableSpan['resource'] | undefined): Attributes | undefined {
  const raw = resource?.getRawAttributes?.();
  if (raw === undefined) return resource?.attributes;
  const attributes: Attributes = {};
  for (const [key, value] of raw) {
    if (value === undefined || value === null || typeof (value as Promise<unknown>).then === 'function') continue;
    attributes[key] ??= value as Attributes[string];
  }
  return attributes;
}
