/**
 * PID 1 of a container inherits what the jobs that it runs leave behind: shippers, which outlive their jobs.
 * Node.js waits for no processes but those that it has started, so that each would stay as a zombie.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type koffiModule from 'koffi';

/** Shippers and their launchers; the kernel keeps 15 characters of a name: prctl(2). */
const COMPANION = /^\d+ \(forktrace (?:shipp|launc)\) Z /;
const WNOHANG = 1;
const LOOK_MS = 1000;

const require = createRequire(import.meta.url);

/**
 * Waits for companions that others have started, from now on. Without koffi nothing does.
 *
 * @param isOwn whether this process has started it, and Node.js waits for it
 * @public
 */
export function reapCompanions(isOwn: (pid: number) => boolean): void {
  let waitpid: (pid: number, status: null, options: number) => number;
  try {
    const koffi = require('koffi') as typeof koffiModule;
    waitpid = koffi.load(null).func('int waitpid(int pid, void *status, int options)');
  } catch {
    return;
  }
  setInterval(() => {
    for (const pid of children()) if (!isOwn(pid) && isDeadCompanion(pid)) waitpid(pid, null, WNOHANG);
  }, LOOK_MS).unref();
}

/** Those that have been inherited are the first thread's, too. */
function children(): number[] {
  try {
    return readFileSync('/proc/self/task/1/children', 'latin1').split(' ').filter(Boolean).map(Number);
  } catch {
    return []; // No Linux, or a kernel without that file.
  }
}

function isDeadCompanion(pid: number): boolean {
  try {
    return COMPANION.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
