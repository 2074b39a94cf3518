/**
 * What a value can be: one object per kind says what it takes in code, how a variable's text becomes it, and
 * how messages, types and the reference page write it.
 *
 * By hand and not by a schema library: loading one takes longer (14 ms) than all the rest of a start.
 *
 * @module
 */

/** What is wrong, and where below the option it is. */
export interface Mismatch {
  readonly path: readonly (string | number)[];
  readonly found: unknown;
  readonly expected: string;
}

export interface Kind<T> {
  /** The "expected …" of an error. */
  readonly expected: string;
  /** As TypeScript writes the type. */
  readonly type: string;
  /** Undefined when the value of an option in code is right. */
  check(value: unknown): Mismatch | undefined;
  /** A variable's text as a value, undefined where it is none; missing for what only code can say. */
  readonly parse?: (text: string) => T | undefined;
  /** Of an array: what a variable's comma-separated text is a list of. */
  readonly item?: Kind<unknown>;
}

/** setTimeout fires at once for more. */
export const MAX_TIMEOUT_MS = 2_147_483_647;

/** "a, b or c". */
export function oneOf(values: readonly string[]): string {
  return values.length < 2 ? values.join() : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

function kind<T>(
  expected: string,
  type: string,
  accepts: (value: unknown) => boolean,
  parse?: (text: string) => T | undefined,
): Kind<T> {
  const check = (found: unknown) => (accepts(found) ? undefined : { path: [], found, expected });
  return { expected, type, check, parse };
}

export const text = kind<string>(
  'a non-empty string',
  'string',
  (value) => typeof value === 'string' && value.trim() !== '',
  (text) => text,
);

export const flag = kind<boolean>(
  'true or false',
  'boolean',
  (value) => typeof value === 'boolean',
  (text) => (/^true$/i.test(text) ? true : /^false$/i.test(text) ? false : undefined),
);

export function choice<const Value extends string>(...values: Value[]): Kind<Value> {
  return kind<Value>(
    oneOf(values),
    values.map((value) => `'${value}'`).join(' | '),
    (value) => values.includes(value as Value),
    (text) => values.find((value) => value === text.toLowerCase()),
  );
}

export function whole(least: number, most: number = Number.MAX_SAFE_INTEGER): Kind<number> {
  const accepts = (value: unknown) =>
    Number.isSafeInteger(value) && (value as number) >= least && (value as number) <= most;
  const expected = `a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`}`;
  return kind<number>(expected, 'number', accepts, (text) => {
    const value = /^\d+$/.test(text) ? Number(text) : undefined;
    return accepts(value) ? value : undefined;
  });
}

export const milliseconds = (least: number) => whole(least, MAX_TIMEOUT_MS);

/** The same kind, in other words. */
export function called<T>(expected: string, kind: Kind<T>): Kind<T> {
  return { ...kind, expected, check: (found) => kind.check(found) && { path: [], found, expected } };
}

export const port = called('a port from 0 to 65535', whole(0, 65_535));

/** 0 is no limit of time, which a timer's longest time comes to. */
export const timeout = called(`${milliseconds(0).expected}, 0 for no limit`, milliseconds(0));

/** {@link timeout} for a timer. */
export const timerMs = (timeoutMs: number) => (timeoutMs === 0 ? MAX_TIMEOUT_MS : timeoutMs);

export const ratio = kind<number>(
  'a number from 0 to 1',
  'number',
  (value) => typeof value === 'number' && value >= 0 && value <= 1,
  (text) => (Number(text) >= 0 && Number(text) <= 1 ? Number(text) : undefined),
);

export const segmentSize = kind<number>(
  'a multiple of 4096 from 8192',
  'number',
  (value) => Number.isSafeInteger(value) && (value as number) >= 8192 && (value as number) % 4096 === 0,
);

export const lengthLimit: Kind<number> = kind(
  `${whole(0).expected}, or Infinity`,
  'number',
  (value) => value === Number.POSITIVE_INFINITY || whole(0).check(value) === undefined,
  whole(0).parse,
);

/** A function. `type` is its TypeScript type. */
export function callback<T>(type: string, expected = 'a function'): Kind<T> {
  return kind<T>(expected, type, isFunction);
}

/** An object that has these methods. `type` is its name in TypeScript. */
export function instance<T>(type: string, article: 'a' | 'an', ...methods: string[]): Kind<T> {
  return kind<T>(`${article} ${type}`, type, (value) => hasMethods(value, ...methods));
}

export function listOf<T>(item: Kind<T>, expected: string): Kind<T[]> {
  return {
    expected,
    type: item.type.includes(' ') ? `(${item.type})[]` : `${item.type}[]`,
    item,
    check(found) {
      if (!Array.isArray(found)) return { path: [], found, expected };
      for (const [index, each] of found.entries()) {
        const fault = item.check(each);
        if (fault) return { ...fault, path: [index, ...fault.path] };
      }
      return undefined;
    },
  };
}

/** An object whose values are all of one kind. */
export function recordOf<T>(item: Kind<T>, expected: string): Kind<Record<string, T>> {
  return {
    expected,
    type: `Record<string, ${item.type}>`,
    check(found) {
      if (typeof found !== 'object' || found === null || Array.isArray(found)) return { path: [], found, expected };
      for (const [key, each] of Object.entries(found)) {
        const fault = item.check(each);
        if (fault) return { ...fault, path: [key, ...fault.path] };
      }
      return undefined;
    },
  };
}

/** What any of the kinds takes; `choose` picks the one whose fault is told. */
export function either<T>(
  expected: string,
  type: string,
  choose: (value: unknown) => Kind<unknown> | undefined,
  parse?: (text: string) => T | undefined,
): Kind<T> {
  return {
    expected,
    type,
    check(found) {
      const chosen = choose(found);
      return chosen === undefined ? { path: [], found, expected } : chosen.check(found);
    },
    parse,
  };
}

export const anything: Kind<unknown> = { expected: 'anything', type: 'unknown', check: () => undefined };

/** An object, some of whose fields are of these kinds; others are not looked at. */
export function fields(kinds: Record<string, Kind<unknown>>): Kind<object> {
  return {
    expected: 'an object',
    type: 'object',
    check(found) {
      for (const [name, kind] of Object.entries(kinds)) {
        const value = (found as Record<string, unknown>)[name];
        const fault = value === undefined ? undefined : kind.check(value);
        if (fault) return { ...fault, path: [name, ...fault.path] };
      }
      return undefined;
    },
  };
}

/**
 * OpenTelemetry specification, "Attribute": primitives and arrays of one kind of them; undefined is left out.
 */
export const attributeValue = kind<unknown>(
  'a string, number, boolean or an array of one of them',
  'AttributeValue',
  isAttributeValue,
);

export const pattern = kind<string | RegExp>('a RegExp, or the source of one', 'string | RegExp', (value) => {
  return value instanceof RegExp || (typeof value === 'string' && compilePattern(value) !== undefined);
});

/** Undefined for what is no regular expression. */
export function compilePattern(source: string, flags?: string): RegExp | undefined {
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}

/** `unix:///path`, or gRPC's `unix:path`. */
export const isSocketUrl = (url: string) => /^unix:./i.test(url);

/** A URL of one of these protocols, like `https:`. */
export function urlOf(...protocols: string[]): Kind<string> {
  const accepts = (value: unknown) =>
    typeof value === 'string' && URL.canParse(value) && protocols.includes(new URL(value).protocol);
  const expected = `a URL that begins with ${oneOf(protocols.map((protocol) => `${protocol}//`))}`;
  return kind<string>(expected, 'string', accepts, (text) => (accepts(text) ? text : undefined));
}

/**
 * `http(s)://host:port/path`, `host:port` or `unix:///path`: what of it a protocol takes is that protocol's.
 */
export const endpoint = kind<string>(
  'a URL that begins with http:// or https://, host:port or unix:///path',
  'string',
  isEndpoint,
  (text) => (isEndpoint(text) ? text : undefined),
);

function isEndpoint(value: unknown): boolean {
  if (typeof value !== 'string') return false;
  if (isSocketUrl(value)) return true;
  return URL.canParse(value.includes('://') ? value : `https://${value}`) && /^(https?:\/\/|(?!.*:\/\/))/i.test(value);
}

/** RFC 9110, 5.6.2: what names of headers and methods are made of. */
const TOKEN = /^[!#$%&'*+.^_`|~\w-]+$/;

export const token = kind<string>(
  'a name without spaces and separators (RFC 9110, token)',
  'string',
  (value) => typeof value === 'string' && TOKEN.test(value),
  (text) => (TOKEN.test(text) ? text : undefined),
);

/** A port, or the path of a Unix socket or a Windows pipe, as hosts set `PORT`. */
export const portOrPath = kind<number | string>(
  'a port from 0 to 65535, or the path of a Unix socket',
  'number | string',
  () => true,
  (text) => (/^(\.{0,2}\/|\\\\[.?]\\pipe\\)./.test(text) ? text : port.parse!(text)),
);

export function isFunction(value: unknown): boolean {
  return typeof value === 'function';
}

export function hasMethods(value: unknown, ...names: string[]): boolean {
  return typeof value === 'object' && value !== null && names.every((name) => isFunction((value as never)[name]));
}

function isAttributeValue(value: unknown): boolean {
  if (!Array.isArray(value)) return value === undefined || isPrimitive(value);
  const items = value.filter((item) => item !== null && item !== undefined);
  return items.every((item) => isPrimitive(item) && typeof item === typeof items[0]);
}

function isPrimitive(value: unknown): boolean {
  return ['string', 'number', 'boolean'].includes(typeof value);
}
