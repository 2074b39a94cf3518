import { chmodSync, lstatSync, renameSync, writeFileSync } from 'node:fs';

/**
 * Gives this user the permissions on a new file or directory that the process's umask has taken away. Changes
 * nothing else: where a mounted file system has modes of its own, they cannot be changed.
 *
 * @throws the error of the file system
 */
export function unmask(path: string, bits: number): void {
  if ((lstatSync(path).mode & bits) !== bits) chmodSync(path, bits);
}

/**
 * Writes a file that this user alone reads and writes, whatever the process's umask: one of 0177 or 0777 is
 * meant for the app's files, and would keep another process of the user from these.
 *
 * @throws the error of the file system
 */
export function writePrivate(path: string, text: string, flag: 'w' | 'wx' = 'w'): void {
  writeFileSync(path, text, { mode: 0o600, flag });
  unmask(path, 0o600);
}

/** As {@link writePrivate}; a reader finds the former file or the new one, and no part of either. */
export function replacePrivate(path: string, text: string): void {
  writePrivate(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}
