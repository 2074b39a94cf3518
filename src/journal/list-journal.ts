import { readdirSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type JournalFileKind, parseFileName } from './format.js';

/** A file of a journal directory, by its name alone. */
export interface JournalFile {
  path: string;
  name: string;
  kind: JournalFileKind;
  writerId: string;
  sequence: number;
}

/** Whether it says that there is no such directory, or file; all else says that nobody could look. */
export function isAbsence(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/**
 * The files of a directory that have a journal's name, in order of writer and sequence. Empty when there is
 * no directory, or none that this process may read.
 */
export function listJournal(dir: string): JournalFile[] {
  try {
    return readJournalDirectory(dir);
  } catch {
    return [];
  }
}

/** As {@link listJournal}. @throws with the system's error */
export function readJournalDirectory(dir: string): JournalFile[] {
  const files: JournalFile[] = [];
  for (const name of readdirSync(dir)) {
    const parsed = parseFileName(name);
    if (parsed !== undefined) files.push({ path: join(dir, name), name, ...parsed });
  }
  return files.sort((a, b) => (a.writerId === b.writerId ? a.sequence - b.sequence : a.writerId < b.writerId ? -1 : 1));
}

/** Deletes a file of the journal. @returns false when it was gone already */
export function removeFile(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
