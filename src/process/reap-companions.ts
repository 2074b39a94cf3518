/**
 * PID 1 of a container inherits orphans: here the shippers, which outlive the jobs that started them. Node.js
 * waits only for processes that it has started itself, so each ended shipper would stay as a zombie.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type koffiModule from 'koffi';

/** Names of shippers and their launchers. The kernel keeps 15 characters of a name: prctl(2). */
const COMPANION = /^\d+ \(forktrace (?:shipp|launc)\) Z /;
const WNOHANG = 1;
const LOOK_MS = 1000;

const require = createRequire(import.meta.url);

/**
 * Waits for companions that other processes have started, from now on. Needs koffi, and does nothing without
 * it.
 *
 * @param isOwn whether this process has started it, so that Node.js waits for it
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

/** Inherited orphans are children of the first thread, too. */
function children(): number[] {
  try {
    return readFileSync('/proc/self/task/1/children', 'latin1').split(' ').filter(Boolean).map(Number);
  } catch {
    return []; // Not Linux, or a kernel without that file.
  }
}

function isDeadCompanion(pid: number): boolean {
  try {
    return COMPANION.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}
