import type { Attributes } from '@opentelemetry/api';
import type { ResolvedHttp } from '../config/resolved.js';
import { isSecretName, type RedactedNames, redactUrl } from '../secret-name.js';

/**
 * Headers that carry credentials, beside those that {@link isSecretName} knows: their values are never
 * recorded.
 */
const SENSITIVE =
  /^(?:(?:set-)?cookie2?|.*(?:authorization|authentication|password|passwd|secret|session|api-?key|signature|credential|jwt|assertion).*|(?:.*-)?(?:token|auth|otp|totp|sid|pwd|passphrase|passcode|hmac|(?:access|private|subscription|auth|functions|encryption|customer|license|master|account|team)-?key))$/i;

/** Headers whose values are URLs. */
const URLS = /^(?:(?:content-)?location|refere?r|refresh|link|x-(?:original|rewrite)-ur[il]|x-forwarded-uri)$/;

const REDACTED = ['[REDACTED]'];

/** Header values by name: `request.headers`, or `response.getHeader`. */
export type ReadHeader = (name: string) => string | string[] | number | undefined;

/**
 * Which headers become `http.request.header.<name>` and `http.response.header.<name>`. Values of names that a
 * pattern of `captureHeaders.sanitize` matches are redacted; those of credentials always.
 */
export class HeaderCapture {
  readonly #headers: readonly {
    readonly name: string;
    readonly attribute: string;
    readonly redacted: boolean;
    readonly isUrl: boolean;
  }[];
  readonly #secrets: RedactedNames;

  constructor(
    direction: 'request' | 'response',
    { sanitize, ...names }: ResolvedHttp['captureHeaders'],
    secrets: RedactedNames,
  ) {
    this.#secrets = secrets;
    this.#headers = names[direction].map((listed) => {
      const name = listed.toLowerCase();
      const redacted = SENSITIVE.test(name) || isSecretName(name) || sanitize.some((pattern) => pattern.test(name));
      return { name, attribute: `http.${direction}.header.${name}`, redacted, isUrl: URLS.test(name) };
    });
  }

  get isEmpty(): boolean {
    return this.#headers.length === 0;
  }

  addTo(attributes: Attributes, read: ReadHeader): void {
    for (const { name, attribute, redacted, isUrl } of this.#headers) {
      const value = read(name);
      if (value === undefined || value === null) continue;
      const values = Array.isArray(value) ? value.map(String) : [String(value)];
      attributes[attribute] = redacted
        ? REDACTED
        : isUrl
          ? values.map((each) => redactUrl(each, this.#secrets))
          : values;
    }
  }
}
