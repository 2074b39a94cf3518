/**
 * Shows instrumentations what ES modules import: `import-in-the-middle`, which they get modules from, needs a
 * hook in Node's module loader. It is set up for what the instrumentations name and for nothing else: a
 * module that it wraps is not always the module that it was, so wrapping everything breaks apps that no
 * instrumentation looks at.
 *
 * @module
 */
import module, { createRequire, isBuiltin } from 'node:module';
import { dirname, isAbsolute, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { Instrumentation, ModuleDefinition } from './instrumentation.js';
import { packageIn } from './package-manifest.js';
import { isInRange } from './version-range.js';

const require = createRequire(import.meta.url);

/** The loader's hooks of one copy of import-in-the-middle. */
interface LoaderHook {
  /** Module names, file URLs, and patterns of file URLs. */
  include(names: readonly (string | RegExp)[]): void;
}

const hooks = new Map<string, LoaderHook>();

/** Before the modules are imported. In one process as often as there are new instrumentations. */
export function hookLoader(instrumentations: readonly Instrumentation[]): void {
  const names = instrumentations.flatMap(({ _modules = [] }) => _modules.flatMap(matchersOf));
  if (names.length === 0 || hooksEverything()) return;
  for (const dir of copiesInUse()) {
    const known = hooks.get(dir);
    if (known === undefined) hooks.set(dir, setUp(dir, names));
    else known.include(names);
  }
}

/** Builtins are patched in place, for ES modules and CommonJS alike: see {@link patchBuiltins}. */
function matchersOf({ name, files = [] }: ModuleDefinition): (string | RegExp)[] {
  if (isBuiltin(name)) return [];
  return [isAbsolute(name) ? pathToFileURL(name).href : name, ...files.map((file) => fileMatcher(file.name))];
}

/** `pg/lib/client.js`, wherever the package lies. */
function fileMatcher(file: string): RegExp {
  const path = file.replaceAll('\\', '/').replace(/[.*+?^${}()|[\]]/g, '\\$&');
  return new RegExp(`/node_modules/${path}(\\.[cm]?js)?$`);
}

/** The user has set up the same hook, for every module. */
function hooksEverything(): boolean {
  const options = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  return /(instrumentation|import-in-the-middle)\/hook\.mjs/.test(options);
}

/** Instrumentations of several lines bring a copy each; constructing them has loaded it. */
function copiesInUse(): string[] {
  return Object.keys(require.cache)
    .filter((file) => /[\\/]import-in-the-middle[\\/]index\.js$/.test(file))
    .map((file) => dirname(file));
}

function setUp(dir: string, names: readonly (string | RegExp)[]): LoaderHook {
  return inThread(dir, names) ?? inLoaderThread(dir, names);
}

/** Node.js 22.22.3, 24.11.1, 26 and later; import-in-the-middle 3.2 and later. */
function inThread(dir: string, names: readonly (string | RegExp)[]): LoaderHook | undefined {
  if (!('registerHooks' in module) || !isInRange(packageIn(dir)?.version ?? '0.0.0', '>=3.2.0')) return undefined;
  const { register, supportsSyncHooks } = require(join(dir, 'register-hooks.mjs'));
  if (!supportsSyncHooks()) return undefined;
  const exact = new Set<string>();
  const patterns: RegExp[] = [];
  const include = (names: readonly (string | RegExp)[]) => {
    for (const name of names) typeof name === 'string' ? exact.add(name) : patterns.push(name);
  };
  include(names);
  register({
    shouldInclude: (url: string, specifier: string) =>
      exact.has(specifier) || exact.has(url) || patterns.some((pattern) => pattern.test(url)),
  });
  return { include };
}

/** Resolves modules in a thread of its own, which hears of more by messages. */
function inLoaderThread(dir: string, names: readonly (string | RegExp)[]): LoaderHook {
  const { port1, port2 } = new MessageChannel();
  port1.unref();
  withoutDeprecation(() =>
    module.register<{ addHookMessagePort: MessagePort; include: unknown[] }>(pathToFileURL(join(dir, 'hook.mjs')), {
      data: { addHookMessagePort: port2, include: [...names] },
      transferList: [port2],
    }),
  );
  return { include: (names) => port1.postMessage(names.filter((name) => typeof name === 'string')) };
}

/** `module.register` is deprecated from Node.js 26 on; where it is used it is all there is. */
function withoutDeprecation(action: () => void): void {
  const { noDeprecation } = process;
  process.noDeprecation = true;
  try {
    action();
  } finally {
    process.noDeprecation = noDeprecation ?? false;
  }
}
