/**
 * The request target (RFC 9112 section 3.2), split by hand: a URL object costs about as much as the rest of a span.
 *
 * @module
 */

/** `origin-form` and `absolute-form` targets; anything else (`*`) is a path as it is. */
export function targetPath(target: string): string {
  const start = pathStart(target);
  const end = target.indexOf('?', start);
  if (end === -1) return start === 0 ? target : target.slice(start) || '/';
  return target.slice(start, end) || '/';
}

/** What follows the first `?`, with the values of credentials redacted; undefined when there is none. */
export function targetQuery(target: string): string | undefined {
  const mark = target.indexOf('?');
  if (mark === -1 || mark === target.length - 1) return undefined;
  return redactQuery(target.slice(mark + 1));
}

function pathStart(target: string): number {
  if (target.charCodeAt(0) === 0x2f /* / */) return 0;
  const scheme = target.indexOf('://');
  if (scheme === -1) return 0;
  const slash = target.indexOf('/', scheme + 3);
  return slash === -1 ? target.length : slash;
}

/**
 * Parameters whose value is a credential: those that the semantic conventions name for `url.query` (AWS, Azure and Google
 * signatures), and the common names of secrets.
 */
const SECRET_PARAMETER =
  /(^|[&;])((?:awsaccesskeyid|signature|sig|x-goog-signature|x-amz-(?:signature|credential|security-token)|[\w.-]*(?:access|refresh|id|auth|api|session|csrf|xsrf)[_-]?token|token|[\w.-]*(?:api|access|private|secret)[_-]?key|[\w.-]*secret|[\w.-]*passw(?:or)?d|pwd|passphrase|authorization|credentials?|jwt|code)=)[^&;]*/gi;

/** {@link SECRET_PARAMETER} on a name whose letters are percent-encoded would miss; such a query is redacted by its decoded names. */
export function redactQuery(query: string): string {
  const redacted = query.replace(SECRET_PARAMETER, '$1$2REDACTED');
  return /%[0-9a-f]{2}[^&;=]*=/i.test(query) ? redactEncodedNames(redacted) : redacted;
}

function redactEncodedNames(query: string): string {
  return query
    .split('&')
    .map((parameter) => {
      const equals = parameter.indexOf('=');
      const name = parameter.slice(0, equals);
      if (equals === -1 || !name.includes('%')) return parameter;
      const decoded = `${decode(name)}=`;
      return decoded.replace(SECRET_PARAMETER, '$1$2REDACTED') === decoded ? parameter : `${name}=REDACTED`;
    })
    .join('&');
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
