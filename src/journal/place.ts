/**
 * Which directory a path leads to. Whoever holds files of it open has them also when it has been moved away
 * or unmounted, and nobody else finds them there.
 *
 * @module
 */
import { type Stats, stat, statSync } from 'node:fs';
import { isAbsence } from './list-journal.js';

/** Device and inode; undefined: the directory is not there, or cannot be looked at. */
export type Place = string | undefined;

export const placeIn = ({ dev, ino }: Pick<Stats, 'dev' | 'ino'>): Place => `${dev}:${ino}`;

/** Never throws. */
export function placeOf(dir: string): Place {
  try {
    return placeIn(statSync(dir));
  } catch {
    return undefined;
  }
}

/** Whether the path leads elsewhere now, or nowhere. Never throws. */
export function hasMoved(dir: string, place: Place): boolean {
  try {
    return isOther(null, statSync(dir), place);
  } catch (error) {
    return isOther(error as NodeJS.ErrnoException, undefined, place);
  }
}

/** As {@link hasMoved}; asked of the system in another thread. */
export function askWhetherMoved(dir: string, place: Place, done: (moved: boolean) => void): void {
  stat(dir, (error, stats) => done(isOther(error, stats, place)));
}

/**
 * A network file system that does not answer, and a directory that this user may not see, may well be there.
 */
function isOther(error: NodeJS.ErrnoException | null, stats: Stats | undefined, place: Place): boolean {
  if (place === undefined) return false;
  return error === null ? placeIn(stats!) !== place : isAbsence(error);
}
