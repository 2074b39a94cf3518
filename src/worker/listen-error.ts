/**
 * Explains why a server cannot listen: with the address, and the process that uses it, if that is known.
 *
 * @module
 */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { ListenOptions } from 'node:net';
import { ForktraceError } from '../errors.js';

/** An error about the address becomes a ForktraceError. Any other error is returned unchanged. */
export function listenError(error: unknown, { host, port, path }: ListenOptions): unknown {
  const { code } = error as NodeJS.ErrnoException;
  const address = path ?? `${host ?? 'port'}${host ? ':' : ' '}${port}`;
  const reason = reasonOf(code, port);
  return reason === undefined ? error : new ForktraceError('FORKTRACE_LISTEN', [address, reason], { cause: error });
}

function reasonOf(code: string | undefined, port: number | undefined): string | undefined {
  switch (code) {
    case 'EADDRINUSE': {
      const holder = port === undefined ? undefined : holderOf(port);
      return `it is in use${holder ? ` by ${holder}` : ''} (EADDRINUSE)`;
    }
    case 'EACCES':
      return 'this user may not (EACCES); ports below 1024 need a privilege';
    case 'EADDRNOTAVAIL':
      return 'this machine has no such address (EADDRNOTAVAIL)';
    case 'ENOTFOUND':
      return 'the name of the host is not known (ENOTFOUND)';
    default:
      return undefined;
  }
}

/**
 * "node server.js (pid 123)": the process that listens on a TCP port, if this user may see it. Linux only.
 */
export function holderOf(port: number): string | undefined {
  try {
    const inodes = listenersOn(port);
    if (inodes.size === 0) return undefined;
    for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      if (hasSocket(pid, inodes)) return `${commandOf(pid)} (pid ${pid})`;
    }
  } catch {
    // There is no /proc, or it hides the process.
  }
  return undefined;
}

/** Inodes of the sockets in state LISTEN (0A) on a port: proc(5), /proc/net/tcp. */
function listenersOn(port: number): Set<string> {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(table, 'utf8').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[1]?.endsWith(suffix) && fields[3] === '0A') inodes.add(`socket:[${fields[9]}]`);
    }
  }
  return inodes;
}

function hasSocket(pid: string, inodes: ReadonlySet<string>): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => inodes.has(readlinkSync(`/proc/${pid}/fd/${fd}`)));
  } catch {
    return false;
  }
}

function commandOf(pid: string): string {
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').join(' ').trim();
  // It is printed on a terminal.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  const plain = command.replace(/[\x00-\x1f\x7f]/g, ' ');
  return plain.length > 80 ? `${plain.slice(0, 79)}…` : plain;
}
