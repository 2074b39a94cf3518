import { isMainThread } from 'node:worker_threads';

/**
 * The code that whoever waits for this process sees: the system keeps eight bits of it, so that
 * `process.exit(-1)` is 255. The code of a thread is as it is.
 */
export function seenExitCode(code: number): number {
  return isMainThread && process.platform !== 'win32' ? code & 0xff : code;
}

/**
 * What the code has become, in a listener of `exit`: one that came before may have set `process.exitCode`.
 *
 * @param code what the listener was called with
 */
export function exitCodeNow(code: number): number {
  return seenExitCode(Number(process.exitCode ?? code));
}
