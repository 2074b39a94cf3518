/**
 * The file that a process manager writes a process's standard error to: where it is, as the process says in
 * its journal, and the end of it, as whoever recovers that journal reads it.
 *
 * Whoever can write to the file's directory can put something else in its place. What is read leaves the
 * machine: so it has to be a file of this user, with no other name, that nobody has linked there.
 *
 * @module
 */
import { closeSync, constants, fstatSync, lstatSync, openSync, readSync, type Stats } from 'node:fs';
import { isAbsolute } from 'node:path';
import { isNumber, isObjectOf, isText, orNothing } from '../process/message-parser.js';
import { LAST_WORDS_BYTES } from './last-words.js';

export interface StderrFile {
  path: string;
  /** Device and inode; undefined where the file was not there yet. */
  id?: string | undefined;
  /** Bytes that were in it before the process. */
  from: number;
  /** When that was, in milliseconds since the epoch. */
  since: number;
  /** Of the process: the next one in it may write to the same file. */
  slot?: number | undefined;
  /** Nothing of it may be told but by the process's `redactLastWords`. */
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

/** File systems stamp files with a clock that is some milliseconds behind. */
const COARSE_MS = 20;

/** The file as it is now, when the process starts; undefined: nobody will find anything there. */
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
 * The last 16 KiB that were written to the file in the life of the process, from a whole line on. Never
 * throws.
 *
 * @param others as other processes have found it: what comes after the next one in the slot is not ours
 * @returns undefined for nothing, or for a file that is not one to read
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

/** undefined: the file is another one, which was there before the process. */
function firstByteOf({ id, from, since }: StderrFile, stats: Stats): number | undefined {
  // Emptied meanwhile, as `pm2 flush` and logrotate's copytruncate do, it has nothing older.
  if (id === idOf(stats)) return from <= stats.size ? from : 0;
  return stats.birthtimeMs >= since - COARSE_MS ? 0 : undefined;
}

const idOf = ({ dev, ino }: Stats) => `${dev}:${ino}`;
