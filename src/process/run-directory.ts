/**
 * Where the coordinators and traced processes of this user are found: one control socket per coordinator, one
 * file per process that has none, named by their pids.
 *
 * @module
 */
import { chmodSync, lstatSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { ForktraceError } from '../errors.js';
import { printable } from '../printable.js';
import { makeDirectory, privateParent, strangerBetween } from './private-directory.js';

const SOCKET = /^(\d+)\.sock$/;

/**
 * `FORKTRACE_RUN_DIR`, else `run` in this user's directory in the temp directory: short, as a socket's path
 * must be.
 */
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
  if (uid !== process.geteuid!()) throw new ForktraceError('FORKTRACE_RUN_DIR', [directory, `owned by user ${uid}`]);
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

/** A process that traces without a coordinator: under pm2, with the preload, or with `startWorkerTracing`. */
export interface TracedProcess {
  pid: number;
  serviceName: string;
  manager: 'cluster' | 'pm2' | 'none';
  slot: number | undefined;
  /** Milliseconds since the epoch. */
  startedAtMs: number;
  /** Where its journal is; undefined: it has none. */
  journalDir?: string | undefined;
}

/** What two clocks may differ by. */
const CLOCK_MS = 1000;

const PROCESS_FILE = /^(\d+)\.process\.json$/;

/**
 * Lets `forktrace ls` find this process, and its parent tell how it has ended. One that cannot be entered is
 * not listed, and nothing else. A thread enters its process where nothing else of it has, and leaves it
 * there: the process goes on.
 */
export function enterTracedProcess(traced: TracedProcess, directory = runDirectory()): void {
  try {
    prepareRunDirectory(directory);
    const path = join(directory, `${traced.pid}.process.json`);
    if (!isMainThread && enteredProcess(directory) !== undefined) return;
    writeFileSync(path, JSON.stringify(traced), { mode: 0o600 });
    if (!isMainThread) return;
    process.once('exit', () => {
      try {
        rmSync(path, { force: true });
      } catch {
        // Another user's by now, or a directory of one: whoever lists the processes removes it.
      }
    });
  } catch {
    // No directory of this user's alone: nothing in it could be trusted.
  }
}

/**
 * This process, as it has been entered.
 *
 * @public
 */
export function enteredProcess(directory = runDirectory()): TracedProcess | undefined {
  const [found] = readTracedProcess(join(directory, `${process.pid}.process.json`), process.pid);
  const startedAtMs = Date.now() - process.uptime() * 1000;
  // Another one had that pid before.
  return found !== undefined && found.startedAtMs >= startedAtMs - CLOCK_MS ? found : undefined;
}

/** The processes that run; what dead ones left is removed. */
export function tracedProcesses(directory = runDirectory()): TracedProcess[] {
  const found: TracedProcess[] = [];
  for (const name of filesOf(directory)) {
    const pid = Number(PROCESS_FILE.exec(name)?.[1]);
    if (!(pid > 0)) continue;
    const path = join(directory, name);
    if (!processExists(pid)) rmSync(path, { force: true });
    else found.push(...readTracedProcess(path, pid));
  }
  return found.sort((a, b) => a.pid - b.pid);
}

/**
 * One that has ended, for its parent; undefined: it was not traced, or has left by itself.
 *
 * @public
 */
export function takeTracedProcess(pid: number, directory = runDirectory()): TracedProcess | undefined {
  const path = join(directory, `${pid}.process.json`);
  const [found] = readTracedProcess(path, pid);
  if (found) rmSync(path, { force: true });
  return found;
}

function readTracedProcess(path: string, pid: number): TracedProcess[] {
  try {
    const { serviceName, manager, slot, startedAtMs, journalDir } = JSON.parse(readFileSync(path, 'utf8'));
    const number = (value: unknown) => (typeof value === 'number' ? value : undefined);
    return [
      {
        pid,
        serviceName: printable(String(serviceName)),
        manager: manager === 'pm2' || manager === 'cluster' ? manager : 'none',
        slot: number(slot),
        startedAtMs: number(startedAtMs) ?? Date.now(),
        journalDir: typeof journalDir === 'string' ? journalDir : undefined,
      },
    ];
  } catch {
    return [];
  }
}

function filesOf(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
