/**
 * The copies of `@opentelemetry/api` in this process. Each has its own stand-in for a provider that is yet to
 * come; what is registered they share, but one of a newer version does not see what an older one has
 * registered. Version 1.10 is two copies in itself: one for ES modules, one for CommonJS.
 *
 * @module
 */
import { readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, extname, join } from 'node:path';
import { types } from 'node:util';
import * as own from '@opentelemetry/api';
import { programPath } from '../process/program.js';
import { appDirectory } from './installed.js';
import { modulesDirectories } from './package-manifest.js';

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
    const version = dir === undefined ? undefined : manifestOf(dir)?.version;
    if (api?.trace && version !== undefined && !copies.has(api.trace))
      copies.set(api.trace, { api, version, dir: dir! });
  };
  const ofRequire = ownFile();
  // What a bundle of ours imports lacks the parts that are newer than it.
  add(ofRequire, (ofRequire === undefined ? undefined : loaded(require, ofRequire)) ?? own);
  // What forktrace is bundled as gets the copy for CommonJS.
  const ofImport = entryOf(ofRequire, false);
  if (ofImport !== undefined && ofImport !== ofRequire) add(ofImport, loaded(require, ofImport));
  for (const [file, api] of entriesLoaded()) add(file, api);
  const app = load ? appDirectory() : undefined;
  if (app !== undefined && !hasOwnCopy(app, ofRequire)) {
    const ofApp = createRequire(join(app, 'package.json'));
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

/** What `require` has loaded of copies: the entry alone has all parts. */
function entriesLoaded(): [string, Api][] {
  const loaded = Object.entries(require.cache).map(([file, module]): [string, Api] => [file, module?.exports]);
  return loaded.filter(([file, api]) => IN_PACKAGE.test(file) && api?.trace && api.propagation);
}

let foundOwn: string | undefined;

/** The file of the copy that we have: by what is loaded, as Node takes half a millisecond to resolve it. */
function ownFile(): string | undefined {
  foundOwn ??= entriesLoaded().find(([, api]) => api.trace === own.trace)?.[0] ?? resolved(require);
  return foundOwn;
}

/** Whether what the app gets is our copy; false where that cannot be seen without asking Node. */
function hasOwnCopy(app: string, ownFile: string | undefined): boolean {
  for (const modules of modulesDirectories(app)) {
    try {
      return ownFile !== undefined && realpathSync(join(modules, NAME)) === IN_PACKAGE.exec(ownFile)?.[0];
    } catch {
      // None in this directory.
    }
  }
  return false;
}

interface Manifest {
  version?: string;
  exports?: { '.'?: { default?: string | { default?: string } } };
}

const manifests = new Map<string, Manifest | undefined>();

/** Undefined: there is none. */
function manifestOf(dir: string): Manifest | undefined {
  if (!manifests.has(dir)) {
    try {
      manifests.set(dir, JSON.parse(readFileSync(join(dir, 'package.json'), 'utf8')));
    } catch {
      manifests.set(dir, undefined);
    }
  }
  return manifests.get(dir);
}

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
  const forImport = manifestOf(dir)?.exports?.['.']?.default;
  return typeof forImport !== 'object' || forImport.default === undefined ? file : join(dir, forImport.default);
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
