/**
 * Tells the shipper of a child's journal how the child has ended. A process that a signal ends at once cannot
 * say so itself; only its parent knows.
 *
 * @module
 */
import type { ChildProcess } from 'node:child_process';
import { subscribe } from 'node:diagnostics_channel';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { endsContainer, endsNamespace } from './pid-namespace.js';
import { hear } from './process-events.js';
import { processFile } from './run-path.js';
import { watchThread } from './watch-thread.js';

const require = createRequire(import.meta.url);
/** Milliseconds: a child's clock starts a little before its parent knows that the child exists. */
const CLOCK_MS = 1000;

/** Once per process, however many copies of the package are loaded, and however often it is called. */
const WATCHING = Symbol.for('forktrace.watch-children');

/**
 * Watches all children and threads that this process starts from now on, in whatever way. A process without
 * any pays nothing.
 */
export function watchChildren(): void {
  const global = globalThis as { [WATCHING]?: true };
  if (global[WATCHING]) return;
  global[WATCHING] = true;
  // The event may come while the app is being imported, where Node 20 cannot require() an ES module that is
  // just being imported. So that module is loaded before.
  hear('worker', watchThread);
  // The documented diagnostics channel of Node: nothing in child_process is patched.
  subscribe('child_process', (message) => {
    const { process: child } = message as { process: ChildProcess };
    if (endsNamespace) waitForCompanions(child);
    if (!hasChildren) firstChild();
    const startedAtMs = Date.now();
    child.once('exit', (code, signal) => tell(child.pid, startedAtMs, { code, signal }));
  });
}

let hasChildren = false;

/** What a process has traced itself is waited for by its own tracing. */
function firstChild(): void {
  hasChildren = true;
  const { isMainThread } = require('node:worker_threads') as typeof import('node:worker_threads');
  if (!isMainThread || !endsContainer()) return;
  // Before the listener that takes this process out of the list.
  process.prependOnceListener('exit', () => {
    const { enteredProcess } = require('./run-directory.js') as typeof import('./run-directory.js');
    if (enteredProcess() !== undefined) return;
    const { waitForShippers } = require('./wait-for-shippers.js') as typeof import('./wait-for-shippers.js');
    waitForShippers();
  });
}

/** Children that PID 1 has started itself. */
const own = new Set<ChildProcess>();
let isWaiting = false;

function waitForCompanions(child: ChildProcess): void {
  // A thread does not know the children of the other threads.
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
  // Most children are not traced, and a process that only starts such loads nothing.
  if (pid === undefined || !existsSync(processFile(pid))) return;
  const { takeTracedProcess } = require('./run-directory.js') as typeof import('./run-directory.js');
  const traced = takeTracedProcess(pid);
  // A process that removed its entry has also written down how it ends.
  if (traced?.journalDir === undefined || traced.startedAtMs < startedAtMs - CLOCK_MS) return;
  (require('./told-exit.js') as typeof import('./told-exit.js')).tellExit(traced.journalDir, pid, exit);
}
