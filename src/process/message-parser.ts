/**
 * Checks of messages that come from another process, which may be the app's own code or another version of
 * forktrace. A malformed message, and a kind that this version does not know, is ignored.
 *
 * @module
 */

export type Check = (value: unknown) => boolean;

/** One check per field. A missing one is an error of the compiler. */
type Checks<Fields> = { readonly [Field in keyof Fields]-?: Check };

type Kinds<Message, Tag extends keyof Message> = {
  readonly [Kind in Message[Tag] & string]: Checks<Omit<Extract<Message, Record<Tag, Kind>>, Tag>>;
};

/**
 * Makes a parser of messages whose kinds are told apart by the field `tag`.
 *
 * @returns a function that returns the message unchanged, or undefined when it is malformed or of an unknown
 * kind
 */
export function messageParser<Message extends object, Tag extends keyof Message & string>(
  tag: Tag,
  kinds: Kinds<Message, Tag>,
): (value: unknown) => Message | undefined {
  const byKind = new Map(Object.entries(kinds) as [unknown, Record<string, Check>][]);
  return (value) => {
    if (typeof value !== 'object' || value === null) return undefined;
    const checks = byKind.get((value as Record<string, unknown>)[tag]);
    return checks !== undefined && hasFields(value, checks) ? (value as Message) : undefined;
  };
}

function hasFields(value: object, checks: Record<string, Check>): boolean {
  return Object.entries(checks).every(([field, check]) => check((value as Record<string, unknown>)[field]));
}

export const isNumber: Check = Number.isFinite;
export const isText: Check = (value) => typeof value === 'string';
export const isFlag: Check = (value) => typeof value === 'boolean';

/**
 * Takes undefined and null, too: JSON leaves undefined fields out, and writes null for what it cannot
 * represent.
 */
export const orNothing =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value);

export const isOneOf =
  (values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);

/** An array whose items pass `check`. */
export const isArrayOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

export function isObjectOf<Fields>(checks: Checks<Fields>): Check {
  return (value) => typeof value === 'object' && value !== null && hasFields(value, checks as Record<string, Check>);
}
