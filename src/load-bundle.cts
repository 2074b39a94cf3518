/**
 * Loads our bundles as `require` does, with the code that V8 has made of them in an earlier process:
 * compiling them anew is a quarter of what a start costs.
 *
 * The code is kept in a directory of this user's alone, one file per bundle. It is made once, some seconds
 * after a bundle was loaded for the first time, by a process that lives so long, and written by a thread of
 * libuv's. Code that is missing, another user's, or of other bundles, another copy of the package, another
 * Node.js or other flags of V8 is not used, and a directory that cannot be written stays as it is: a start is
 * slower then, and nothing else.
 *
 * @module
 */
import fs = require('node:fs');
import Module = require('node:module');
import path = require('node:path');
import vm = require('node:vm');

// Taken now: an instrumentation of fs that comes later makes no spans of what is done here.
const { chmodSync, closeSync, constants, existsSync, fstatSync, lstatSync, mkdirSync, openSync, readSync } = fs;
const { readdirSync, rename, rmSync, statSync, writeFile } = fs;

/** Of the bundles, by the build. */
const CONTENT_HASH = 'unbuilt';
/**
 * What a start needs is compiled by then, and first requests have come; V8 has not yet thrown away what was
 * run once.
 */
const MAKE_AFTER_MS = 2000;
/** Milliseconds: what has been written to so long ago is not written to any more. */
const UNFINISHED_MS = 60_000;
const UNFINISHED = /\.cjs\.\d+$/;
/** Each is a megabyte, for one copy of the package, one version and one set of flags. */
const MOST_DIRECTORIES = 16;
const GROUP_OR_OTHERS = 0o077;
/** Words of a command line that may be flags of V8's, for which it makes other code. */
const MAYBE_FLAG = /^--(?!import$|require$)[a-z\d_-]+(=[\w.-]{1,20})?$/;

/** In a realm of its own, as Jest has, modules are the realm's. */
const isMainRealm = Module.createRequire.constructor === Function && !process.versions.bun && !process.versions.deno;

const here = __dirname + path.sep;

/** The shipper, for one, uses other parts, and sets flags of V8's. */
const isOwnProgram = process.argv[1]?.startsWith(here) === true;

const env = process.env;
/** Node's own cache has it, or it is not to be. Windows has no owner to look at. */
const isKept =
  isMainRealm &&
  !isOwnProgram &&
  process.geteuid !== undefined &&
  !env.NODE_COMPILE_CACHE &&
  !env.NODE_DISABLE_COMPILE_CACHE;

/** As os.tmpdir() says; node:os is not loaded for it. */
const parent = path.join(env.TMPDIR || env.TMP || env.TEMP || '/tmp', `forktrace-${process.geteuid?.()}`);
const directories = path.join(parent, '.code-cache');
const flags = [...process.execArgv, ...(env.NODE_OPTIONS ?? '').split(' ')].filter((word) => MAYBE_FLAG.test(word));
// V8 keeps the path of the code's file, by which frames of the stack are told apart: another copy of the
// package has code of its own.
const name = `${CONTENT_HASH}-${process.version}-${process.arch}-${hashOf([here, ...flags].join(' '))}`;
const directory = path.join(directories, name);
let isTrusted: boolean | undefined;

/** FNV-1a. Where two sets of flags have one hash, V8 refuses the code that was made with the other. */
function hashOf(text: string): string {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash >>> 0).toString(16);
}

const isOursAlone = (stats: fs.Stats) => stats.uid === process.geteuid?.() && (stats.mode & GROUP_OR_OTHERS) === 0;

function isDirectoryTrusted(): boolean {
  return [parent, directories, directory].every((each) => {
    const stats = lstatSync(each, { throwIfNoEntry: false });
    return stats?.isDirectory() === true && isOursAlone(stats);
  });
}

/** The code that is kept of a bundle; undefined: there is none, or it is not to be trusted. */
function keptCode(file: string): Buffer | undefined {
  try {
    isTrusted ??= isDirectoryTrusted();
    if (!isTrusted) return undefined;
    const descriptor = openSync(path.join(directory, path.basename(file)), constants.O_RDONLY | constants.O_NOFOLLOW);
    try {
      const stats = fstatSync(descriptor);
      if (!stats.isFile() || !isOursAlone(stats)) return undefined;
      const code = Buffer.allocUnsafeSlow(stats.size);
      return readSync(descriptor, code) === code.length ? code : undefined;
    } finally {
      closeSync(descriptor);
    }
  } catch {
    return undefined;
  }
}

/** Nothing is made, nor removed, below what is another user's, or a link to somewhere. */
function makeDirectory(): void {
  for (const each of [parent, directories, directory]) {
    if (!existsSync(each)) {
      mkdirSync(each, { mode: 0o700 });
      // Without what the umask takes away: other files of this user are kept in the first.
      chmodSync(each, 0o700);
    }
    const stats = lstatSync(each);
    if (!stats.isDirectory() || !isOursAlone(stats)) return;
  }
}

/** Makes and writes it once, off the way of the start. */
function keep(file: string, script: vm.Script): void {
  setTimeout(() => {
    try {
      const kept = path.join(directory, path.basename(file));
      if (isDirectoryTrusted()) removeUnfinished();
      if (existsSync(kept)) return;
      const isNew = !existsSync(directory);
      if (isNew) makeDirectory();
      if (!isDirectoryTrusted()) return;
      if (isNew) removeOldest();
      const written = `${kept}.${process.pid}`;
      // On disk before it has its name: V8 takes the code as it is.
      writeFile(written, script.createCachedData(), { mode: 0o600, flag: 'wx', flush: true }, (error) => {
        if (!error) rename(written, kept, () => {});
      });
    } catch {
      // A read-only or full disk: the next start compiles again.
    }
  }, MAKE_AFTER_MS).unref();
}

/** Of other flags, or made when V8 had thrown away a part of it: the next process makes it again. */
function forget(file: string): void {
  try {
    rmSync(path.join(directory, path.basename(file)), { force: true });
  } catch {
    // A read-only disk.
  }
}

/** Of processes that were killed while they wrote. */
function removeUnfinished(): void {
  for (const name of readdirSync(directory).filter((name) => UNFINISHED.test(name))) {
    const file = path.join(directory, name);
    const writtenAt = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? Date.now();
    if (Date.now() - writtenAt > UNFINISHED_MS) rmSync(file, { force: true });
  }
}

function removeOldest(): void {
  const all = readdirSync(directories).map((each) => path.join(directories, each));
  const byAge = all.map((each) => ({ each, madeAt: statSync(each).mtimeMs })).sort((a, b) => b.madeAt - a.madeAt);
  for (const { each } of byAge.slice(MOST_DIRECTORIES)) rmSync(each, { recursive: true, force: true });
}

/**
 * A bundle as a function, in one string that V8 does not have to put together: the parts, and then the whole,
 * fill its young generation and have it collect garbage while the process starts. Bundles are ASCII, which
 * the build sees to.
 */
function wrapped(file: string): string {
  const [before, after] = ['(function (exports, require, module, __filename, __dirname) {', '\n})'];
  const descriptor = openSync(file, constants.O_RDONLY);
  try {
    const { size } = fstatSync(descriptor);
    const whole = Buffer.allocUnsafeSlow(before.length + size + after.length);
    whole.write(before, 0, 'latin1');
    if (readSync(descriptor, whole, before.length, size, 0) !== size) throw new Error(`${file} cannot be read`);
    whole.write(after, before.length + size, 'latin1');
    return whole.toString('latin1');
  } finally {
    closeSync(descriptor);
  }
}

/**
 * @param name its path from here, which is not resolved: that would take as long as the load itself
 * @returns its exports, the same as for whoever loads the file by `require`
 */
// biome-ignore lint/suspicious/noExplicitAny: as of require().
function loadBundle(name: string): any {
  const file = here + (path.sep === '/' ? name : name.replace('/', path.sep));
  const loaded = isMainRealm ? require.cache[file] : undefined;
  if (loaded !== undefined) return loaded.exports;
  if (!isKept) return require(file);
  const module = new Module(file);
  module.filename = file;
  require.cache[file] = module;
  try {
    const cachedData = keptCode(file);
    const script = new vm.Script(wrapped(file), { filename: file, cachedData });
    if (cachedData === undefined) keep(file, script);
    else if (script.cachedDataRejected) forget(file);
    const { exports } = module;
    const directory = path.dirname(file);
    const requireHere = directory === __dirname ? require : Module.createRequire(file);
    script.runInThisContext().call(exports, exports, requireHere, module, file, directory);
    module.loaded = true;
  } catch (error) {
    delete require.cache[file];
    throw error;
  }
  return module.exports;
}

loadBundle.isMainRealm = isMainRealm;
/**
 * For `import()` in a bundle: Node 20 does not know whose it is in code that was kept, and throws
 * ERR_VM_DYNAMIC_IMPORT_CALLBACK_MISSING.
 *
 * @param path of a module, from the folder of the bundles
 */
loadBundle.importModule = (path: string): Promise<unknown> => import(path);

export = loadBundle;
