/**
 * One shipper per journal directory, whoever started it, without anything that a crash could leave locked.
 *
 * The lock is the file `shipper-<generation>.lock` with the highest generation, and it is held while the
 * process that it names lives. To take over from a dead holder is to link the next generation, which one
 * process alone can do. Generations only grow: a holder that leaves marks its file as released and does not
 * delete it, so that a contender with an old view of the directory finds the next name taken, or, where its
 * name has been cleaned up since, a higher one beside it.
 *
 * @module
 */
import { linkSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import type { WriterIdentity } from '../journal/format.js';
import { isWriterDead, LEASE_TIMEOUT_MS, newWriterIdentity } from '../journal/identity.js';
import { isAbsence } from '../journal/list-journal.js';
import { writePrivate } from '../process/private-file.js';

const LOCK_FILE = /^shipper-([1-9]\d{0,14})\.lock$/;
const DRAFT_FILE = /^shipper-[0-9a-f]{32}\.draft$/;

const lockFile = (dir: string, generation: number) => join(dir, `shipper-${generation}.lock`);

export class ShipperLock {
  readonly #dir: string;
  readonly #generation: number;
  readonly #holder: WriterIdentity;

  private constructor(dir: string, generation: number, holder: WriterIdentity) {
    this.#dir = dir;
    this.#generation = generation;
    this.#holder = holder;
  }

  /**
   * @returns undefined where another process holds the lock, or has just taken it
   * @throws what the file system says when the directory cannot be written
   */
  static acquire(dir: string): ShipperLock | undefined {
    const generation = newestGeneration(dir);
    if (isHeld(dir, generation)) return undefined;
    const holder = newWriterIdentity(undefined);
    const next = generation + 1;
    const draft = join(dir, `shipper-${holder.id}.draft`);
    writePrivate(draft, JSON.stringify(holder), 'wx');
    try {
      linkSync(draft, lockFile(dir, next));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined;
      throw error;
    } finally {
      rmSync(draft, { force: true });
    }
    if (newestGeneration(dir) > next) {
      // What was looked at first was old, and the name was free only because it had been cleaned up.
      rmSync(lockFile(dir, next), { force: true });
      return undefined;
    }
    cleanUp(dir, next);
    return new ShipperLock(dir, next, holder);
  }

  /**
   * Tells contenders that cannot look this process up that it lives; to be called well within the lease time.
   */
  renew(): void {
    const now = new Date();
    try {
      utimesSync(lockFile(this.#dir, this.#generation), now, now);
    } catch {
      // The directory has just gone; isOurs tells.
    }
  }

  /**
   * False once another process has taken over, because the lease was not renewed in time, or the directory
   * has been removed. One that cannot be looked into, on a disk that fails or without a descriptor, is still
   * this process's.
   */
  isOurs(): boolean {
    try {
      const newest = newestGeneration(this.#dir);
      return newest === this.#generation && holderOf(this.#dir, newest)?.id === this.#holder.id;
    } catch (error) {
      return !isAbsence(error);
    }
  }

  /** Never throws: a lock that cannot be released ends with its process. */
  release(): void {
    if (!this.isOurs()) return;
    const draft = join(this.#dir, `shipper-${this.#holder.id}.draft`);
    try {
      writePrivate(draft, '');
      renameSync(draft, lockFile(this.#dir, this.#generation));
    } catch {
      // No space for a new file, or no directory any more.
    }
  }
}

/** Whether some process ships this directory. */
export function isShipperAlive(dir: string): boolean {
  try {
    return isHeld(dir, newestGeneration(dir));
  } catch (error) {
    // No directory, no shipper. Where this process cannot look, one that it starts cannot ship either:
    // another user's directory, as this process has changed its own, a disk that fails, no descriptor.
    return !isAbsence(error);
  }
}

/** The process that ships this directory now. */
export function shipperPid(dir: string): number | undefined {
  try {
    const generation = newestGeneration(dir);
    return isHeld(dir, generation) ? holderOf(dir, generation)?.pid : undefined;
  } catch {
    return undefined;
  }
}

function isHeld(dir: string, generation: number): boolean {
  if (generation === 0) return false;
  const holder = holderOf(dir, generation);
  if (!holder) return false;
  try {
    return !isWriterDead(holder, statSync(lockFile(dir, generation)).mtimeMs);
  } catch {
    // Cleaned up by a newer holder a moment ago: the newest generation is looked for again by whoever tries
    // again.
    return true;
  }
}

/**
 * undefined: released, or no lock file of ours.
 * @throws what the file system says when it cannot be read
 */
function holderOf(dir: string, generation: number): WriterIdentity | undefined {
  let text: string;
  try {
    text = readFileSync(lockFile(dir, generation), 'utf8');
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
  try {
    const holder: Partial<WriterIdentity> = JSON.parse(text);
    const { id, pid, thread, processStart, pidNamespace, bootId } = holder;
    const sound =
      typeof id === 'string' &&
      Number.isSafeInteger(pid) &&
      Number.isSafeInteger(thread) &&
      typeof processStart === 'number' &&
      typeof pidNamespace === 'number' &&
      typeof bootId === 'string';
    return sound ? (holder as WriterIdentity) : undefined;
  } catch {
    return undefined;
  }
}

/** Deletes lock files of earlier holders, and drafts of contenders that died over them. */
function cleanUp(dir: string, generation: number): void {
  for (const older of generations(dir)) {
    if (older < generation) rmSync(lockFile(dir, older), { force: true });
  }
  for (const name of readdirSync(dir).filter((entry) => DRAFT_FILE.test(entry))) {
    const draft = join(dir, name);
    const age = Date.now() - (statSync(draft, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > LEASE_TIMEOUT_MS) rmSync(draft, { force: true });
  }
}

function generations(dir: string): number[] {
  return readdirSync(dir).flatMap((name) => {
    const match = LOCK_FILE.exec(name);
    return match ? [Number(match[1])] : [];
  });
}

function newestGeneration(dir: string): number {
  return Math.max(0, ...generations(dir));
}
