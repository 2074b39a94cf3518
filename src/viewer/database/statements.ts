/**
 * SQL for one database. Statements are prepared once and kept for the next time.
 *
 * @module
 */
import type { Database, Row, Statement, Value } from './sqlite.js';

const MAX_KEPT = 200;

export class Statements {
  readonly #database: Database;
  readonly #kept = new Map<string, Statement>();

  constructor(database: Database) {
    this.#database = database;
  }

  get(sql: string, ...values: Value[]): Row | undefined {
    return this.#prepared(sql).get(...values);
  }

  all(sql: string, ...values: Value[]): Row[] {
    return this.#prepared(sql).all(...values);
  }

  /** @returns how many rows it was about */
  run(sql: string, ...values: Value[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  /** The one number that a query gives. */
  number(sql: string): number {
    return Number(Object.values(this.get(sql)!)[0]);
  }

  #prepared(sql: string): Statement {
    let statement = this.#kept.get(sql);
    if (statement === undefined) {
      statement = this.#database.prepare(sql);
      this.#kept.set(sql, statement);
      if (this.#kept.size > MAX_KEPT) this.#kept.delete(this.#kept.keys().next().value as string);
    }
    return statement;
  }
}
