/**
 * Where the files of this package are: the programs that run beside the app, the shipper and the viewer, and
 * the preload that workers get. A program is started only from there. Code that a bundler has put elsewhere
 * would find another file by that name, at worst the bundle itself, and start it again and again.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ForktraceError } from './errors.js';

const found = readManifest();
if (found?.name !== 'forktrace') throw new ForktraceError('FORKTRACE_BUNDLED', [process.argv[1] ?? 'this program']);

/** This package's version, from its package.json. */
export const version: string = found.version;

/**
 * The path of a compiled file of this package.
 *
 * @param file below dist, such as `shipper/main.js`
 */
export function ownFile(file: string): string {
  return fileURLToPath(new URL(file, import.meta.url));
}

function readManifest(): { name: string; version: string } | undefined {
  try {
    return JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  } catch {
    return undefined;
  }
}
