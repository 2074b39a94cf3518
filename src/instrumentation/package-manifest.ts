import { readFileSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** A package on disk, by its package.json. */
export interface Package {
  readonly name: string;
  readonly version: string;
  /** Without symbolic links: what it depends on is found from there. */
  readonly dir: string;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly engines: Readonly<Record<string, string>>;
}

/** The package in that directory, undefined where there is none. */
export function packageIn(dir: string): Package | undefined {
  try {
    const real = realpathSync(dir);
    const manifest = JSON.parse(readFileSync(join(real, 'package.json'), 'utf8'));
    const { name, version, peerDependencies = {}, engines = {} } = manifest;
    return typeof version === 'string' ? { name, version, dir: real, peerDependencies, engines } : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The package that a file in `from` gets for a name. By the file system: `exports` hides a package.json from
 * `require`.
 */
export function packageFrom(from: string, name: string): Package | undefined {
  for (const dir of modulesDirectories(from)) {
    const found = packageIn(join(dir, name));
    if (found !== undefined) return found;
  }
  return undefined;
}

/** Where Node looks for packages, nearest first. */
export function* modulesDirectories(from: string): Generator<string> {
  for (let dir = from; ; dir = dirname(dir)) {
    yield join(dir, 'node_modules');
    if (dir === dirname(dir)) return;
  }
}
