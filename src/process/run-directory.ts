/**
 * Where coordinators of this user are found: one control socket per coordinator, named by its pid.
 *
 * @module
 */
import { chmodSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ForktraceError } from '../errors.js';
import { makeDirectory, privateParent, strangerBetween } from '../process/private-directory.js';

const SOCKET = /^(\d+)\.sock$/;

/** `FORKTRACE_RUN_DIR`, else `run` in this user's directory in the temp directory: short, as a socket's path must be. */
export function runDirectory(env: NodeJS.ProcessEnv = process.env): string {
  return env.FORKTRACE_RUN_DIR ?? join(privateParent(env).dir, 'run');
}

/**
 * For a client, before it believes what is in the directory: another user may have made it, and listen.
 *
 * @throws ForktraceError with code FORKTRACE_RUN_DIR
 */
export function checkRunDirectory(directory: string): void {
  if (process.platform === 'win32') return;
  const found = strangerBetween(dirname(dirname(directory)), directory);
  if (found !== undefined) throw new ForktraceError('FORKTRACE_RUN_DIR', [directory, found]);
}

/** Whether it is this user who listens there. */
export function isOwnSocket(address: string): boolean {
  return process.platform === 'win32' || lstatSync(address).uid === process.getuid!();
}

/**
 * Makes the directory for its owner alone.
 *
 * @throws ForktraceError with code FORKTRACE_RUN_DIR when it belongs to somebody else or is open to others
 */
export function prepareRunDirectory(directory: string): void {
  makeDirectory(directory);
  if (process.platform === 'win32') return;
  const { uid, mode } = lstatSync(directory);
  // The temp directory is everybody's: whoever was there first must not be able to listen in our place.
  if (uid !== process.getuid!()) throw new ForktraceError('FORKTRACE_RUN_DIR', [directory, `owner ${uid}`]);
  if ((mode & 0o077) !== 0) chmodSync(directory, 0o700);
}

/** The address of a coordinator's control socket: a path, or a named pipe on Windows. */
export function controlAddress(pid: number, directory: string): string {
  return process.platform === 'win32' ? `\\\\.\\pipe\\forktrace-${pid}` : join(directory, `${pid}.sock`);
}

/** The pids of all coordinators that run; what dead ones left is removed. */
export function runningCoordinators(directory: string): number[] {
  let names: string[];
  try {
    names = process.platform === 'win32' ? readdirSync('\\\\.\\pipe\\') : readdirSync(directory);
  } catch {
    return [];
  }
  const pattern = process.platform === 'win32' ? /^forktrace-(\d+)$/ : SOCKET;
  const pids = names.map((name) => Number(pattern.exec(name)?.[1])).filter((pid) => pid > 0);
  return pids.filter((pid) => {
    if (processExists(pid)) return true;
    rmSync(controlAddress(pid, directory), { force: true });
    return false;
  });
}

export function processExists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
