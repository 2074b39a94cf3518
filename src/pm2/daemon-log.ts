/**
 * Reads how a process of pm2 ended from the log of its parent, pm2's daemon: `$PM2_HOME/pm2.log`.
 *
 * @module
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** One end of a process, as the daemon logs it. */
export interface Pm2Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** Milliseconds since the epoch. The log is precise to the second. */
  atMs: number;
}

/** Only this much of the end of the log is read. */
const READ_BYTES = 256 * 1024;
/** `2026-11-26T19:20:11: PM2 log: App [shop:0] exited with code [0] via signal [SIGKILL]`, in local time. */
const EXIT =
  /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d): PM2 log: App \[.*:(\d+)\] exited with code \[(\d+)\] via signal \[(\w+)\]/;

/**
 * The first logged end of the process with that pm2 id from `sinceMs` on. Undefined when the log has none, or
 * is in another place.
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
    // pm2 logs code 0 for a process that a signal ended, and SIGINT for one that no signal ended.
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
