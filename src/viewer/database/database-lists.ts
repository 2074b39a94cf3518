import type { TraceListView, TracePointView, TraceRowView } from '../api-types/trace-list.js';
import { parseFilter } from '../views/filter-language.js';
import { conditionsTest, startsBetween } from '../views/trace-filter.js';
import { pageOf } from '../views/trace-list.js';
import { MAX_FAR_OFF, nearest, tracePlot } from '../views/trace-plot.js';
import type { Row, Value } from './sqlite.js';
import { keyAt, rowView, startOf } from './trace-row.js';
import { traceSearch } from './trace-search.js';
import type { TraceTables } from './trace-tables.js';

/** Rows of one list: a page cannot scroll through more. What is older is reached by its time. */
const MAX_LISTED = 100_000;
/** What takes reading is read for so long, from the newest on. */
const READING_MS = 700;
const READ_AT_ONCE = 200;
/** The plot shows all that matches, or of each of so many stretches of time so many. */
const STRETCHES = 80;
const OF_EACH = 50;
const MAX_PLOTTED = STRETCHES * OF_EACH;
/** Not by the index of arrival, which would have all that it finds sorted. */
const ARRIVED_BY = '+trace.sequence <= ?';
/** Lists that are held still are asked for page by page: so many are remembered. */
const MAX_HELD = 4;

/** Which rows match, as far as the database tells. */
interface Selection {
  from: string;
  /** Each holds; none is empty. */
  where: string[];
  values: Value[];
  order: string;
}

interface Found {
  total: number;
  /** There are more than `total`. */
  more: boolean;
  rows: (offset: number, limit: number) => Row[];
  /** Some of all the time, when there are too many to plot. */
  sample?: () => Row[];
  /** Start of the oldest that has been looked at, when time was up. */
  searchedToMs?: number;
}

/** The list of traces, as {@link TraceLists} of memory, of all that is in the database. */
export class DatabaseLists {
  readonly #tables: TraceTables;
  readonly #readingMs: number;
  /** What has been found for lists that are held. */
  readonly #held = new Map<string, Found>();

  /** @param readingMs how long one list may take what has to be read */
  constructor(tables: TraceTables, readingMs = READING_MS) {
    this.#tables = tables;
    this.#readingMs = readingMs;
  }

  /** @param givenUp tells that nobody waits for it any longer: what has to be read need not be */
  view(query: URLSearchParams, now = Date.now(), givenUp = () => false): TraceListView {
    const { limit, offset } = pageOf(query);
    const until = Number(query.get('until')) || 0;
    const conditions = parseFilter(query.get('q') ?? '');
    const search = traceSearch(conditions, this.#tables);
    const { from, to } = startsBetween(query, now);
    const selection = select(search, from, to);
    const rest = search.rest.length === 0 ? undefined : conditionsTest(search.rest);

    const find = (among: Selection, count?: number) =>
      rest === undefined ? this.#decided(among, count) : this.#reading(among, rest, givenUp);
    let found: Found;
    let newer = 0;
    if (until > 0) {
      newer = this.#newer(selection, rest, until, givenUp);
      const key = JSON.stringify(['q', 'from', 'to', 'last', 'until'].map((name) => query.get(name)));
      // When each arrived stands in its row, which counting all and taking off what is newer need not read.
      const count = () =>
        rest === undefined && selection.from === 'trace' && newer < MAX_LISTED
          ? this.#count(selection, newer) - newer
          : undefined;
      found = this.#held.get(key) ?? find(and(selection, ARRIVED_BY, until), count());
      this.#held.delete(key);
      if (!givenUp()) this.#held.set(key, found);
      if (this.#held.size > MAX_HELD) this.#held.delete(this.#held.keys().next().value as string);
    } else found = find(selection);

    const view: TraceListView = {
      total: found.total,
      more: found.more,
      searchedToMs: found.searchedToMs,
      held: this.#tables.held,
      until: until || this.#tables.lastSequence,
      newer,
      offset,
      rows: found.rows(offset, limit).map(rowView),
      slots: [],
      routes: [],
    };
    if (!query.has('plot')) return view;
    const sample = found.total > MAX_PLOTTED ? found.sample?.() : undefined;
    const rows = sample ?? found.rows(0, MAX_PLOTTED);
    return { ...view, plot: { ...tracePlot(rows.map(point)), sampled: sample && true } };
  }

  #rows({ from, where, values, order }: Selection, columns: string, rest: string): Row[] {
    const sql = `SELECT ${columns} FROM ${from}${where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`}`;
    return this.#tables.all(`${sql} ORDER BY ${order} ${rest}`, ...values);
  }

  #decided(selection: Selection, count?: number): Found {
    return selection.order === 'trace.key' ? this.#ofTable(selection, count) : this.#ofIndex(selection);
  }

  /** How many there are, up to as many as are listed, and `more`. */
  #count({ from, where, values }: Selection, more = 0): number {
    const inner = `SELECT 1 FROM ${from}${where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`}`;
    const limited = `SELECT count(*) AS count FROM (${inner} LIMIT ?)`;
    return Number(this.#tables.get(limited, ...values, MAX_LISTED + 1 + more)?.count);
  }

  /**
   * The index reads all that a term is in until it comes to the time that is asked for, which takes half a
   * second for a word of every trace of a day: once for all that is asked of it.
   */
  #ofIndex(selection: Selection): Found {
    const keys = this.#keys(selection, MAX_LISTED + 1);
    const more = keys.length > MAX_LISTED;
    if (more) keys.pop();
    const at = (wanted: string[]): Row[] => wanted.map((key) => this.#row(key)).filter((row) => row !== undefined);
    return {
      total: keys.length,
      more,
      rows: (offset, limit) => at(keys.slice(offset, offset + limit)),
      sample: () => {
        const step = Math.max(1, keys.length / MAX_PLOTTED);
        return at(Array.from({ length: Math.floor(keys.length / step) }, (_, n) => keys[Math.floor(n * step)]!));
      },
    };
  }

  /** Those of the newest `limit` that match. */
  #keys({ from, where, values, order }: Selection, limit: number): string[] {
    const condition = where.length === 0 ? '' : ` WHERE ${where.join(' AND ')}`;
    const found = `SELECT ${order} AS key FROM ${from}${condition} ORDER BY ${order} DESC LIMIT ${limit}`;
    // As one text: a hundred thousand rows take four times as long.
    const text = this.#tables.get(`SELECT group_concat(key) AS keys FROM (${found})`, ...values);
    return text?.keys == null ? [] : String(text.keys).split(',');
  }

  #row(key: string): Row | undefined {
    return this.#tables.get('SELECT * FROM trace WHERE key = ?', Number(key));
  }

  #ofTable(selection: Selection, count = this.#count(selection)): Found {
    return {
      total: Math.min(count, MAX_LISTED),
      more: count > MAX_LISTED,
      rows: (offset, limit) =>
        this.#rows(selection, 'trace.*', `DESC LIMIT ${Math.min(limit, MAX_LISTED - offset)} OFFSET ${offset}`),
      sample: () => this.#sample(selection),
    };
  }

  /** Looks at each trace, newest first, until time is up. */
  #reading(selection: Selection, test: ReturnType<typeof conditionsTest>, givenUp: () => boolean): Found {
    const until = performance.now() + this.#readingMs;
    // The index may have to put all that it finds in order each time that it is asked.
    const atOnce = selection.from === 'trace' ? READ_AT_ONCE : MAX_LISTED;
    const found: Row[] = [];
    let last: string | undefined;
    let over = false;
    while (!over && found.length < MAX_LISTED) {
      const next = last === undefined ? selection : and(selection, `${selection.order} < ?`, Number(last));
      const keys = this.#keys(next, atOnce);
      for (const key of keys) {
        last = key;
        const row = this.#row(key);
        const trace = row && this.#tables.traceOf(row);
        if (trace !== undefined && test(trace)) found.push(row!);
        over = performance.now() > until || givenUp();
        if (over) break;
      }
      if (keys.length < atOnce) break;
    }
    return {
      total: found.length,
      more: over,
      searchedToMs: over ? startOf(Number(last)) : undefined,
      rows: (offset, limit) => found.slice(offset, offset + limit),
    };
  }

  /** How many that match have arrived since. */
  #newer(
    selection: Selection,
    test: ReturnType<typeof conditionsTest> | undefined,
    until: number,
    givenUp: () => boolean,
  ): number {
    // With `min(key)`, SQLite would look for it from the oldest trace on, through all of them.
    const oldest = this.#tables.get('SELECT min(+key) AS key FROM trace WHERE sequence > ?', until)?.key;
    if (oldest == null) return 0;
    const recent = and(and(selection, `${selection.order} >= ?`, oldest), 'trace.sequence > ?', until);
    return (test === undefined ? this.#decided(recent) : this.#reading(recent, test, givenUp)).total;
  }

  /** Of each stretch of the time in which there are any, the newest; and the few that are far off. */
  #sample(selection: Selection): Row[] {
    const end = (order: string) => this.#rows(selection, 'trace.*', `${order} LIMIT ${MAX_FAR_OFF + 1}`);
    const ends = [...end('ASC'), ...end('DESC').reverse()];
    const near = nearest(
      ends.map(({ key }) => startOf(key as number)),
      MAX_FAR_OFF,
    );
    const isNear = ({ key }: Row) =>
      near === undefined || (startOf(key as number) >= near.fromMs && startOf(key as number) <= near.toMs);
    const first = Number(ends.find(isNear)?.key ?? 0);
    const width = (Number(ends.findLast(isNear)?.key ?? 0) - first + 1) / STRETCHES;
    const rows = ends.filter((row) => !isNear(row));
    for (let stretch = 0; stretch < STRETCHES; stretch++) {
      const bounds = [Math.floor(first + stretch * width), Math.ceil(first + (stretch + 1) * width) - 1] as const;
      const within = and(selection, `${selection.order} BETWEEN ? AND ?`, ...bounds);
      rows.push(...this.#rows(joined(within), 'trace.*', `DESC LIMIT ${OF_EACH}`));
    }
    return rows;
  }
}

function select({ match, rows }: ReturnType<typeof traceSearch>, from: number, to: number): Selection {
  const order = match === '' ? 'trace.key' : 'terms.rowid';
  let selection: Selection = { from: match === '' ? 'trace' : 'terms', where: [], values: [], order };
  if (match !== '') selection = and(selection, 'terms MATCH ?', match);
  if (from > Number.NEGATIVE_INFINITY) selection = and(selection, `${order} >= ?`, keyAt(from));
  // To the end of the last microsecond.
  if (to < Number.POSITIVE_INFINITY) selection = and(selection, `${order} <= ?`, keyAt(to));
  for (const { sql, value } of rows) selection = and(selection, sql, value);
  return selection;
}

/** Columns of `trace` are at hand when a condition names one, or the row is asked for. */
function joined(selection: Selection): Selection {
  return selection.from === 'terms'
    ? { ...selection, from: 'terms CROSS JOIN trace ON trace.key = terms.rowid' }
    : selection;
}

function and(selection: Selection, sql: string, ...values: Value[]): Selection {
  const ofTrace = !sql.startsWith('terms');
  const { from, where, values: before, order } = ofTrace ? joined(selection) : selection;
  return { from, where: [...where, sql], values: [...before, ...values], order };
}

function point(row: Row): TracePointView {
  const { id, name, startMs, durationMs, outcome }: TraceRowView = rowView(row);
  return { id, name, startMs, durationMs, outcome };
}
