/**
 * Checks of messages that come from another process. The other side may be an app's own code, or another
 * version of forktrace: a message that is not what it should be is ignored, and so is a kind that this
 * version does not know.
 *
 * @module
 */

export type Check = (value: unknown) => boolean;

/** One check per field: a field that has none is an error of the compiler. */
type Checks<Fields> = { readonly [Field in keyof Fields]-?: Check };

type Kinds<Message, Tag extends keyof Message> = {
  readonly [Kind in Message[Tag] & string]: Checks<Omit<Extract<Message, Record<Tag, Kind>>, Tag>>;
};

/**
 * Makes the parser of a union of messages that are told apart by the field `tag`.
 *
 * @returns a function that returns the message as it came, or undefined when it is none of the union
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

/** JSON leaves undefined fields out, and makes null of what it cannot say. */
export const orNothing =
  (check: Check): Check =>
  (value) =>
    value === undefined || value === null || check(value);

export const isOneOf =
  (values: readonly unknown[]): Check =>
  (value) =>
    values.includes(value);

/** A list of what `check` takes. */
export const isArrayOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

export function isObjectOf<Fields>(checks: Checks<Fields>): Check {
  return (value) => typeof value === 'object' && value !== null && hasFields(value, checks as Record<string, Check>);
}
