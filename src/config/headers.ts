/** Headers that OTLP's transports can send. @module */
import type { Kind } from './kinds.js';

/**
 * Names that are in both HTTP (RFC 9110, token) and gRPC ("Custom-Metadata": lower-case letters, digits, `_`,
 * `-`, `.`).
 */
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

/** Headers that change while the process runs: asked for anew. */
export type HeadersFunction = () => Record<string, string> | Promise<Record<string, string>>;

/** `export.headers`. */
export const headers: Kind<Record<string, string> | string | HeadersFunction> = {
  expected: 'an object of strings, the path of a file, or a function that returns an object of strings',
  type: 'Record<string, string> | string | (() => Record<string, string> | Promise<Record<string, string>>)',
  check(found) {
    if (typeof found === 'function' || (typeof found === 'string' && found !== '')) return undefined;
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

/**
 * Headers as a file has them: `name: value` or `name=value`, one per line; empty lines and lines that begin
 * with `#` do not count.
 *
 * @throws Error that names the line, never its value
 */
export function parseHeaders(text: string): Record<string, string> {
  const parsed: Record<string, string> = {};
  text.split(/\r?\n/).forEach((line, index) => {
    if (/^\s*(#|$)/.test(line)) return;
    const [, name = '', value = ''] = /^\s*([^\s:=]+)\s*[:=]\s*(.*?)\s*$/.exec(line) ?? [];
    const fault = headerFault(name, value);
    if (fault !== undefined) throw new Error(`line ${index + 1} is no header that can be sent: expected ${fault}`);
    parsed[name] = value;
  });
  return parsed;
}
