/**
 * Names whose values are credentials: of query parameters, headers and command-line options.
 *
 * The list holds what the semantic conventions name for `url.query` (signatures of AWS, Azure and Google),
 * and the usual names of passwords, tokens, keys and sessions. Names are compared without case and without
 * `-` and `_`.
 *
 * @module
 */

const SECRET =
  /^(?:.*(?:password|passwd|passphrase|secret|apikey|accesskey|privatekey|secretkey|credentials?)|(?:.*(?:access|refresh|id|auth|oauth|api|session|csrf|xsrf|reset|verification|confirmation|invitation|invite|bearer|security|vault|private|user|jwt|login|magic|device|deploy|job|personal))?token|xtoken|pwd|auth|xauth|oauth|authorization|proxyauthorization|.*session|.*sessionid|.*sessid|sid|connectsid|otp|totp|jwt|code|sig|signature|xgoogsignature|xamzsignature|xamzcredential|awsaccesskeyid|samlresponse|samlrequest)$/;

/** Whether a whole list of names can have a secret one: one search is cheaper than to take each apart. */
const SUSPICIOUS = /pass|pwd|secret|token|key|auth|sess|sid|otp|saml|sig|cred|jwt|code|%/i;

/** More names that a user calls secret. */
export type RedactedNames = ReadonlySet<string>;

export function redactedNames(names: readonly string[] = []): RedactedNames {
  return new Set(names.map(plainName));
}

/** Whether `name` is a credential's; so is one part of `user[password]` or `user.password`. */
export function isSecretName(name: string, more?: RedactedNames): boolean {
  if (isSecret(name, more)) return true;
  return /[[\].]/.test(name) && name.split(/[[\].]+/).some((part) => isSecret(part, more));
}

function isSecret(name: string, more: RedactedNames | undefined): boolean {
  const plain = plainName(name);
  return SECRET.test(plain) || more?.has(plain) === true;
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[-_.]/g, '');
}

/** `a=1&token=x` with `REDACTED` for the values of secret names, percent-encoded names included. */
export function redactQuery(query: string, more?: RedactedNames): string {
  if (!SUSPICIOUS.test(query) && (more === undefined || more.size === 0)) return query;
  return query.replace(/([^&;=]+)=([^&;]*)/g, (parameter, name: string) =>
    isSecretName(decode(name), more) ? `${name}=REDACTED` : parameter,
  );
}

/** A URL, or what follows it in a header, with the values of credentials in its query redacted. */
export function redactUrl(url: string, more?: RedactedNames): string {
  const mark = url.indexOf('?');
  return mark === -1 ? url : url.slice(0, mark + 1) + redactQuery(url.slice(mark + 1), more);
}

/**
 * Command-line arguments without the values of secret-looking options: `--token x`, `--db-password=x`,
 * `TOKEN=x`.
 */
export function redactArguments(args: readonly string[]): string[] {
  return args.map((argument, i) => {
    const option = /^(-{0,2}[\w.-]+)=/.exec(argument)?.[1];
    if (option !== undefined && isSecretName(option.replace(/^-+/, ''))) return `${option}=REDACTED`;
    const before = args[i - 1];
    const isValue = !argument.startsWith('-') && before !== undefined && /^--?[\w.-]+$/.test(before);
    return isValue && isSecretName(before.replace(/^-+/, '')) ? 'REDACTED' : argument;
  });
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
