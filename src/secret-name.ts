/**
 * Names whose values are credentials: of query parameters, headers and command-line options.
 *
 * The list holds what the semantic conventions name for `url.query` (signatures of AWS, Azure and Google),
 * and the usual names of passwords, tokens, keys and sessions. Names are compared without case and without
 * `-` and `_`.
 *
 * @module
 */

const PASSWORD =
  '.*(?:password|passwd|passphrase|passcode)(?:\\d|confirm(?:ation|ed)?|again|repeat(?:ed)?|retyped?|verify|hash|salt|new|old)*';
const KEY =
  '.*(?:api|access|private|secret|auth|signing|signature|encryption|master|service|license|account|storage|shared|subscription|functions|consumer|deploy|ssh|aes|rsa|hmac|jwt)key';
/** Not every token is a credential: `pageToken` is none. */
const TOKEN =
  '(?:.*(?:access|refresh|id|auth|oauth|sso|mfa|otp|api|app|client|account|service|admin|bot|session|csrf|xsrf|reset|password|email|verification|confirmation|activation|registration|signup|unsubscribe|invitation|invite|bearer|security|vault|private|user|jwt|login|magic|device|deploy|job|personal|webhook|hook|upload|download|share))?token(?:hint|secret)?';
const CODE = '(?:auth|authorization|verification|otp|totp|mfa|2fa|sms|login|access|security|backup|recovery)code';
const SECRET = new RegExp(
  `^(?:${PASSWORD}|${KEY}|${TOKEN}|${CODE}|.*(?:secret|secretid|credentials?|session|sessionid|sessid|assertion)|xtoken|pwd|pass|userpass|dbpass|auth|basicauth|httpauth|xauth|oauth|authentication|authorization|proxyauthorization|sid|connectsid|otp|totp|jwt|codeverifier|hmac|sig|signature|xgoogsignature|xamzsignature|xamzcredential|awsaccesskeyid|samlresponse|samlrequest|samlart|wresult)$`,
);

/**
 * Whether a name can be secret, or one in a whole list of names: one search is cheaper than to take each
 * apart.
 */
const SUSPICIOUS = /pass|pwd|secret|token|key|auth|sess|sid|otp|saml|sig|cred|jwt|code|assertion|hmac|wresult|%/i;

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

/** A parameter `code` is what OAuth answers with; a field of that name is an error's or a status. */
function isSecretParameter(name: string, more?: RedactedNames): boolean {
  return isSecretName(name, more) || /(?:^|[[.])code]?$/i.test(name);
}

function isSecret(name: string, more: RedactedNames | undefined): boolean {
  const plain = plainName(name);
  // The long pattern takes V8 half a millisecond to compile, and most processes have no such name.
  return (SUSPICIOUS.test(plain) && SECRET.test(plain)) || more?.has(plain) === true;
}

function plainName(name: string): string {
  return name.toLowerCase().replace(/[-_.]/g, '');
}

/** `a=1&token=x` with `REDACTED` for the values of secret names, percent-encoded names included. */
export function redactQuery(query: string, more?: RedactedNames): string {
  if (!SUSPICIOUS.test(query) && (more === undefined || more.size === 0)) return query;
  // Parameter by parameter: a pattern with the name and `=` would try each place of a long query anew.
  return query.replace(/[^&;#]+/g, (parameter) => {
    const name = /^=*([^=]+)=/.exec(parameter);
    return name !== null && isSecretParameter(decode(name[1]!), more) ? `${name[0]}REDACTED` : parameter;
  });
}

/**
 * A URL, or what follows it in a header, without user and password, and with the values of credentials
 * redacted in its query and its fragment: OAuth answers with `#access_token=…`.
 */
export function redactUrl(url: string, more?: RedactedNames): string {
  const parts = redactUser(url).split(/(?<=[?#])/);
  return (
    parts[0] +
    parts
      .slice(1)
      .map((part) => redactQuery(part, more))
      .join('')
  );
}

/** As the semantic conventions have it for `url.full`. */
function redactUser(url: string): string {
  return url.replace(/\/\/[^\s/?#]*@/g, '//REDACTED:REDACTED@');
}

/**
 * Command-line arguments without the values of secret-looking options: `--token x`, `--db-password=x`,
 * `TOKEN=x`, `--env=TOKEN=x`; and without what URLs among them hold of the kind.
 */
export function redactArguments(args: readonly string[]): string[] {
  return args.map((argument, i) => {
    const before = args[i - 1];
    // What most arguments are not is told without a pattern, which each start would have to compile.
    const mayBeValue = before?.startsWith('-') === true && !argument.startsWith('-');
    return mayBeValue && isOption(before) && isSecretOption(before) ? 'REDACTED' : redactArgument(argument);
  });
}

function redactArgument(argument: string): string {
  const [option] = (argument.includes('=') && /^-{0,2}[\w.-]+=/.exec(argument)) || [];
  if (option === undefined) return argument.includes('://') ? redactUrl(argument) : argument;
  return option + (isSecretOption(option.slice(0, -1)) ? 'REDACTED' : redactArgument(argument.slice(option.length)));
}

const isOption = (argument: string) => /^--?[\w.-]+$/.test(argument);

const isSecretOption = (option: string) => isSecretParameter(option.replace(/^-+/, ''));

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
