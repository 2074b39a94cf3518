/** Headers that OTLP's transports can send. @module */
import type { Kind } from './kinds.js';

/** Names that are in both HTTP (RFC 9110, token) and gRPC ("Custom-Metadata": lower-case letters, digits, `_`, `-`, `.`). */
const NAME = /^[A-Za-z0-9_.-]+$/;
/** What both can send: visible ASCII and spaces. (gRPC over HTTP/2, "ASCII-Value"; RFC 9110, 5.5) */
const VALUE = /^[ -~]*$/;
/** HTTP/2 has no connection headers, and the transport says the length itself: RFC 9113, 8.2.2. */
const RESERVED =
  /^(connection|keep-alive|proxy-connection|transfer-encoding|upgrade|http2-settings|te|host|content-length|grpc-.*|.*-bin)$/i;

const NAMES = 'names of letters, digits, "-", "_" and "." that are not those of the connection';
const VALUES = 'visible ASCII and spaces: no newline (a token file may end with one), no other letters';

/** What of a header can't be sent; never the value itself. */
export function headerFault(name: string, value: unknown): string | undefined {
  if (!NAME.test(name) || RESERVED.test(name)) return NAMES;
  if (typeof value !== 'string') return 'a string';
  return VALUE.test(value) ? undefined : VALUES;
}

/** `export.headers`. */
export const headers: Kind<Record<string, string>> = {
  expected: 'an object of strings',
  type: 'Record<string, string>',
  check(found) {
    if (typeof found !== 'object' || found === null || Array.isArray(found)) {
      return { path: [], found, expected: headers.expected };
    }
    for (const [name, value] of Object.entries(found)) {
      const expected = headerFault(name, value);
      if (expected !== undefined) return { path: [name], found: value, expected };
    }
    return undefined;
  },
};
