import { isMainThread } from 'node:worker_threads';

/**
 * The exit code that the parent of this process sees. The system keeps eight bits of it, so that
 * `process.exit(-1)` is 255. The code of a worker thread is returned unchanged.
 */
export function seenExitCode(code: number): number {
  return isMainThread && process.platform !== 'win32' ? code & 0xff : code;
}

/**
 * The current exit code, in a listener of `exit`: an earlier listener may have set `process.exitCode`.
 *
 * @param code what the listener was called with
 */
export function exitCodeNow(code: number): number {
  return seenExitCode(Number(process.exitCode ?? code));
}
