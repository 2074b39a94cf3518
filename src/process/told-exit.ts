/**
 * What a parent knows about the end of a process with a journal, written down for the shipper: a file
 * `<boot>-<pid namespace>-<pid>.exit` in the journal's directory, or `…-<pid>-<thread>.exit` for a worker
 * thread. Containers that share a volume have processes of the same pid. A file is there whether or not a
 * shipper runs at the time, and reaches a shipper that the parent is not connected to.
 *
 * @module
 */
import { readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { replacePrivate } from './private-file.js';
import { type Whereabouts, whereabouts } from './whereabouts.js';

const FILE = /^[0-9a-f]{8}-\d+-\d+(-\d+)?\.exit(\.new)?$/;
/** A journal may wait for days until it is shipped; the exit of its writer is kept as long. */
const KEPT_MS = 7 * 24 * 3600_000;

interface ProcessId extends Whereabouts {
  pid: number;
}

function pathOf(dir: string, { bootId, pidNamespace, pid }: ProcessId, threadId?: number): string {
  const name = `${bootId.slice(0, 8)}-${pidNamespace}-${pid}`;
  return join(dir, threadId === undefined ? `${name}.exit` : `${name}-${threadId}.exit`);
}

/**
 * Writes down how a process or thread ended. Never throws: when the file cannot be written, the exit is not
 * known.
 *
 * @param pid of this process's own pid namespace
 * @param threadId as Node.js counts them; undefined for a process
 */
export function tellExit(dir: string, pid: number, exit: object, threadId?: number): void {
  const path = pathOf(dir, { pid, ...whereabouts() }, threadId);
  try {
    replacePrivate(path, JSON.stringify({ atMs: Date.now(), ...exit }));
  } catch {
    // No space is left, or the directory is gone.
  }
}

/** Undefined when no readable exit has been written down. */
export function readToldExit(dir: string, of: ProcessId, threadId?: number): unknown {
  try {
    return JSON.parse(readFileSync(pathOf(dir, of, threadId), 'utf8'));
  } catch {
    return undefined;
  }
}

export function removeToldExit(dir: string, of: ProcessId, threadId?: number): void {
  try {
    rmSync(pathOf(dir, of, threadId), { force: true });
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
