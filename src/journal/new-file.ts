/**
 * Making a file of a journal, and why the system refuses one.
 *
 * @module
 */
import { closeSync, constants, openSync, writeSync } from 'node:fs';
import { makeDirectory } from '../process/private-directory.js';
import { unmask } from '../process/private-file.js';
import { codeOf } from './system-error.js';

/** The system has no space, no memory, or no such directory for a file. */
export class NoFile extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

/** Opens a file that is not there yet, and makes its directory again where somebody has removed it. */
export function openNew(path: string, dir: string): number {
  // With O_EXCL it follows no link either.
  const flags = constants.O_RDWR | constants.O_CREAT | constants.O_EXCL;
  try {
    return openPrivate(path, flags);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw noFile(error);
  }
  // Somebody has removed the directory.
  try {
    makeDirectory(dir);
    return openPrivate(path, flags);
  } catch (error) {
    throw noFile(error);
  }
}

/** The shipper opens it as well, whatever the umask of this process. */
function openPrivate(path: string, flags: number): number {
  const fd = openSync(path, flags, 0o600);
  try {
    // By its path: under Node's permission model no descriptor's mode can be changed.
    unmask(path, 0o600);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
  return fd;
}

export function writeAll(fd: number, bytes: Uint8Array, position: number): void {
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done, bytes.length - done, position + done);
}

export function noFile(error: unknown): NoFile {
  if (error instanceof NoFile) return error;
  return new NoFile(codeOf(error) ?? 'unknown', (error as Error).message);
}
