/**
 * How a process of pm2 has ended, by the log of pm2's daemon, its parent: `$PM2_HOME/pm2.log`.
 *
 * @module
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** What the daemon says of one end. */
export interface Pm2Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Milliseconds since the epoch, as precise as the log: to the second. */
  atMs: number;
}

/** Ends that are older are not looked for. */
const READ_BYTES = 256 * 1024;
/** `2026-11-26T19:20:11: PM2 log: App [shop:0] exited with code [0] via signal [SIGKILL]`, in local time. */
const EXIT =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d): PM2 log: App \[.*:(\d+)\] exited with code \[(\d+)\] via signal \[(\w+)\]/;

/**
 * The first end of the process with that id in pm2 from `sinceMs` on; undefined where the log has none, or is
 * somewhere else.
 */
export function exitInPm2Log(
  pm2Id: number,
  sinceMs: number,
  env: NodeJS.ProcessEnv = process.env,
): Pm2Exit | undefined {
  const since = Math.floor(sinceMs / 1000) * 1000;
  for (const line of endOf(join(env.PM2_HOME ?? join(homedir(), '.pm2'), 'pm2.log')).split('\n')) {
    const [, time, id, code, signal] = EXIT.exec(line) ?? [];
    const atMs = Date.parse(time ?? '');
    if (Number(id) !== pm2Id || !(atMs >= since)) continue;
    // Of one that a signal has ended it says code 0; of one that has not, SIGINT.
    return code === '0'
      ? { code: null, signal: signal as NodeJS.Signals, atMs }
      : { code: Number(code), signal: null, atMs };
  }
  return undefined;
}

function endOf(path: string): string {
  try {
    const fd = openSync(path, 'r');
    try {
      const { size } = fstatSync(fd);
      const bytes = Buffer.alloc(Math.min(size, READ_BYTES));
      return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, size - bytes.length));
    } finally {
      closeSync(fd);
    }
  } catch {
    return '';
  }
}
