import { describeValue, ForktraceError } from '../errors.js';
import { type Environment, firstOf } from './environment.js';
import type { Mismatch } from './kinds.js';
import { nearestName } from './nearest-name.js';
import { type ConfigOf, isGroup, type Option, type OptionGroup, type Options, type ValuesOf } from './option.js';

/**
 * A table's options as they are given, else as their variables have them, else by default.
 *
 * @param path the table's place among all options: '' or `http`
 * @throws ForktraceError with code FORKTRACE_CONFIG_INVALID for the first option that is wrong or unknown,
 * FORKTRACE_ENV_INVALID for an own variable that is
 */
export function readOptions<Table extends Options>(
  table: Table,
  config: ConfigOf<Table> | undefined,
  environment: Environment,
  path = '',
): ValuesOf<Table> {
  if (config !== undefined) checkOptions(table, config, path);
  return valuesOfTable(table, (config ?? {}) as Record<string, unknown>, environment) as ValuesOf<Table>;
}

function valuesOfTable(table: Options, config: Record<string, unknown>, environment: Environment): object {
  const values: Record<string, unknown> = {};
  for (const [name, entry] of Object.entries(table)) {
    const given = config[name];
    values[name] = isGroup(entry)
      ? valuesOfTable(entry.entries, typeof given === 'object' ? (given as never) : {}, environment)
      : // The variable is read where config beats it, too: a wrong one is told in any case.
        optionValue(entry, given, environment);
  }
  return Object.freeze(values);
}

function optionValue({ kind, variables, secret, default: fallback }: Option, given: unknown, environment: Environment) {
  // PORT and WEB_CONCURRENCY are the app's, too: read where the process serves.
  const names = variables.filter((name) => /^(FORKTRACE|OTEL)_/.test(name));
  const found = kind.item
    ? names.map((name) => environment.list(name, kind.item!)).find((value) => value !== undefined)
    : firstOf(environment, names, kind, secret);
  return given ?? found ?? fallback;
}

function checkOptions(table: Options, config: unknown, path: string): void {
  if (typeof config !== 'object' || config === null)
    throw wrong(path, { path: [], found: config, expected: 'an object of options' });
  for (const [name, value] of Object.entries(config)) {
    const at = path === '' ? name : `${path}.${name}`;
    const entry = Object.hasOwn(table, name) ? table[name]! : undefined;
    if (entry === undefined) throw unknownName(at, name, Object.keys(table));
    if (value === undefined) continue;
    if (isGroup(entry)) checkGroup(entry, value, at);
    else {
      const fault = entry.kind.check(value);
      if (fault) throw wrong(at, fault, entry.secret);
    }
  }
}

function checkGroup({ entries, toggle }: OptionGroup, value: unknown, at: string): void {
  if (toggle && typeof value !== 'object') {
    if (typeof value === 'boolean') return;
    throw wrong(at, { path: [], found: value, expected: 'true, false or an object of options' });
  }
  checkOptions(entries, value, at);
}

function unknownName(at: string, name: string, known: string[]): ForktraceError {
  const meant = nearestName(name, known);
  const expected = meant ? `${meant} (did you mean that?)` : `one of ${known.join(', ')}`;
  return new ForktraceError('FORKTRACE_CONFIG_INVALID', [at, 'an unknown name', expected]);
}

function wrong(at: string, { path, found, expected }: Mismatch, secret = false): ForktraceError {
  const name = path.reduce<string>((before, part) => {
    if (typeof part === 'number') return `${before}[${part}]`;
    return `${before}.${/^[\w@/-]+$/.test(part) ? part : JSON.stringify(part)}`;
  }, at);
  const shown = secret ? `a ${typeof found} that is not shown` : describeValue(found);
  return new ForktraceError('FORKTRACE_CONFIG_INVALID', [name || '(all)', shown, expected]);
}
