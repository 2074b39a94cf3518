/**
 * The copies of `@opentelemetry/api` in this process. Each has its own stand-in for a provider that is yet to
 * come; what is registered they share, but one of a newer version does not see what an older one has
 * registered. Version 1.10 is two copies in itself: one for ES modules, one for CommonJS.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { types } from 'node:util';
import * as own from '@opentelemetry/api';
import { programPath } from '../process/program.js';
import { appDirectory } from './installed.js';
import { modulesDirectories, packageIn } from './package-manifest.js';

export type Api = typeof own;

export interface ApiCopy {
  readonly api: Api;
  readonly version: string;
  /** Where its package is. */
  readonly dir: string;
}

const NAME = '@opentelemetry/api';
const IN_PACKAGE = /^.*[\\/]@opentelemetry[\\/]api(?=[\\/])/;

const require = createRequire(import.meta.url);

/**
 * Those that are loaded, newest first; our own one is the first of its version.
 *
 * @param load also the one that the app's program gets
 */
export function apiCopies(load = false): readonly ApiCopy[] {
  const copies = new Map<unknown, ApiCopy>();
  const add = (file: string | undefined, api: Api | undefined) => {
    const dir = file === undefined ? undefined : IN_PACKAGE.exec(file)?.[0];
    const version = dir === undefined ? undefined : packageIn(dir)?.version;
    if (api?.trace && version !== undefined && !copies.has(api.trace))
      copies.set(api.trace, { api, version, dir: dir! });
  };
  const ofRequire = resolved(require);
  // What a bundle of ours imports lacks the parts that are newer than it.
  add(ofRequire, (ofRequire === undefined ? undefined : loaded(require, ofRequire)) ?? own);
  // What forktrace is bundled as gets the copy for CommonJS.
  const ofImport = entryOf(ofRequire, false);
  if (ofImport !== undefined && ofImport !== ofRequire) add(ofImport, loaded(require, ofImport));
  for (const [file, module] of Object.entries(require.cache)) {
    // Its entry alone has all parts.
    if (IN_PACKAGE.test(file) && module?.exports?.trace && module.exports.propagation) add(file, module.exports);
  }
  if (load) {
    const ofApp = createRequire(join(appDirectory(), 'package.json'));
    const file = entryOf(resolved(ofApp), isCommonJs(programPath()));
    if (file !== undefined) add(file, loaded(ofApp, file));
  }
  return [...copies.values()].sort((a, b) => minor(b.version) - minor(a.version));
}

/** Under tsx `require` makes a second copy of an ES module, and what `import` gets cannot be had. */
let hasOtherModules = false;

const isModule = (file: string) => /\.mjs($|\?)/.test(file);

/** Whether this is a file of a copy that {@link apiCopies} cannot find. */
export function isOutOfReach(file: string): boolean {
  return hasOtherModules && isModule(file);
}

/** What is registered for all copies. Source: `internal/global-utils` of the API. */
export function registeredGlobal(part: 'trace' | 'version'): unknown {
  return (globalThis as Record<symbol, Record<string, unknown> | undefined>)[Symbol.for('opentelemetry.js.api.1')]?.[
    part
  ];
}

/**
 * The copy to register with: the newest, which all see; where something is registered, one of that version,
 * as no other may.
 */
export function registeringCopy(copies: readonly ApiCopy[] = apiCopies()): ApiCopy | undefined {
  const version = registeredGlobal('version');
  return copies.find((copy) => version === undefined || copy.version === version) ?? copies[0];
}

/** Of two lines of the API. */
export function isNewer(one: ApiCopy, than: ApiCopy): boolean {
  return minor(one.version) > minor(than.version);
}

const minor = (version: string) => Number(version.split('.')[1]);

function resolved(from: NodeJS.Require): string | undefined {
  try {
    return from.resolve(NAME);
  } catch {
    return undefined;
  }
}

/** One that cannot be loaded is the app's to find out. */
function loaded(from: NodeJS.Require, file: string): Api | undefined {
  try {
    const api = from(file);
    if (isModule(file) && !types.isModuleNamespaceObject(api)) hasOtherModules = true;
    return api;
  } catch {
    return undefined;
  }
}

/** What `import` gets where `require` gets that file. */
function entryOf(file: string | undefined, isCommonJs: boolean): string | undefined {
  const dir = file === undefined ? undefined : IN_PACKAGE.exec(file)?.[0];
  if (dir === undefined || isCommonJs) return file;
  const { default: forImport } = require(join(dir, 'package.json')).exports?.['.'] ?? {};
  return forImport?.default === undefined ? file : join(dir, forImport.default);
}

/** What `.js` is, the nearest package.json says. */
function isCommonJs(program: string | undefined): boolean {
  if (program === undefined || extname(program) === '.mjs') return false;
  if (extname(program) !== '.js') return true;
  for (const modules of modulesDirectories(dirname(program))) {
    try {
      return require(join(dirname(modules), 'package.json')).type !== 'module';
    } catch {
      // None in this directory.
    }
  }
  return true;
}
