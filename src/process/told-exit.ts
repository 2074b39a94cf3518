/**
 * What a parent knows of the end of a process that has a journal, for whoever ships it: a file `<pid>.exit`
 * in the journal's directory, of a worker thread `<pid>-<thread>.exit`. It is there whether a shipper runs at
 * the time or not, and reaches one that the parent is not connected to.
 *
 * @module
 */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = /^\d+(-\d+)?\.exit(\.new)?$/;
/** A journal may wait for days until it is shipped, and its writer's exit with it. */
const KEPT_MS = 7 * 24 * 3600_000;

const pathOf = (dir: string, pid: number, threadId?: number) =>
  join(dir, threadId === undefined ? `${pid}.exit` : `${pid}-${threadId}.exit`);

/**
 * Never throws: what cannot be told is not known, and no more.
 *
 * @param threadId as Node.js counts them; of a process none
 */
export function tellExit(dir: string, pid: number, exit: object, threadId?: number): void {
  const path = pathOf(dir, pid, threadId);
  try {
    writeFileSync(`${path}.new`, JSON.stringify({ atMs: Date.now(), ...exit }), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch {
    // No room, or the directory is gone.
  }
}

/** undefined: nobody has told anything that can be read. */
export function readToldExit(dir: string, pid: number, threadId?: number): unknown {
  try {
    return JSON.parse(readFileSync(pathOf(dir, pid, threadId), 'utf8'));
  } catch {
    return undefined;
  }
}

export function removeToldExit(dir: string, pid: number, threadId?: number): void {
  try {
    rmSync(pathOf(dir, pid, threadId), { force: true });
  } catch {
    // It goes when it is old.
  }
}

/** Deletes what nobody has asked for. Never throws. */
export function removeOldExits(dir: string): void {
  try {
    for (const name of readdirSync(dir)) {
      const path = join(dir, name);
      if (FILE.test(name) && Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { force: true });
    }
  } catch {
    // The next look finds them.
  }
}
