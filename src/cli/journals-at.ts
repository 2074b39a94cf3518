/**
 * Journals by the path that somebody has typed, and what is there instead when there is none.
 *
 * @module
 */
import { type Dirent, readdirSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { ForktraceError } from '../errors.js';
import { parseFileName } from '../journal/format.js';

/**
 * A service's journal directory itself, or those in a directory that holds several.
 *
 * @throws ForktraceError with code FORKTRACE_NO_JOURNAL
 */
export function journalsAt(path: string): string[] {
  const entries = entriesOf(path);
  if (entries.some(isJournalFile)) return [path];
  const journals = journalsBelow(path, entries);
  if (journals.length === 0) throw new ForktraceError('FORKTRACE_NO_JOURNAL', [path, describe(entries)]);
  return journals;
}

/**
 * For a command that takes one journal, or one file of it.
 *
 * @throws ForktraceError with code FORKTRACE_NO_JOURNAL
 */
export function requireOneJournal(path: string): void {
  if (isFile(path)) {
    if (parseFileName(basename(path))) return;
    throw new ForktraceError('FORKTRACE_NO_JOURNAL', [path, 'a file that is none of a journal']);
  }
  const entries = entriesOf(path);
  if (entries.some(isJournalFile)) return;
  const names = journalsBelow(path, entries).map((journal) => basename(journal));
  const found = names.length > 0 ? severalJournals(names) : describe(entries);
  throw new ForktraceError('FORKTRACE_NO_JOURNAL', [path, found]);
}

function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    // What is in the way is said by whoever reads the directory.
    return false;
  }
}

function journalsBelow(path: string, entries: readonly Dirent[]): string[] {
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => join(path, name))
    .filter(isJournal);
}

function isJournal(path: string): boolean {
  try {
    return readdirSync(path, { withFileTypes: true }).some(isJournalFile);
  } catch {
    // Another user's: none that this one can have written.
    return false;
  }
}

function isJournalFile({ name }: Dirent): boolean {
  return parseFileName(name) !== undefined;
}

/** What is there, for a command that did not find in it what it looks for. */
export function foundAt(path: string): string {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    const names = journalsBelow(path, entries).map((journal) => basename(journal));
    if (names.length > 0) return severalJournals(names);
    return entries.some(isJournalFile) ? 'a journal without them' : describe(entries);
  } catch (error) {
    return unreadable(error);
  }
}

function severalJournals(names: readonly string[]): string {
  return `a directory of journals (${names.join(', ')}): name one of them`;
}

function entriesOf(path: string): Dirent[] {
  try {
    return readdirSync(path, { withFileTypes: true });
  } catch (cause) {
    throw new ForktraceError('FORKTRACE_NO_JOURNAL', [path, unreadable(cause)], { cause });
  }
}

function unreadable(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'nothing';
  return code === 'ENOTDIR' ? 'a file' : `a directory that cannot be read (${code})`;
}

function describe(entries: readonly Dirent[]): string {
  if (entries.length === 0) return 'an empty directory';
  const names = entries.slice(0, 5).map(({ name }) => name);
  return `a directory with ${names.join(', ')}${entries.length > 5 ? ` and ${entries.length - 5} more` : ''}`;
}
