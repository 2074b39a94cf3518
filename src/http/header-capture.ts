import type { Attributes } from '@opentelemetry/api';
import type { ResolvedHttp } from '../config/resolved.js';

/** Headers that carry credentials: their values are never recorded, captured or not. */
const SENSITIVE =
  /^(?:(?:proxy-)?authorization|(?:set-)?cookie|x-api-key|api-key|x-auth-token|x-(?:csrf|xsrf)-token|x-amz-security-token|.*(?:password|secret|session).*)$/i;

const REDACTED = ['[REDACTED]'];

/** Header values by name: `request.headers`, or `response.getHeader`. */
export type ReadHeader = (name: string) => string | string[] | number | undefined;

/**
 * Which headers become `http.request.header.<name>` and `http.response.header.<name>`. Values of names that a pattern of
 * `captureHeaders.sanitize` matches are redacted; those of credentials always.
 */
export class HeaderCapture {
  readonly #headers: readonly { readonly name: string; readonly attribute: string; readonly redacted: boolean }[];

  constructor(direction: 'request' | 'response', { sanitize, ...names }: ResolvedHttp['captureHeaders']) {
    this.#headers = names[direction].map((listed) => {
      const name = listed.toLowerCase();
      const redacted = SENSITIVE.test(name) || sanitize.some((pattern) => pattern.test(name));
      return { name, attribute: `http.${direction}.header.${name}`, redacted };
    });
  }

  get isEmpty(): boolean {
    return this.#headers.length === 0;
  }

  addTo(attributes: Attributes, read: ReadHeader): void {
    for (const { name, attribute, redacted } of this.#headers) {
      const value = read(name);
      if (value === undefined) continue;
      attributes[attribute] = redacted ? REDACTED : Array.isArray(value) ? value.map(String) : [String(value)];
    }
  }
}
