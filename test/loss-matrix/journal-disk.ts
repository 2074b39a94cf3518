/**
 * Journal directories that run out of space.
 *
 * @module
 */
import { execFile } from 'node:child_process';
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** What this machine does not allow; the matrix prints it in place of a result. */
export class NotPossible extends Error {}

/** A small file system of its own, taken away at the end. Needs root. */
export async function mountTmpfs(t: { after(fn: () => unknown): void }, dir: string, size: string): Promise<void> {
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${size},mode=0700`, 'forktrace-test', dir]);
  } catch (error) {
    throw new NotPossible(`no tmpfs can be mounted here (${(error as { stderr?: string }).stderr?.trim() || error})`);
  }
  // Lazily: a shipper that was killed a moment ago may still have files open.
  t.after(() => run('umount', ['--lazy', dir]));
}

/** Leaves so many bytes free. */
export function fill(dir: string, free: number): void {
  let written = 0;
  const file = openSync(join(dir, 'filler'), 'w');
  try {
    for (let length = 1024 * 1024; length >= 1; length >>= 1) {
      try {
        for (;;) {
          // A short write is followed by ENOSPC.
          written += writeSync(file, Buffer.alloc(length));
        }
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
    ftruncateSync(file, written - free);
  } finally {
    closeSync(file);
  }
}

/** From now on no file of this process may get longer. Needs no rights for one's own processes; Linux. */
export async function limitFileSize(pid: number, bytes: number): Promise<void> {
  await run('prlimit', ['--pid', String(pid), `--fsize=${bytes}:${bytes}`]);
}
