/**
 * Which instrumentations an app has installed: what a process without any pays is one look into a directory
 * per level.
 *
 * @module
 */
import { readdirSync, realpathSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { programPath } from '../process/program.js';
import { modulesDirectories, type Package, packageIn } from './package-manifest.js';

export const META_PACKAGE = '@opentelemetry/auto-instrumentations-node';
export const PREFIX = '@opentelemetry/instrumentation-';

/** For browsers: they have no business in Node.js. */
const FOR_BROWSERS = new Set(
  ['browser-navigation', 'document-load', 'fetch', 'long-task', 'user-interaction', 'web-exception'].concat(
    'xml-http-request',
  ),
);

/** The directory of the program that runs, where what the app has installed is found from. */
export function appDirectory(env: NodeJS.ProcessEnv = process.env): string {
  // Under pm2 the program is its process container, until that has loaded the app.
  const program = env.pm_exec_path ?? programPath();
  if (program === undefined) return process.cwd();
  try {
    return dirname(realpathSync(resolve(program)));
  } catch {
    return process.cwd();
  }
}

/**
 * The meta package alone, where the app has it: it knows which instrumentations it means. Else each installed
 * `@opentelemetry/instrumentation-…`, the nearest of two.
 */
export function installedInstrumentations(from: string): Package[] {
  const found = new Map<string, string>();
  for (const modules of modulesDirectories(from)) {
    const scope = join(modules, '@opentelemetry');
    for (const entry of entriesOf(scope)) {
      const name = `@opentelemetry/${entry}`;
      const isWanted =
        name === META_PACKAGE || (name.startsWith(PREFIX) && !FOR_BROWSERS.has(name.slice(PREFIX.length)));
      if (isWanted && !found.has(name)) found.set(name, join(scope, entry));
    }
  }
  const dirs = found.has(META_PACKAGE) ? [found.get(META_PACKAGE)!] : [...found.values()].sort();
  return dirs.map(packageIn).filter((one) => one !== undefined);
}

function entriesOf(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
