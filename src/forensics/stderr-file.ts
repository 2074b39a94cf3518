/**
 * The file to which a process manager writes a process's standard error. The process notes in its journal
 * where the file is, and the recovery of that journal reads the end of the file.
 *
 * A user who can write to the file's directory can put another file in its place, and what is read leaves the
 * machine. So it is read only if it is a regular file of this user, has one name, and is no symbolic link.
 *
 * @module
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats } from 'node:fs';
import { isAbsolute } from 'node:path';
import { isNumber, isObjectOf, isText, orNothing } from '../process/message-parser.js';
import { LAST_WORDS_BYTES } from './last-words.js';

export interface StderrFile {
  path: string;
  /** Device and inode; undefined when the file did not exist yet. */
  id?: string | undefined;
  /** Size of the file in bytes when the process started. */
  from: number;
  /** When the process started, in milliseconds since the epoch. */
  since: number;
  /** Slot of the process: the next process in the slot may write to the same file. */
  slot?: number | undefined;
  /** The end of the file may be told only through the `redactLastWords` of the process. */
  needsRedaction?: boolean | undefined;
}

export const isStderrFile = isObjectOf<StderrFile>({
  path: isText,
  id: orNothing(isText),
  from: isNumber,
  since: isNumber,
  slot: orNothing(isNumber),
  needsRedaction: orNothing((value) => typeof value === 'boolean'),
});

/** Milliseconds by which the time stamps of file systems may be late. */
const COARSE_MS = 20;

/** Notes the state of the file at the start of the process. Undefined when it is no regular file. */
export function stderrFile(
  path: string | undefined,
  about: Pick<StderrFile, 'slot' | 'needsRedaction'> = {},
): StderrFile | undefined {
  if (path === undefined || !isAbsolute(path) || path.includes('\0')) return undefined;
  const since = Date.now();
  try {
    const stats = lstatSync(path);
    return stats.isFile() ? { path, id: idOf(stats), from: stats.size, since, ...about } : undefined;
  } catch {
    return { path, from: 0, since, ...about };
  }
}

/**
 * The last 16 KiB that were written to the file in the life of the process, beginning with a whole line.
 * Never throws.
 *
 * @param others the same file as other processes have noted it; what was written after the next process in
 * the slot started is not part of the result
 * @returns undefined when there is nothing, or the file must not be read
 */
export function endOfStderrFile(file: StderrFile, others: readonly StderrFile[] = []): string | undefined {
  try {
    if (!isAbsolute(file.path) || !lstatSync(file.path).isFile()) return undefined;
    const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0, O_NOCTTY = 0 } = constants;
    const fd = openSync(file.path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    try {
      return readEnd(fd, file, nextOf(file, others));
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

function nextOf({ path, slot, since }: StderrFile, others: readonly StderrFile[]): StderrFile | undefined {
  return others
    .filter((other) => other.path === path && other.slot === slot && other.since > since)
    .sort((a, b) => a.since - b.since)[0];
}

function readEnd(fd: number, file: StderrFile, next: StderrFile | undefined): string | undefined {
  const stats = fstatSync(fd);
  if (!isOurs(stats)) return undefined;
  const first = firstByteOf(file, stats);
  if (first === undefined) return undefined;
  const end = next?.id === idOf(stats) && next.from >= first ? Math.min(next.from, stats.size) : stats.size;
  // One byte more tells whether the first line is whole.
  const start = Math.max(first, end - LAST_WORDS_BYTES - 1);
  if (end <= start) return undefined;
  const bytes = Buffer.alloc(end - start);
  const read = bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, start));
  if (start === first) return read.toString('utf8');
  const line = read.indexOf(10);
  return read.toString('utf8', line < 0 ? 1 : line + 1);
}

const isOurs = (stats: Stats) =>
  stats.isFile() && stats.nlink === 1 && (process.geteuid === undefined || stats.uid === process.geteuid());

/** Undefined when the file is another one, which existed before the process. */
function firstByteOf({ id, from, since }: StderrFile, stats: Stats): number | undefined {
  // A file that has been emptied since, as by `pm2 flush` or logrotate's copytruncate, has no older bytes.
  if (id === idOf(stats)) return from <= stats.size ? from : 0;
  return stats.birthtimeMs >= since - COARSE_MS ? 0 : undefined;
}

const idOf = ({ dev, ino }: Stats) => `${dev}:${ino}`;
