/**
 * The directory of a journal: private to one user, and bounded in bytes.
 *
 * @module
 */
import { accessSync, constants, lstatSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ForktraceError } from '../errors.js';
import { makeDirectory, strangerAbove, strangerIn } from '../process/private-directory.js';
import { SPARE, UNFINISHED, VITALS } from './format.js';
import { type JournalFile, listJournal, removeFile } from './list-journal.js';
import { isOfDeadWriter, isUnsound } from './open-file.js';
import { openSegment } from './segment-reader.js';

/** A file that is still being made when it is this old belongs to a writer that died meanwhile. */
const UNFINISHED_FILE_MS = 10 * 60_000;
const LEFTOVER = /^([0-9a-f]{32})-\d+\.(?:vitals|\w+\.(?:new|spare))$/;

/**
 * Makes the directory if need be, mode 0700, and checks that nobody else can read or replace what is in it.
 *
 * @throws ForktraceError FORKTRACE_JOURNAL_DIR
 */
export function openDirectory(dir: string): void {
  try {
    makeDirectory(dir);
    const found = strangerIn(lstatSync(dir));
    if (found !== undefined) throw unfit(dir, found);
    const above = strangerAbove(dirname(dir));
    if (above !== undefined) throw unfit(dirname(dir), above);
    accessSync(dir, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof ForktraceError) throw error;
    throw new ForktraceError('FORKTRACE_JOURNAL_DIR', [dir, (error as Error).message], { cause: error });
  }
}

function unfit(dir: string, found: string): ForktraceError {
  return new ForktraceError('FORKTRACE_JOURNAL_DIR', [dir, found]);
}

/** What {@link makeRoom} has deleted. */
export interface Dropped {
  spans: number;
  logRecords: number;
  bytes: number;
  segments: number;
}

/**
 * Deletes the oldest finished segments, shipped or not, until `wanted` more bytes fit into `maxBytes`: those
 * of log records first, so that no flood of lines drives spans out. Segments that a living writer still
 * writes stay: a directory takes at least two segments and a table per writer.
 *
 * Any number of processes may call this at once; each dropped segment is counted by one of them.
 */
export function makeRoom(dir: string, wanted: number, maxBytes: number): Dropped {
  const dropped: Dropped = { spans: 0, logRecords: 0, bytes: 0, segments: 0 };
  const files = listJournal(dir);
  const spares = listSpares(dir);
  let excess = wanted - maxBytes;
  for (const { path } of [...files, ...spares]) excess += sizeOf(path);
  for (const { path } of spares) {
    if (excess <= 0) break;
    const bytes = sizeOf(path);
    if (removeFile(path)) excess -= bytes;
  }
  if (excess <= 0) return dropped;

  const finished = files.filter((file) => file.kind !== 'in-flight').flatMap(finishedSegment);
  const rank = ({ kind }: JournalFile) => (kind === 'logs' ? 0 : 1);
  for (const file of finished.sort((a, b) => rank(a) - rank(b) || a.createdMs - b.createdMs)) {
    if (excess <= 0) break;
    const segment = openSegment(file);
    if (isUnsound(segment)) continue;
    segment.giveUp();
    // One process alone succeeds in removing a file, and counts it.
    if (removeFile(file.path)) {
      excess -= file.bytes;
      dropped[file.kind === 'logs' ? 'logRecords' : 'spans'] += segment.countUnshipped();
      dropped.bytes += file.bytes;
      dropped.segments++;
    }
    segment.close();
  }
  return dropped;
}

/** The file with its age and size, if nobody writes to it any more. */
function finishedSegment(file: JournalFile): (JournalFile & { createdMs: number; bytes: number })[] {
  const segment = openSegment(file);
  if (isUnsound(segment)) return [];
  const finished = segment.state().sealed || segment.writerIsDead();
  segment.close();
  return finished ? [{ ...file, createdMs: segment.header.createdMs, bytes: sizeOf(file.path) }] : [];
}

/**
 * Deletes what writers left behind that died while they made a file, and vitals pages that no shipper has
 * come for.
 */
export function removeUnfinishedFiles(dir: string, nowMs = Date.now()): void {
  for (const name of readdirSync(dir)) {
    if (!name.endsWith(UNFINISHED) && !name.endsWith(VITALS)) continue;
    try {
      // That of a living writer is renewed with its lease.
      if (nowMs - lstatSync(join(dir, name)).mtimeMs > UNFINISHED_FILE_MS) removeFile(join(dir, name));
    } catch {
      // Somebody else was faster.
    }
  }
}

/**
 * Deletes what one dead writer left behind that holds no spans: the segment that it was preparing, its spare
 * files, and its vitals page.
 */
export function removeLeftoversOf(dir: string, writerId: string): void {
  for (const name of readdirSync(dir)) {
    if (name.startsWith(`${writerId}-`) && (name.endsWith(UNFINISHED) || name.endsWith(SPARE) || name.endsWith(VITALS)))
      removeFile(join(dir, name));
  }
}

/**
 * Likewise, what is there of writers that have nothing else here and whose process has ended: no shipper
 * comes for them any more. Never throws.
 */
export function removeLeftovers(dir: string, hasFiles: (writerId: string) => boolean): void {
  try {
    for (const name of readdirSync(dir)) {
      const writerId = LEFTOVER.exec(name)?.[1];
      if (writerId === undefined || hasFiles(writerId)) continue;
      const path = join(dir, name);
      if (isOfDeadWriter(path, writerId)) removeFile(path);
    }
  } catch {
    // A directory that is gone, or may not be written.
  }
}

function listSpares(dir: string): { path: string }[] {
  return readdirSync(dir)
    .filter((name) => name.endsWith(SPARE))
    .map((name) => ({ path: join(dir, name) }));
}

function sizeOf(path: string): number {
  try {
    return lstatSync(path).size;
  } catch {
    return 0;
  }
}
