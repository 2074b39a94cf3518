import { readdirSync, readFileSync } from 'node:fs';

/** Whether `pid` runs: a zombie that nobody has reaped does not. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The command in parentheses may hold anything, so the state is looked for behind the last one.
    return !stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
  } catch {
    return process.platform !== 'linux';
  }
}

/**
 * Pids of the processes that were started with `entry` (NAME=value) in their environment, orphans included.
 * Linux only; elsewhere there is nothing to look in, and the list is empty.
 */
export function pidsWithEnvironment(entry: string): number[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(entry);
      } catch {
        return false; // Gone, or not ours.
      }
    })
    .map(Number)
    .filter(isAlive);
}
