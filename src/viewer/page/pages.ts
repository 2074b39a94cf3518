import { useRef, useState } from 'preact/hooks';
import { useData } from './live.ts';
import { withPrefix } from './prefix.ts';

const PAGE_ROWS = 200;

/** What every list answers. */
export interface List<Row> {
  /** All of it, whatever the filter. */
  held: number;
  total: number;
  /** There are more. */
  more?: boolean;
  until: number;
  newer: number;
  rows: Row[];
}

export interface Pages<Row, Answer extends List<Row>> {
  /** The newest answer, or the one at which the list is held. */
  list: Answer | undefined;
  error: string | undefined;
  /** Rows of it; fewer than it says when some have made room for newer ones while it is held. */
  total: number;
  /** Matching rows that have arrived since the list is held. */
  newer: number;
  /** A row; undefined while its page is on the way. */
  row: (index: number) => Row | undefined;
}

/**
 * The rows of the list at `path` that match `filter`. Live, it is the newest page again and again. Held,
 * nothing moves: what was there when holding began is read page by page, as far back as the viewer stores.
 */
export function usePages<Row, Answer extends List<Row>>(
  path: string,
  filter: string,
  held: boolean,
): Pages<Row, Answer> {
  const latest = useRef<{ filter: string; list: Answer }>(undefined);
  const known = latest.current?.filter === filter ? latest.current.list : undefined;
  const frozen = held ? known : undefined;
  const live = useData<Answer>(frozen === undefined ? `${path}?${filter}&plot=1&limit=${PAGE_ROWS}` : undefined);
  if (frozen === undefined && live.data !== undefined) latest.current = { filter, list: live.data };
  const list = frozen ?? live.data ?? known;
  const still = frozen && `${path}?${filter}&until=${frozen.until}`;
  const { data: news } = useData<Answer>(still && `${still}&limit=1`, { everyMs: 1000 });

  const pages = useRef<{ of: string | undefined; rows: Map<number, Row[] | undefined> }>({
    of: undefined,
    rows: new Map(),
  });
  const [, setArrived] = useState(0);
  if (pages.current.of !== still) pages.current = { of: still, rows: new Map() };

  const row = (index: number): Row | undefined => {
    if (index < (list?.rows.length ?? 0)) return list!.rows[index];
    if (still === undefined) return undefined;
    const { rows } = pages.current;
    const page = Math.floor(index / PAGE_ROWS);
    if (!rows.has(page)) {
      rows.set(page, undefined);
      fetch(withPrefix(`${still}&offset=${page * PAGE_ROWS}&limit=${PAGE_ROWS}`))
        .then((response) => response.json() as Promise<Answer>)
        .then((answer) => {
          rows.set(page, answer.rows);
          setArrived((count) => count + 1);
        })
        // Asked for again when it comes in sight again.
        .catch(() => rows.delete(page));
    }
    return rows.get(page)?.[index % PAGE_ROWS];
  };
  const total = Math.min(list?.total ?? 0, (frozen && news?.total) ?? Number.POSITIVE_INFINITY);
  return { list, error: live.error, total, newer: frozen === undefined ? 0 : (news?.newer ?? 0), row };
}
