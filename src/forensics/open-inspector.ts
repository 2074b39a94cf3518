/**
 * Opens the inspector of any Node.js process of this user, by its pid. The process need not use forktrace.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { ForktraceError } from '../errors.js';

const POLL_MS = 20;
const SIGUSR1_BIT = 1n << 9n;

/**
 * @param signal aborts the wait
 * @returns the address, and whether the inspector was open before: then a user has opened it, and it stays
 * open
 * @throws ForktraceError with code FORKTRACE_NO_INSPECTOR; SIGUSR1 would end a process that has no handler
 * for it, so only a Node.js process with one is signalled
 */
export async function openInspector(pid: number, signal: AbortSignal): Promise<{ url: string; wasOpen: boolean }> {
  if (process.platform !== 'linux') throw refused(pid, 'it can be found by pid on Linux only');
  const isSame = sameProcess(pid);
  check(pid);
  // Only ports that an inspector uses are asked: another port may be the app's own.
  for (const port of listeningPorts(pid).filter((port) => port >= 9229 && port < 9329)) {
    const url = await addressAt(port);
    if (url !== undefined) return { url, wasOpen: true };
  }
  const before = new Set(listeningPorts(pid));
  if (!isSame()) throw refused(pid, ENDED);
  process.kill(pid, 'SIGUSR1');
  while (!signal.aborted) {
    for (const port of listeningPorts(pid)) {
      const url = before.has(port) ? undefined : await addressAt(port);
      if (!isSame()) throw refused(pid, ENDED);
      if (url !== undefined) return { url, wasOpen: false };
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw refused(pid, 'its inspector did not open: it runs native code, or has a SIGUSR1 handler of its own');
}

const ENDED = 'it has ended, and its pid is another process by now';

/** Returns a function that tells whether `pid` is still the same process: one with the same start time. */
function sameProcess(pid: number): () => boolean {
  const start = startTime(pid);
  return () => startTime(pid) === start;
}

/**
 * Start time in clock ticks since boot: proc_pid_stat(5), field 22. The command before it may contain spaces.
 */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function check(pid: number): void {
  let program: string;
  let status: string;
  try {
    program = basename(readlinkSync(`/proc/${pid}/exe`).replace(/ \(deleted\)$/, ''));
    status = readFileSync(`/proc/${pid}/status`, 'utf8');
  } catch {
    throw refused(pid, "there is no such process, or it is another user's");
  }
  if (!/^node(js)?(-?\d.*)?$/.test(program)) throw refused(pid, `it runs ${program}, not node`);
  const caught = BigInt(`0x${/^SigCgt:\s*([0-9a-f]+)/m.exec(status)?.[1] ?? '0'}`);
  if ((caught & SIGUSR1_BIT) === 0n)
    throw refused(pid, 'SIGUSR1 would end it (--disable-sigusr1, or it has just started)');
}

/** The TCP ports that a process listens on, by the inodes of its sockets: proc(5), /proc/net/tcp. */
function listeningPorts(pid: number): number[] {
  const inodes = new Set<string>();
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      try {
        const inode = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`))?.[1];
        if (inode !== undefined) inodes.add(inode);
      } catch {
        // Closed since.
      }
    }
    return ['tcp', 'tcp6'].flatMap((table) =>
      readFileSync(`/proc/${pid}/net/${table}`, 'utf8')
        .split('\n')
        .map((line) => line.trim().split(/\s+/))
        .filter(([, , , state, , , , , , inode]) => state === '0A' && inodes.has(inode ?? ''))
        .map(([, local]) => Number.parseInt(local!.slice(local!.lastIndexOf(':') + 1), 16)),
    );
  } catch {
    throw refused(pid, 'its sockets cannot be read');
  }
}

/** Undefined when the port does not belong to an inspector. */
async function addressAt(port: number): Promise<string | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/json/list`, { signal: AbortSignal.timeout(500) });
    const targets = (await response.json()) as { webSocketDebuggerUrl?: unknown }[];
    const url = targets[0]?.webSocketDebuggerUrl;
    return typeof url === 'string' && url.startsWith(`ws://127.0.0.1:${port}/`) ? url : undefined;
  } catch {
    return undefined;
  }
}

function refused(pid: number, reason: string): ForktraceError {
  return new ForktraceError('FORKTRACE_NO_INSPECTOR', [pid, reason]);
}
