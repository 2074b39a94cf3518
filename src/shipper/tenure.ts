/**
 * How a shipper comes to a directory and leaves it, so that no program's spans are left behind between two
 * shippers.
 *
 * A program makes its journal's files, then looks whether the directory's lock is held, and starts a shipper
 * if not. A shipper that leaves gives the lock back, then looks once more: for files that it has not seen,
 * and, if it has been told to leave, whether a program lived when it last looked. Whatever the order of these
 * four steps: either the program finds the lock free, or the shipper finds the program.
 *
 * A shipper that is killed looks no more. A program that has found one looks again when it ends.
 *
 * @module
 */

/** Why a shipper has given its lock back. */
export type Leaving =
  /** Nothing was left to do. */
  | 'idle'
  /** For another one, which a living program is about to start. */
  | 'making way'
  /** It was told to, or its lock was taken. */
  | 'told'
  /** The system has told it to: its process must end. */
  | 'for good';

/** A journal directory, as its shipper sees it. */
export interface Tended<Lock> {
  /** undefined: another process has the lock. */
  acquire(): Lock | undefined | Promise<Lock | undefined>;
  /** Ships, and gives the lock back in the end. */
  ship(lock: Lock): Promise<Leaving>;
  /**
   * Whether a program counts on the lock that has been given back: it lived when {@link ship} last looked, or
   * its files were not there yet.
   */
  isNeeded(): boolean | Promise<boolean>;
  /** Waits for the one that it has made way for. */
  makeWay(): Promise<void>;
}

/** @returns whether this process has had the lock at all */
export async function tend<Lock>(directory: Tended<Lock>): Promise<boolean> {
  for (let had = false; ; had = true) {
    const lock = await directory.acquire();
    if (lock === undefined) return had;
    const leaving = await directory.ship(lock);
    if (leaving === 'for good') return true;
    if (leaving === 'making way') await directory.makeWay();
    else if (!(await directory.isNeeded())) return true;
  }
}
