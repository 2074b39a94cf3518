/**
 * What a program that speaks the Model Context Protocol can ask for, and the check of what it asks with.
 *
 * @module
 */

/** One argument, as JSON Schema describes it. */
export type Argument = { description: string } & (
  | { type: 'string'; enum?: readonly string[]; pattern?: string }
  | { type: 'integer'; minimum: number; maximum: number }
);

export type Arguments = Record<string, string | number | undefined>;

export interface Tool {
  name: string;
  title: string;
  /** For the model: what it gets, and when to ask for it. */
  description: string;
  properties: Record<string, Argument>;
  required?: readonly string[];
  /** @returns text for the model; what it throws is told as the tool's error */
  run(given: Arguments): string | Promise<string>;
}

/**
 * @returns the arguments of a call, checked against what the tool takes
 * @throws Error that says what is wrong with which of them
 */
export function checkedArguments({ name, properties, required = [] }: Tool, given: object): Arguments {
  for (const [key, value] of Object.entries(given)) {
    const argument = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (argument === undefined) {
      throw new Error(`${name} takes no ${key}; it takes ${Object.keys(properties).join(', ') || 'no arguments'}`);
    }
    const wrong = mistakeOf(argument, value);
    if (wrong !== undefined) throw new Error(`${name}: ${key} is to be ${wrong}, but is ${JSON.stringify(value)}`);
  }
  const missing = required.find((key) => !Object.hasOwn(given, key));
  if (missing !== undefined) throw new Error(`${name} needs ${missing}`);
  return given as Arguments;
}

function mistakeOf(argument: Argument, value: unknown): string | undefined {
  if (argument.type === 'integer') {
    const { minimum, maximum } = argument;
    const isRight = Number.isInteger(value) && (value as number) >= minimum && (value as number) <= maximum;
    return isRight ? undefined : `a whole number from ${minimum} to ${maximum}`;
  }
  if (typeof value !== 'string') return 'a text';
  if (argument.enum !== undefined && !argument.enum.includes(value)) return `one of ${argument.enum.join(', ')}`;
  const { pattern } = argument;
  return pattern === undefined || new RegExp(pattern).test(value) ? undefined : `a text that matches ${pattern}`;
}
