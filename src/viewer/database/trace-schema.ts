/**
 * The tables of a database of traces:
 *
 * | table | holds |
 * |---|---|
 * | `trace` | a row for each trace, as lists show it; its key is its start in microseconds |
 * | `block` | requests as they were received, one after the other, compressed |
 * | `terms` | full-text index of what a trace is found by, under the trace's key |
 * | `facet_value` | distinct routes, names, resources …, each of which is a term |
 * | `held` | how many traces there are: counting those of days takes seconds |
 *
 * @module
 */
import { type Database, openDatabase } from './sqlite.js';
import { Statements } from './statements.js';

/** `FTVW`: tells our databases from others. */
const APPLICATION_ID = 0x46545657;
const SCHEMA = `
  CREATE TABLE trace (
    key INTEGER PRIMARY KEY, sequence INTEGER, id TEXT, blocks TEXT, duration REAL, outcome TEXT, spans INTEGER,
    errors INTEGER, status INTEGER, processes INTEGER, slots TEXT, name TEXT, service TEXT
  ) STRICT;
  CREATE INDEX trace_by_arrival ON trace (sequence);
  CREATE TABLE block (id INTEGER PRIMARY KEY, newest INTEGER, size INTEGER, bytes BLOB) STRICT;
  CREATE TABLE facet_value (id INTEGER PRIMARY KEY, facet TEXT, value TEXT) STRICT;
  CREATE VIRTUAL TABLE terms USING fts5(
    words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii'
  );
  PRAGMA application_id = ${APPLICATION_ID};
`;
/** What files that are older than these have not. */
const ADDED = `
  CREATE INDEX IF NOT EXISTS block_by_newest ON block (newest);
  CREATE TABLE IF NOT EXISTS held (traces INTEGER) STRICT;
`;
const CACHE_KIB = 12 * 1024;
/** Segments of one level that are merged at a stretch, should steps not keep up. */
const CRISIS_SEGMENTS = 64;

/** @throws when the file is no database of ours, or cannot be written */
export function openTraceDatabase(path: string): Database {
  const database = openDatabase(path);
  try {
    database.exec(`
      PRAGMA page_size = 8192;
      PRAGMA auto_vacuum = INCREMENTAL;
      PRAGMA locking_mode = EXCLUSIVE;
      PRAGMA journal_mode = WAL;
      PRAGMA synchronous = NORMAL;
      PRAGMA temp_store = MEMORY;
      PRAGMA cache_size = -${CACHE_KIB};
    `);
    const statements = new Statements(database);
    if (statements.number('SELECT count(*) FROM sqlite_schema') === 0) database.exec(SCHEMA);
    else if (statements.number('PRAGMA application_id') !== APPLICATION_ID)
      throw new Error('it is the database of something else');
    database.exec(ADDED);
    database.exec(`
      INSERT INTO terms (terms, rank) VALUES ('automerge', 0);
      INSERT INTO terms (terms, rank) VALUES ('crisismerge', ${CRISIS_SEGMENTS});
    `);
    database.exec('CREATE VIRTUAL TABLE temp.vocabulary USING fts5vocab (main, terms, instance)');
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}
