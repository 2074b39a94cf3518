import type { Environment } from './environment.js';
import { nearestName } from './nearest-name.js';
import { isBlock, type Options } from './option.js';
import { options } from './options/table.js';
import { own, specification, type Variable } from './variables.js';

/** Warns about own variables that do not exist, and about those of OpenTelemetry that have no effect here. */
export function sayUnknownVariables(environment: Environment): void {
  let known: string[] | undefined;
  for (const name of Object.keys(environment.env)) {
    if (name.startsWith('FORKTRACE_')) {
      known ??= ownVariables();
      if (known.includes(name)) continue;
      const meant = nearestName(name, known);
      const hint = meant ? `did you mean ${meant}?` : 'docs/environment.md lists them.';
      environment.say(name, 'FORKTRACE_ENV_UNKNOWN', `Environment variable ${name} is none of forktrace's: ${hint}`);
    } else if (name.startsWith('OTEL_') && environment.isSet(name)) {
      const { status, about } = (specification as Record<string, Variable>)[name] ?? {};
      if (status !== 'warned') continue;
      environment.say(name, 'FORKTRACE_ENV_IGNORED', `Environment variable ${name} has no effect. ${about}`);
    }
  }
}

/** Every `FORKTRACE_…` that means something. */
export function ownVariables(): string[] {
  return [...Object.keys(own), ...variablesOf(options).filter((name) => name.startsWith('FORKTRACE_'))];
}

/** The variables of a table's options. */
export function variablesOf(table: Options): string[] {
  return Object.values(table).flatMap((entry) => [
    ...entry.variables,
    ...(isBlock(entry) ? variablesOf(entry.entries) : []),
  ]);
}
