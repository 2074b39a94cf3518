import { createRequire } from 'node:module';
import { join } from 'node:path';
import { programPath } from '../process/program.js';

/** Packages that the app installs, found from the program and from where it runs, then from here. */
function resolvers(): NodeJS.Require[] {
  const program = programPath();
  return [...(program ? [program] : []), join(process.cwd(), 'package.json'), import.meta.url].map((from) =>
    createRequire(from),
  );
}

function resolvePackage(name: string): string | undefined {
  for (const require of resolvers()) {
    try {
      return require.resolve(name);
    } catch {
      // Not there: the next place.
    }
  }
  return undefined;
}

export function isInstalled(name: string): boolean {
  return resolvePackage(name) !== undefined;
}

/** Loads a package that {@link isInstalled}. */
export function requireOptional(name: string): Record<string, unknown> {
  return createRequire(import.meta.url)(resolvePackage(name) ?? name);
}
