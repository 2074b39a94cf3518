import { describeValue, ForktraceError } from '../errors.js';

/**
 * Typed reads of environment variables. An empty one counts as not set.
 * (OpenTelemetry specification, "Environment Variable Specification": parsing an empty value)
 *
 * Where that specification says "warn and ignore" for a wrong value, this throws: nobody reads a warning at start, and a
 * sampler that was ignored costs money.
 */
export class Environment {
  readonly #env: NodeJS.ProcessEnv;

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env;
  }

  text(name: string): string | undefined {
    return this.#env[name]?.trim() || undefined;
  }

  /** The first of `names` that is set. */
  firstSet(...names: string[]): string | undefined {
    return names.find((name) => this.text(name) !== undefined);
  }

  boolean(name: string): boolean | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const lower = text.toLowerCase();
    if (lower !== 'true' && lower !== 'false') throw wrong(name, text, 'true or false');
    return lower === 'true';
  }

  oneOf<const Value extends string>(name: string, values: readonly Value[]): Value | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = values.find((each) => each === text.toLowerCase());
    if (value === undefined) throw wrong(name, text, oneOf(values));
    return value;
  }

  whole(name: string, least: number, most: number = Number.MAX_SAFE_INTEGER): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) throw wrong(name, text, wholeNumber(least, most));
    return value;
  }

  ratio(name: string): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!(value >= 0 && value <= 1)) throw wrong(name, text, 'a number from 0 to 1');
    return value;
  }

  /** Comma-separated names, each once. */
  list<const Value extends string>(name: string, values: readonly Value[]): Value[] | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const items = text.split(',').map((item) => item.trim().toLowerCase());
    for (const item of items) {
      if (!values.includes(item as Value)) throw wrong(name, item, `a comma-separated list of ${oneOf(values)}`);
    }
    return [...new Set(items as Value[])];
  }

  /**
   * `key=value,key=value`, both percent-encoded, as in W3C baggage without metadata. The error names the place, not the
   * value, which may be a secret.
   */
  pairs(name: string): Record<string, string> {
    const text = this.text(name);
    const pairs: Record<string, string> = {};
    for (const [index, item] of (text?.split(',') ?? []).entries()) {
      if (item.trim() === '') continue;
      const separator = item.indexOf('=');
      try {
        const key = decodeURIComponent(item.slice(0, Math.max(separator, 0)).trim());
        if (key === '') throw new Error('no key');
        pairs[key] = decodeURIComponent(item.slice(separator + 1).trim());
      } catch {
        const expected = 'key=value pairs separated by commas, with other characters percent-encoded';
        throw new ForktraceError('FORKTRACE_ENV_INVALID', [
          name,
          `a list whose item ${index + 1} is no such pair`,
          expected,
        ]);
      }
    }
    return pairs;
  }
}

function wrong(name: string, text: string, expected: string): ForktraceError {
  return new ForktraceError('FORKTRACE_ENV_INVALID', [name, describeValue(text), expected]);
}

/** "a, b or c". */
export function oneOf(values: readonly string[]): string {
  return values.length < 2 ? values.join() : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

/** "a whole number from 1", "a whole number from 0 to 65535". */
export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): string {
  return `a whole number from ${least}${most === Number.MAX_SAFE_INTEGER ? '' : ` to ${most}`}`;
}
