/**
 * Directories that only this user can enter and replace, in places that everybody can write to.
 *
 * @module
 */
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, type Stats, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { unmask } from './private-file.js';

const GROUP_OR_OTHERS = 0o077;
const GROUP_OR_OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * Makes a directory and its missing parents, with mode 0700 whatever the umask. Node's own `recursive` option
 * never returns for a path below /proc, where making a directory fails with ENOENT although its parent
 * exists.
 *
 * @throws the error of the file system
 */
export function makeDirectory(dir: string): void {
  const missing: string[] = [];
  for (let path = dir; !exists(path); path = dirname(path)) {
    missing.push(path);
    if (dirname(path) === path) break;
  }
  for (const path of missing.reverse()) {
    try {
      mkdirSync(path, { mode: 0o700 });
      unmask(path, 0o700);
    } catch (error) {
      // Another process made it first.
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
  }
}

function exists(path: string): boolean {
  try {
    lstatSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

/**
 * Why the directory itself cannot be trusted, in the words of a message. Undefined when it belongs to this
 * user alone.
 */
export function strangerIn(stats: Stats): string | undefined {
  if (!stats.isDirectory()) return stats.isSymbolicLink() ? 'a symbolic link' : 'not a directory';
  const uid = process.geteuid?.();
  if (uid === undefined) return undefined;
  if (stats.uid !== uid) return `owned by user ${stats.uid}`;
  return (stats.mode & GROUP_OR_OTHERS) === 0 ? undefined : `mode ${octal(stats.mode)}`;
}

/**
 * Who else can replace a directory below `parent`. Undefined when nobody can. A mounted volume is taken as
 * its operator has made it: an emptyDir of Kubernetes has mode 0777, and whoever can reach it is in the same
 * pod.
 */
export function strangerAbove(parent: string): string | undefined {
  const uid = process.geteuid?.();
  if (uid === undefined) return undefined;
  const { uid: owner, mode } = statSync(parent);
  if (owner !== uid && owner !== 0) return `owned by user ${owner}`;
  const isOpen = (mode & GROUP_OR_OTHERS_WRITE) !== 0 && (mode & STICKY) === 0;
  return isOpen && !isMountPoint(parent) ? `mode ${octal(mode)}` : undefined;
}

const octal = (mode: number) => (mode & 0o7777).toString(8);

function isMountPoint(path: string): boolean {
  try {
    if (statSync(path).dev !== statSync(dirname(path)).dev) return true;
    // A bind mount within one file system (proc(5): the fifth field, with spaces as \040).
    const escaped = path.replace(/[ \t\n\\]/g, (each) => `\\${each.charCodeAt(0).toString(8).padStart(3, '0')}`);
    return readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .some((line) => line.split(' ')[4] === escaped);
  } catch {
    return false;
  }
}

/**
 * Looks at all existing directories from `top`, which everybody can write to, to `path`. Each must belong to
 * this user alone.
 *
 * @returns what is wrong and where, or undefined
 */
export function strangerBetween(top: string, path: string): string | undefined {
  let at = top;
  for (const name of relative(top, path).split(sep)) {
    at = join(at, name);
    let stats: Stats;
    try {
      stats = lstatSync(at);
    } catch {
      return undefined;
    }
    const found = strangerIn(stats);
    if (found !== undefined) return `${at} is ${found}`;
  }
  return undefined;
}

let chosen: { uid: number | undefined; temp: string; dir: string; announce: boolean } | undefined;

/**
 * The default directory of this user's journals and sockets: `forktrace-<uid>` in the temp directory. If
 * another user has taken that name, `$XDG_RUNTIME_DIR/forktrace`. If that is not there either, a directory
 * with a random name, which other processes must be told about (`announce`). It is chosen once per process,
 * user and temp directory.
 */
export function privateParent(env: NodeJS.ProcessEnv = process.env): { dir: string; announce: boolean } {
  const temp = tmpdir();
  const uid = process.geteuid?.();
  if (chosen?.temp === temp && chosen.uid === uid) return chosen;
  const usual = join(temp, `forktrace-${uid ?? 'user'}`);
  chosen = { uid, temp, dir: usual, announce: false };
  if (strangerBetween(temp, usual) === undefined) return chosen;
  const runtime = env.XDG_RUNTIME_DIR;
  if (runtime && isOurs(runtime)) chosen.dir = join(runtime, 'forktrace');
  else {
    try {
      chosen.dir = mkdtempSync(`${usual}-`);
      chosen.announce = true;
    } catch {
      // The usual name is taken. Whoever opens it reports what is wrong with it.
    }
  }
  return chosen;
}

function isOurs(path: string): boolean {
  try {
    return strangerIn(lstatSync(path)) === undefined;
  } catch {
    return false;
  }
}
