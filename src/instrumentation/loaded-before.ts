import { createRequire, isBuiltin } from 'node:module';
import { warn } from '../warn.js';
import type { Instrumentation } from './instrumentation.js';

const require = createRequire(import.meta.url);

/** forktrace's own exporters use it. */
const OURS = '@grpc/grpc-js';

/**
 * Packages that these instrumentations are for and that are loaded already. Of ES modules Node keeps no list:
 * those are not found.
 */
export function loadedPackages(instrumentations: readonly Instrumentation[]): string[] {
  const loaded = new Set<string>();
  for (const file of Object.keys(require.cache)) {
    const path = file.replaceAll('\\', '/');
    const name = /^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
    if (name !== undefined) loaded.add(name);
  }
  const names = instrumentations.flatMap(({ _modules = [] }) => _modules.map(({ name }) => name));
  return [...new Set(names)].filter((name) => !isBuiltin(name) && name !== OURS && loaded.has(name)).sort();
}

/** An instrumentation sees what is loaded after it. */
export function warnOfLoaded(names: readonly string[]): void {
  if (names.length === 0) return;
  const were = names.length > 1 ? 'were' : 'was';
  warn(
    'FORKTRACE_LOADED_TOO_EARLY',
    `${names.join(', ')} ${were} loaded before ${names.length > 1 ? 'their instrumentations' : 'its instrumentation'} and may have no spans. Start with node --import forktrace/register, or give startClusterWithTracing the app as the URL of its module.`,
  );
}
