/**
 * The shape of an entry in the table of options, and the types that follow from one.
 *
 * @module
 */
import type { Kind } from './kinds.js';

/** Everything that there is to say about one option. */
export interface Option<T = unknown, Default extends T | undefined = T | undefined> {
  readonly kind: Kind<T>;
  /** One sentence or two: what it does. */
  readonly about: string;
  readonly unit?: 'ms' | 'bytes';
  readonly default: Default;
  /** The default in words, where it is not a plain value. */
  readonly otherwise?: string;
  /**
   * The variables that say the same, the first that is set wins. A wrong `FORKTRACE_…` stops the start,
   * others are warned about.
   */
  readonly variables: readonly string[];
  /** Its value is never in a message. */
  readonly secret: boolean;
}

/** Options below one name. */
export interface OptionGroup<Entries extends Options = Options, Toggle extends boolean = boolean> {
  /** Its type in TypeScript. */
  readonly typeName: string;
  readonly about: string;
  readonly entries: Entries;
  /** `true` and `false` are taken too: all defaults, or nothing. */
  readonly toggle: Toggle;
  readonly otherwise?: string;
  readonly variables: readonly string[];
}

export type Options = { readonly [name: string]: Option | OptionGroup };

interface Details {
  about: string;
  unit?: 'ms' | 'bytes';
  otherwise?: string;
  variable?: string | readonly string[];
  secret?: true;
}

export function option<T>(kind: Kind<T>, details: Details & { default: NoInfer<T> }): Option<T, T>;
export function option<T>(kind: Kind<T>, details: Details): Option<T, undefined>;
export function option<T>(kind: Kind<T>, details: Details & { default?: T }): Option<T> {
  const { variable = [], secret = false, ...rest } = details;
  return { kind, default: undefined, secret, ...rest, variables: typeof variable === 'string' ? [variable] : variable };
}

export function group<Entries extends Options>(
  typeName: string,
  about: string,
  entries: Entries,
): OptionGroup<Entries, false> {
  return { typeName, about, entries, toggle: false, variables: [] };
}

/** A group that `true` and `false` stand for too. */
export function toggle<Entries extends Options>(
  typeName: string,
  { about, otherwise, variable }: { about: string; otherwise: string; variable?: string },
  entries: Entries,
): OptionGroup<Entries, true> {
  return { typeName, about, otherwise, entries, toggle: true, variables: variable ? [variable] : [] };
}

export function isGroup(entry: Option | OptionGroup): entry is OptionGroup {
  return 'entries' in entry;
}

/** What a user may give for a table. The generated types are checked against it. */
export type ConfigOf<Table extends Options> = {
  [Name in keyof Table]?: Table[Name] extends OptionGroup<infer Entries, infer Toggle>
    ? ConfigOf<Entries> | (Toggle extends true ? boolean : never)
    : Table[Name] extends Option<infer T, infer _>
      ? T
      : never;
};

/** What a table comes to: given, else of the environment, else the default. */
export type ValuesOf<Table extends Options> = {
  readonly [Name in keyof Table]: Table[Name] extends OptionGroup<infer Entries, infer _>
    ? ValuesOf<Entries>
    : Table[Name] extends Option<infer T, infer Default>
      ? Default extends undefined
        ? T | undefined
        : T
      : never;
};
