import { createRequire, isBuiltin, syncBuiltinESMExports } from 'node:module';
import type { Instrumentation, ModuleDefinition } from './instrumentation.js';

const require = createRequire(import.meta.url);

/**
 * Instrumentations patch a builtin when it is required next; ES modules have bindings of their own, which
 * follow.
 */
export function patchBuiltins(instrumentations: readonly Instrumentation[]): void {
  let isAnyPatched = false;
  for (const instrumentation of instrumentations) {
    const modules = (instrumentation._modules ?? []).filter(({ name }) => isBuiltin(name));
    if (modules.length === 0) continue;
    isAnyPatched = true;
    if (typeof instrumentation._onRequire === 'function') patchOnce(instrumentation, modules);
    else for (const { name } of modules) require(name);
    offerBuiltins(instrumentation);
  }
  if (isAnyPatched) syncBuiltinESMExports();
}

/**
 * When the app requires it, the hook calls once more: what others have wrapped since would be wrapped again.
 */
function patchOnce(instrumentation: Instrumentation, modules: readonly ModuleDefinition[]): void {
  const onRequire = instrumentation._onRequire!;
  const builtins = new Map(modules.map((module) => [module, process.getBuiltinModule(module.name) as unknown]));
  for (const [module, exports] of builtins) onRequire.call(instrumentation, module, exports, module.name);
  instrumentation._onRequire = (module, exports, ...rest) =>
    builtins.get(module) === exports ? exports : onRequire.call(instrumentation, module, exports, ...rest);
}

const offering = new WeakSet<object>();

/**
 * The hook of `require` shows a builtin once, to those that are registered then. Without ours it would come
 * into being with the first instrumentation of the app, and that would see `http`: so one that is registered
 * later gets it at once.
 */
function offerBuiltins({ _requireInTheMiddleSingleton: hook }: Instrumentation): void {
  if (typeof hook?.register !== 'function' || offering.has(hook)) return;
  offering.add(hook);
  const { register } = hook;
  hook.register = (name, onRequire) => {
    const hooked = register.call(hook, name, onRequire);
    if (isBuiltin(name)) {
      onRequire(process.getBuiltinModule(name), name);
      syncBuiltinESMExports();
    }
    return hooked;
  };
}
