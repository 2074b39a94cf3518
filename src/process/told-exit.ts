/**
 * What a parent knows about the end of a process with a journal, written down for the shipper: a file
 * `<pid>.exit` in the journal's directory, or `<pid>-<thread>.exit` for a worker thread. A file is there
 * whether or not a shipper runs at the time, and reaches a shipper that the parent is not connected to.
 *
 * @module
 */
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const FILE = /^\d+(-\d+)?\.exit(\.new)?$/;
/** A journal may wait for days until it is shipped; the exit of its writer is kept as long. */
const KEPT_MS = 7 * 24 * 3600_000;

const pathOf = (dir: string, pid: number, threadId?: number) =>
  join(dir, threadId === undefined ? `${pid}.exit` : `${pid}-${threadId}.exit`);

/**
 * Writes down how a process or thread ended. Never throws: when the file cannot be written, the exit is not
 * known.
 *
 * @param threadId as Node.js counts them; undefined for a process
 */
export function tellExit(dir: string, pid: number, exit: object, threadId?: number): void {
  const path = pathOf(dir, pid, threadId);
  try {
    writeFileSync(`${path}.new`, JSON.stringify({ atMs: Date.now(), ...exit }), { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch {
    // No space is left, or the directory is gone.
  }
}

/** Undefined when no readable exit has been written down. */
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
    // It stays until it is old.
  }
}

/** Deletes exits that nobody has read. Never throws. */
export function removeOldExits(dir: string): void {
  try {
    for (const name of readdirSync(dir)) {
      const path = join(dir, name);
      if (FILE.test(name) && Date.now() - statSync(path).mtimeMs > KEPT_MS) rmSync(path, { force: true });
    }
  } catch {
    // The next call finds them.
  }
}
