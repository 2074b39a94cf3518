import { describeValue, ForktraceError } from '../errors.js';
import { warn } from '../warn.js';
import type { Kind } from './kinds.js';

/** Names, with their values, that this process has been warned about. */
const said = new Set<string>();

/**
 * Typed reads of environment variables. An empty one counts as not set.
 * (OpenTelemetry specification, "Environment Variable Specification": parsing an empty value)
 *
 * A variable of that specification with a value that is unknown or unusable is warned about once, by its
 * name, and counts as not set. An own one, `FORKTRACE_…`, stops the start: nobody else reads it, so it is a
 * mistake.
 */
export class Environment {
  readonly env: NodeJS.ProcessEnv;
  readonly #quiet: boolean;

  /** @param quiet another process has been told: the coordinator says for its workers what is wrong */
  constructor(env: NodeJS.ProcessEnv, quiet = false) {
    this.env = env;
    this.#quiet = quiet;
  }

  text(name: string): string | undefined {
    return this.env[name]?.trim() || undefined;
  }

  isSet(name: string): boolean {
    return this.text(name) !== undefined;
  }

  read<T>(name: string, kind: Kind<T>, secret = false): T | undefined {
    const found = this.text(name);
    if (found === undefined) return undefined;
    const value = kind.parse?.(found);
    if (value === undefined)
      this.unusable(name, secret ? 'a value that is not told' : describeValue(found), kind.expected);
    return value;
  }

  /** Comma-separated items, each once; those that are unusable are left out. */
  list<T>(name: string, kind: Kind<T>): T[] | undefined {
    const found = this.text(name);
    if (found === undefined) return undefined;
    const items = new Set<T>();
    for (const item of found.split(',')) {
      if (item.trim() === '') continue;
      const value = kind.parse!(item.trim());
      if (value === undefined)
        this.unusable(name, describeValue(item.trim()), `a comma-separated list of ${kind.expected}`);
      else items.add(value);
    }
    return [...items];
  }

  /**
   * `key=value,key=value`, both percent-encoded, as in W3C baggage without metadata. Undefined when a pair is
   * none: which one is said by its place, for it may be a secret.
   */
  pairs(name: string): Record<string, string> | undefined {
    const pairs: Record<string, string> = {};
    for (const [index, item] of (this.text(name)?.split(',') ?? []).entries()) {
      if (item.trim() === '') continue;
      const separator = item.indexOf('=');
      try {
        const key = decodeURIComponent(item.slice(0, Math.max(separator, 0)).trim());
        if (key === '') throw new Error('no key');
        pairs[key] = decodeURIComponent(item.slice(separator + 1).trim()).trim();
      } catch {
        this.unusable(
          name,
          `a list whose item ${index + 1} is no such pair`,
          'key=value pairs separated by commas, with other characters percent-encoded',
        );
        return undefined;
      }
    }
    return pairs;
  }

  /** A value that can't be used: the start stops, or goes on with the default. */
  unusable(name: string, found: string, expected: string): void {
    if (name.startsWith('FORKTRACE_')) throw new ForktraceError('FORKTRACE_ENV_INVALID', [name, found, expected]);
    this.say(
      name,
      'FORKTRACE_ENV_IGNORED',
      `Environment variable ${name}: got ${found}, expected ${expected}. It is ignored.`,
    );
  }

  /** Warns once for a name. */
  say(name: string, code: 'FORKTRACE_ENV_IGNORED' | 'FORKTRACE_ENV_UNKNOWN', message: string): void {
    const key = `${name}=${this.env[name]}`;
    if (said.has(key)) return;
    said.add(key);
    if (!this.#quiet) warn(code, message);
  }
}

/**
 * The first of the variables that has a usable value; all are read, so that a wrong one is told in any case.
 */
export function firstOf<T>(
  environment: Environment,
  names: readonly string[],
  kind: Kind<T>,
  secret = false,
): T | undefined {
  return names.map((name) => environment.read(name, kind, secret)).find((value) => value !== undefined);
}
