/**
 * Tells whoever ships a child's journal how the child has ended: a process that a signal ends at once cannot
 * say so itself, and its parent alone knows.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';
import { endsNamespace } from './pid-namespace.js';
import { watchThread } from './watch-thread.js';

const require = createRequire(import.meta.url);
/** A child's clock starts a little before its parent knows that it is there. */
const CLOCK_MS = 1000;

/** Two copies of the package, and two calls, are one. */
const WATCHING = Symbol.for('forktrace.watch-children');

/**
 * Of all children and threads of this process from now on, however they are started; a process without any
 * pays for nothing.
 */
export function watchChildren(): void {
  const global = globalThis as { [WATCHING]?: true };
  if (global[WATCHING]) return;
  global[WATCHING] = true;
  // It comes at any time, as while the app is imported: Node 20 fails to require() an ES module then that is
  // just being imported, too.
  process.on('worker', watchThread);
  // Node's own, and documented: nothing of child_process is patched.
  subscribe('child_process', (message) => {
    const { process: child } = message as { process: ChildProcess };
    if (endsNamespace) waitForCompanions(child);
    const startedAtMs = Date.now();
    child.once('exit', (code, signal) => tell(child.pid, startedAtMs, { code, signal }));
  });
}

/** Of PID 1. */
const own = new Set<ChildProcess>();
let isWaiting = false;

function waitForCompanions(child: ChildProcess): void {
  // A thread does not know the children of the others.
  const { isMainThread } = require('node:worker_threads') as typeof import('node:worker_threads');
  if (!isMainThread) return;
  own.add(child);
  child.once('exit', () => own.delete(child));
  if (isWaiting) return;
  isWaiting = true;
  const { reapCompanions } = require('./reap-companions.js') as typeof import('./reap-companions.js');
  reapCompanions((pid) => [...own].some((one) => one.pid === pid));
}

function tell(
  pid: number | undefined,
  startedAtMs: number,
  exit: { code: number | null; signal: string | null },
): void {
  if (pid === undefined) return;
  const { takeTracedProcess } = require('./run-directory.js') as typeof import('./run-directory.js');
  const traced = takeTracedProcess(pid);
  // One that has left the list by itself has also written how it ends.
  if (traced?.journalDir === undefined || traced.startedAtMs < startedAtMs - CLOCK_MS) return;
  (require('./told-exit.js') as typeof import('./told-exit.js')).tellExit(traced.journalDir, pid, exit);
}
