import { createRequire, isBuiltin } from 'node:module';

/** What is used of `node:sqlite`; the types of Node.js 20 do not have it. */
export interface Database {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

export type Value = number | string | null | Uint8Array;
export type Row = Record<string, Value>;

export interface Statement {
  run(...values: Value[]): { changes: number | bigint; lastInsertRowid: number | bigint };
  get(...values: Value[]): Row | undefined;
  all(...values: Value[]): Row[];
}

/** From Node.js 22.13 on, without a flag. */
export const hasSqlite = isBuiltin('node:sqlite');

/** @throws when the file is no database, or cannot be written */
export function openDatabase(path: string): Database {
  const { DatabaseSync } = createRequire(import.meta.url)('node:sqlite') as {
    DatabaseSync: new (path: string) => Database;
  };
  return new DatabaseSync(path);
}

/** How any SQLite database begins. */
export const SQLITE_MAGIC = Buffer.from('SQLite format 3\0');
