import { hostname } from 'node:os';

/**
 * A process that has been heard of so lately is there, whatever the kernel says: it may have another pid
 * where it lives.
 */
const HEARD_MS = 3000;

const thisHost = hostname();

export const isOfThisHost = (host: string): boolean => host === thisHost || host === '';

/**
 * Whether a process of this machine has ended: its spans say when it began and what it did, but nobody may be
 * left to say that it was killed.
 *
 * @param heardMs when it was last heard of
 * @returns undefined when that cannot be told from here
 */
export function processGone(
  { pid, host }: { pid: number | undefined; host: string },
  heardMs: number,
  now: number,
): boolean | undefined {
  if (pid === undefined || host !== thisHost) return undefined;
  if (now - heardMs < HEARD_MS) return false;
  try {
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}
