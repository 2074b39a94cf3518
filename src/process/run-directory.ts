/**
 * The directory in which the coordinators and traced processes of this user are found: one control socket per
 * coordinator, and one file per traced process without a coordinator, named by their pids.
 *
 * @module
 */
import { chmodSync, lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { ForktraceError } from '../errors.js';
import { printable } from '../printable.js';
import { coordinatorsWorker } from './coordinators-worker.js';
import { makeDirectory, strangerBetween } from './private-directory.js';
import { writePrivate } from './private-file.js';
import { hear } from './process-events.js';
import { processFile, runDirectory } from './run-path.js';

const SOCKET = /^(\d+)\.sock$/;

/**
 * A client checks the directory before it trusts what is in it: another user may have made it and listen
 * there.
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
  // Everybody can write to the temp directory: another user who makes this directory first could listen in
  // our place.
  if (uid !== process.geteuid!()) throw new ForktraceError('FORKTRACE_RUN_DIR', [directory, `owned by user ${uid}`]);
  if ((mode & 0o077) !== 0) chmodSync(directory, 0o700);
}

/** The address of a coordinator's control socket: a path, or a named pipe on Windows. */
export function controlAddress(pid: number, directory: string): string {
  return process.platform === 'win32' ? `\\\\.\\pipe\\forktrace-${pid}` : join(directory, `${pid}.sock`);
}

/** The pids of all running coordinators. Removes what dead ones left. */
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
  /** Directory of its journal; undefined when it has none. */
  journalDir?: string | undefined;
}

/** By how many milliseconds two clocks may differ. */
const CLOCK_MS = 1000;

const PROCESS_FILE = /^(\d+)\.process\.json$/;

/**
 * Enters this process into the list, so that `forktrace ls` finds it, and its parent can tell how it ended. A
 * process that cannot be entered is not listed, and nothing else changes. A thread enters its process if no
 * other thread has, and does not remove it: the process goes on.
 */
export function enterTracedProcess(traced: TracedProcess, directory = runDirectory()): void {
  try {
    prepareRunDirectory(directory);
    const path = processFile(traced.pid, directory);
    if (!isMainThread && enteredProcess(directory) !== undefined) return;
    writePrivate(path, JSON.stringify(traced));
    if (!isMainThread) return;
    hear('exit', () => {
      try {
        rmSync(path, { force: true });
      } catch {
        // The directory belongs to another user now. Whoever lists the processes removes the file.
      }
    });
  } catch {
    // The directory does not belong to this user alone, so nothing in it could be trusted.
  }
}

/**
 * This process, as it was entered, or as it has told its threads.
 *
 * @public
 */
export function enteredProcess(directory = runDirectory()): TracedProcess | undefined {
  const worker = coordinatorsWorker();
  if (worker !== undefined) return worker;
  const [found] = readTracedProcess(processFile(process.pid, directory), process.pid);
  const startedAtMs = Date.now() - process.uptime() * 1000;
  // Otherwise an earlier process had that pid.
  return found !== undefined && found.startedAtMs >= startedAtMs - CLOCK_MS ? found : undefined;
}

/** The running traced processes. Removes what dead ones left. */
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
 * Takes the entry of an ended process out of the list, for its parent. Undefined when the process was not
 * traced or has removed its entry itself.
 *
 * @public
 */
export function takeTracedProcess(pid: number, directory = runDirectory()): TracedProcess | undefined {
  const path = processFile(pid, directory);
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
