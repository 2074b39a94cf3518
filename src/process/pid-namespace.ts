import { readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';

/** Inode of the machine's own pid namespace: `PROC_PID_INIT_INO` in Linux's include/linux/proc_ns.h. */
const MACHINE = 0xeffffffc;

/**
 * Whether this process is PID 1 of a container: when it ends, the kernel kills everything in its pid
 * namespace, the shipper too.
 */
export const endsNamespace = process.pid === 1;

/**
 * Whether this process is in a container. There everything ends when PID 1 ends, and PID 1 often ends because
 * this process does.
 */
export function isInContainer(): boolean {
  try {
    return statSync('/proc/self/ns/pid').ino !== MACHINE;
  } catch {
    return false; // Not Linux.
  }
}

/** Programs that start another one, and end when it ends: inits, package managers and the like. */
const WAITING =
  /^(?:tini|tini-static|docker-init|dumb-init|catatonit|timeout|su|sudo|runuser|npm|npx|yarn|yarnpkg|pnpm)$/;
/** The title of `forktrace run --trace`, which is one of them. */
export const WAITING_TITLE = 'forktrace run --trace';
const SHELL = /^(?:sh|dash|ash|busybox|bash|zsh|ksh)$/;

/**
 * Whether a program of a container ends with the one that it has started. One that nobody knows may start
 * others, and its jobs must not wait.
 *
 * @param command its arguments, the program first
 */
export function onlyWaits([program = '', ...args]: readonly string[]): boolean {
  if (program === WAITING_TITLE) return true;
  // npm shows what it does in the place of its arguments: "npm start".
  const name = basename(program.split(' ')[0]!);
  // A shell that has nothing to run is a person's.
  if (SHELL.test(name)) return args.some((arg) => /^-\w*c$/.test(arg) || /^[^-]/.test(arg));
  if (name !== 'node') return WAITING.test(name);
  if (args.some((arg) => arg === '--run' || arg.startsWith('--run='))) return true;
  const script = args.find((arg) => !arg.startsWith('-'));
  return script !== undefined && WAITING.test(basename(script).replace(/(?:-cli)?\.[cm]?js$/, ''));
}

let isLast: boolean | undefined;

/**
 * Whether the container ends when this process does, the shipper too: this process is PID 1, or PID 1 only
 * waits for it, as an init, `npm start` or `sh -c` does.
 */
export function endsContainer(): boolean {
  isLast ??= endsNamespace || (isInContainer() && isWaitedFor(process.ppid));
  return isLast;
}

function isWaitedFor(parent: number): boolean {
  try {
    for (let pid = parent; pid > 0; pid = parentOf(pid)) {
      if (!onlyWaits(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').filter(Boolean))) return false;
      if (pid === 1) return true;
    }
  } catch {
    // It has ended, or is another user's.
  }
  // Started from outside, as by `docker exec`.
  return false;
}

/** The name of a program, before it in the file, may contain anything: proc(5). */
function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
}
