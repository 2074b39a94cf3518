import { type FileHandle, open } from 'node:fs/promises';
import { ForktraceError } from '../errors.js';
import { hasSqlite, SQLITE_MAGIC } from './database/sqlite.js';
import { TraceDatabase } from './database/trace-database.js';
import { TraceFile } from './store/trace-file.js';
import type { TraceStore } from './store/trace-store.js';

/**
 * What `--file` names: a database of days where Node.js has one, from 22.13 on; else a file of what memory
 * holds. One that is there stays of its kind.
 *
 * @throws ForktraceError FORKTRACE_VIEWER_FILE
 */
export async function openKeptTraces(
  path: string,
  maxBytes: number,
  store: TraceStore,
): Promise<TraceDatabase | TraceFile> {
  const head = await headOf(path);
  const is = (magic: Buffer) => head.subarray(0, magic.length).equals(magic);
  if (is(SQLITE_MAGIC) && !hasSqlite)
    throw new ForktraceError('FORKTRACE_VIEWER_FILE', [path, 'is a database, for which Node.js 22.13 is needed']);
  const database = is(SQLITE_MAGIC) || (head.length === 0 && hasSqlite);
  return database ? TraceDatabase.open(path, maxBytes, store) : TraceFile.open(path, store);
}

/** Its first bytes; none when it is not there. What else is wrong with it is said by who opens it. */
async function headOf(path: string): Promise<Buffer> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(SQLITE_MAGIC.length), 0, SQLITE_MAGIC.length, 0);
    return buffer.subarray(0, bytesRead);
  } catch {
    return Buffer.alloc(0);
  } finally {
    await file?.close();
  }
}
