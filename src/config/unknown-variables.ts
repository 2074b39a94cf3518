import type { Environment } from './environment.js';
import { nearestName } from './nearest-name.js';
import { isGroup, type Options } from './option.js';
import { options } from './options/table.js';
import { own, type Variable, variableOf } from './variables.js';

/**
 * Warns about own variables that do not exist, about those of OpenTelemetry that have no effect here, and
 * about wrong values of those that this configuration has no use for: the next one may.
 */
export function sayUnknownVariables(environment: Environment): void {
  let known: string[] | undefined;
  for (const name of Object.keys(environment.env)) {
    if (name.startsWith('FORKTRACE_')) {
      known ??= ownVariables();
      if (!known.includes(name)) sayUnknown(environment, name, nearestName(name, known));
    } else if (name.startsWith('OTEL_') && environment.isSet(name)) {
      check(environment, name, variableOf(name));
    }
  }
}

function sayUnknown(environment: Environment, name: string, meant: string | undefined): void {
  const hint = meant ? `Did you mean ${meant}?` : 'docs/environment.md lists the known ones.';
  environment.say(name, 'FORKTRACE_ENV_UNKNOWN', `Environment variable ${name} is unknown. ${hint}`);
}

function check(environment: Environment, name: string, variable: Variable | undefined): void {
  if (variable?.status === 'warned') {
    const message = `Environment variable ${name} has no effect. ${variable.about}`;
    environment.say(name, 'FORKTRACE_ENV_IGNORED', message);
  } else if (variable?.kind) {
    if (variable.list) environment.list(name, variable.kind);
    else environment.read(name, variable.kind, variable.secret);
  } else if (name.endsWith('_HEADERS') && variable) environment.pairs(name);
}

/** Every `FORKTRACE_…` that means something. */
export function ownVariables(): string[] {
  return [...Object.keys(own), ...variablesOf(options).filter((name) => name.startsWith('FORKTRACE_'))];
}

/** The variables of a table's options. */
export function variablesOf(table: Options): string[] {
  return Object.values(table).flatMap((entry) => [
    ...entry.variables,
    ...(isGroup(entry) ? variablesOf(entry.entries) : []),
  ]);
}
