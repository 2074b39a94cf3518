/**
 * What the kernel knows about a process that does not answer: whether it computes, waits or is stopped, and
 * in which system call. Linux only: proc(5).
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';

/** A process as seen from outside. */
export interface ProcessState {
  /** The main thread's state: R runs, S sleeps, D waits for a device, T is stopped, Z has ended. */
  state: string;
  /**
   * The kernel function in which the main thread sleeps; undefined while it runs, or when the kernel does not
   * tell.
   */
  waitChannel: string | undefined;
  /** Its child processes; it may be waiting for one of them, as `execSync` does. */
  children: { pid: number; command: string }[];
  /** Processor time since it started, user and system, in clock ticks of 10 ms. */
  cpuTicks: number;
}

const COMMAND_LENGTH = 128;

/** @returns undefined when there is no such process, or no /proc */
export function processState(pid: number): ProcessState | undefined {
  const stat = read(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field, the command's name in parentheses, may contain spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const waitChannel = read(`/proc/${pid}/wchan`);
  return {
    state: fields[0] ?? '?',
    waitChannel: waitChannel === undefined || waitChannel === '0' || waitChannel === '' ? undefined : waitChannel,
    children: childrenOf(pid),
    cpuTicks: Number(fields[11]) + Number(fields[12]),
  };
}

function childrenOf(pid: number): ProcessState['children'] {
  try {
    return readdirSync(`/proc/${pid}/task`)
      .flatMap((thread) => (read(`/proc/${pid}/task/${thread}/children`) ?? '').split(' '))
      .filter((child) => child !== '')
      .map((child) => ({
        pid: Number(child),
        command: (read(`/proc/${child}/cmdline`) ?? '').replaceAll('\0', ' ').trim().slice(0, COMMAND_LENGTH),
      }));
  } catch {
    return [];
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
