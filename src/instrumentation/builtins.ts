import { createRequire, isBuiltin, syncBuiltinESMExports } from 'node:module';
import type { Instrumentation } from './instrumentation.js';

const require = createRequire(import.meta.url);

/**
 * Instrumentations patch a builtin when it is required next; ES modules have bindings of their own, which
 * follow.
 */
export function patchBuiltins(instrumentations: readonly Instrumentation[]): void {
  const builtins = new Set(
    instrumentations.flatMap(({ _modules = [] }) => _modules.map(({ name }) => name)).filter((name) => isBuiltin(name)),
  );
  for (const name of builtins) require(name);
  if (builtins.size > 0) syncBuiltinESMExports();
}
