/**
 * Whether the coordinator may open this process's inspector by SIGUSR1, and what it finds there.
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
 * Takes the coordinator's options for the inspector out of `process.execArgv`: they are in effect, and
 * neither the app, which may look there for a debugger, nor its child processes have to do with them.
 */
export function takePeekArguments(): void {
  const { execArgv } = process;
  if (!PEEK_ARGUMENTS.every((argument) => execArgv.includes(argument))) return;
  process.execArgv = execArgv.filter((argument) => !PEEK_ARGUMENTS.includes(argument));
  isPrepared = true;
}

/** Asked at every heartbeat: listeners and debuggers come and go. */
export function isPeekable(wanted: boolean): boolean {
  // The port of the last time may be somebody else's by now.
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

/** Lets whoever looks into this process ask for the span that is active where its code is. */
export function tellActiveSpan(): void {
  (globalThis as unknown as Record<symbol, () => ActiveSpan | undefined>)[Symbol.for(ACTIVE_SPAN)] = () => activeSpan();
}
