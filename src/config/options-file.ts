/**
 * Options from a file: for ways of starting that have no place for them in code, as a preload or a process
 * manager.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { ForktraceError } from '../errors.js';
import type { TracingConfig } from './types.js';

export const OPTIONS_FILE_VARIABLE = 'FORKTRACE_CONFIG_FILE';

/**
 * The file's options, where code has set none. Blocks are merged option by option.
 *
 * @throws ForktraceError with code FORKTRACE_ENV_INVALID when the file cannot be read
 */
export function withOptionsFile(config: TracingConfig, env: NodeJS.ProcessEnv): TracingConfig {
  const path = env[OPTIONS_FILE_VARIABLE];
  if (path === undefined || path === '') return config;
  return merged(readOptionsFile(resolve(path)), config);
}

/** A JSON file, or a module (ES or CommonJS) whose default export the options are. */
function readOptionsFile(path: string): TracingConfig {
  let found: unknown;
  try {
    found = path.endsWith('.json') ? JSON.parse(readFileSync(path, 'utf8')) : loadModule(path);
  } catch (cause) {
    throw unusable(path, (cause as Error).message, cause);
  }
  if (!isPlain(found)) throw unusable(path, 'something else', undefined);
  return found;
}

/** Every supported Node requires ES modules. */
function loadModule(path: string): unknown {
  const module = createRequire(import.meta.url)(path);
  return module.default ?? module;
}

function merged(file: object, code: object): object {
  const result: Record<string, unknown> = { ...file };
  for (const [name, value] of Object.entries(code)) {
    const below = result[name];
    if (value !== undefined) result[name] = isPlain(below) && isPlain(value) ? merged(below, value) : value;
  }
  return result;
}

/** An object of options, not an instance of something that an option takes. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

function unusable(path: string, found: string, cause: unknown): ForktraceError {
  const expected = 'a JSON file, or a module whose default export is an object of options';
  return new ForktraceError('FORKTRACE_ENV_INVALID', [OPTIONS_FILE_VARIABLE, `${path} (${found})`, expected], {
    cause,
  });
}
