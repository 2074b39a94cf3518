/**
 * The request target (RFC 9112 section 3.2), split by hand: a URL object costs about as much as the rest of a
 * span.
 *
 * @module
 */
import { type RedactedNames, redactQuery } from '../secret-name.js';

/** `origin-form` and `absolute-form` targets; anything else (`*`) is a path as it is. */
export function targetPath(target: string): string {
  const start = pathStart(target);
  const end = target.indexOf('?', start);
  if (end === -1) return start === 0 ? target : target.slice(start) || '/';
  return target.slice(start, end) || '/';
}

/** What follows the first `?`, with the values of credentials redacted; undefined when there is none. */
export function targetQuery(target: string, redacted?: RedactedNames): string | undefined {
  const mark = target.indexOf('?');
  if (mark === -1 || mark === target.length - 1) return undefined;
  return redactQuery(target.slice(mark + 1), redacted);
}

function pathStart(target: string): number {
  if (target.charCodeAt(0) === 0x2f /* / */) return 0;
  const scheme = target.indexOf('://');
  if (scheme === -1) return 0;
  const slash = target.indexOf('/', scheme + 3);
  return slash === -1 ? target.length : slash;
}
