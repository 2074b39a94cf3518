/**
 * Option `resource`: plain attributes, or a Resource as detectors give it, some of whose attributes may be
 * promises still.
 *
 * @module
 */
import type { Attributes } from '@opentelemetry/api';
import type { Resource } from '../sdk/types.js';

/** A Resource has a `merge`, which plain attributes have not: a function is no attribute's value. */
export function isResource(resource: Attributes | Resource | undefined): resource is Resource {
  return typeof resource?.merge === 'function';
}

/**
 * Those that are known by now. Asked for its `attributes`, the SDK's Resource logs an error while it waits.
 */
export function knownAttributes(resource: Attributes | Resource | undefined): Attributes {
  if (!isResource(resource)) return resource ?? {};
  if (!resource.asyncAttributesPending) return resource.attributes;
  const known: Attributes = {};
  // Of one name the first that has a value counts.
  for (const [name, value] of resource.getRawAttributes?.() ?? [])
    if (value != null && !isPromise(value)) known[name] ??= value;
  return known;
}

/** Those that are on their way, by name. */
export function awaitedAttributes(resource: Resource): Record<string, Promise<unknown>> {
  const raw = resource.getRawAttributes?.() ?? [];
  return Object.fromEntries(raw.filter((entry): entry is [string, Promise<never>] => isPromise(entry[1])));
}

/** Resolves, and never rejects, when all are known; undefined where they are. */
export function attributesSettled(resource: Attributes | Resource | undefined): Promise<void> | undefined {
  if (!isResource(resource) || !resource.asyncAttributesPending) return undefined;
  return Promise.resolve(resource.waitForAsyncAttributes?.()).catch(() => {});
}

/** Of the conventions that its names follow; empty where it says none. */
export function schemaUrlOf(resource: Attributes | Resource | undefined): string {
  return isResource(resource) && typeof resource.schemaUrl === 'string' ? resource.schemaUrl : '';
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as PromiseLike<unknown> | null | undefined)?.then === 'function';
}
