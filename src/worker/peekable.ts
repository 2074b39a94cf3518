/**
 * Whether the coordinator may open this process's inspector by SIGUSR1, and the function that its peek calls.
 *
 * @module
 */
import { isMainThread } from 'node:worker_threads';
import { ACTIVE_SPAN } from '../forensics/snapshot.js';
import type { ActiveSpan } from '../process/active-span.js';
import { PEEK_ARGUMENTS } from '../process/peek-arguments.js';
import { activeSpan } from './active-span.js';

let isPrepared = false;

/**
 * Removes the coordinator's inspector options from `process.execArgv`. They are in effect already. The app,
 * which may look there for a debugger, and its child processes must not see them.
 */
export function takePeekArguments(): void {
  const { execArgv } = process;
  if (!PEEK_ARGUMENTS.every((argument) => execArgv.includes(argument))) return;
  process.execArgv = execArgv.filter((argument) => !PEEK_ARGUMENTS.includes(argument));
  isPrepared = true;
}

/** Called at every heartbeat, because listeners and debuggers come and go. */
export function isPeekable(wanted: boolean): boolean {
  // Another program may have the port of the last time by now.
  if (isPrepared && process.getBuiltinModule('node:inspector').url() === undefined) process.debugPort = 0;
  return (
    wanted &&
    isPrepared &&
    isMainThread &&
    process.platform !== 'win32' &&
    process.listenerCount('SIGUSR1') === 0 &&
    process.permission === undefined &&
    !isSignalDisabled
  );
}

const isSignalDisabled = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].some((text) =>
  text.includes('--disable-sigusr1'),
);

/** Makes the active span available to the code that a peek evaluates. */
export function tellActiveSpan(): void {
  (globalThis as unknown as Record<symbol, () => ActiveSpan | undefined>)[Symbol.for(ACTIVE_SPAN)] = () => activeSpan();
}
