import type { SpanRowView, TraceView } from '../api-types/trace.ts';
import type { TraceListView } from '../api-types/trace-list.ts';
import { counted, formatDuration } from '../format.ts';
import { condition } from '../views/filter-language.ts';
import { ago, clock } from './clock.ts';
import { useData } from './live.ts';
import { OutcomeMark } from './marks.tsx';

/** Rows shown; two traces that differ in more are read in the waterfall. */
const MAX_ROWS = 2000;

/** Two traces side by side: what both did, what only one did, and where the time differs. */
export function ComparePage({ query }: { query: URLSearchParams }) {
  const [a, b] = [query.get('a') ?? '', query.get('b') ?? ''];
  const { data: first } = useData<TraceView>(a === '' ? undefined : `/api/traces/${a}`, { live: false });
  const { data: second } = useData<TraceView>(b === '' ? undefined : `/api/traces/${b}`, { live: false });
  if (first === undefined) return <p class="loading">{a === '' ? 'Compare from the page of a trace.' : 'Loading…'}</p>;
  return (
    <>
      <div class="page-head">
        <h1>Compare</h1>
        <p class="facts">
          <TraceLink trace={first} letter="A" />
          {second && <TraceLink trace={second} letter="B" />}
        </p>
      </div>
      {second === undefined ? <Choose first={first} /> : <Differences first={first} second={second} />}
    </>
  );
}

function TraceLink({ trace, letter }: { trace: TraceView; letter: string }) {
  return (
    <span>
      <b>{letter}</b> <OutcomeMark outcome={trace.outcome} /> <a href={`/traces/${trace.id}`}>{trace.name}</a>{' '}
      <span class="num">{formatDuration(trace.durationMs)}</span>{' '}
      <span class="muted">
        {counted(trace.rows.length, 'span')}, {clock(trace.startMs)}
      </span>
    </span>
  );
}

function Choose({ first }: { first: TraceView }) {
  const q = condition('name', '=', first.name);
  const { data } = useData<TraceListView>(`/api/traces?${new URLSearchParams({ q, limit: '100' })}`, { live: false });
  const others = data?.rows.filter(({ id }) => id !== first.id).sort((x, y) => x.durationMs - y.durationMs) ?? [];
  return (
    <section class="chronicle">
      <h2>With which one? Others of this name, the fastest first</h2>
      <ol class="choices">
        {others.map((row) => (
          <li key={row.id}>
            <span class="num">{formatDuration(row.durationMs)}</span>
            <span>
              <OutcomeMark outcome={row.outcome} />
            </span>
            <a href={`/compare?a=${first.id}&b=${row.id}`}>
              {row.name}, {counted(row.spans, 'span')}, {ago(row.startMs)}
            </a>
          </li>
        ))}
      </ol>
      {data && others.length === 0 && <p class="muted">There is no other.</p>}
    </section>
  );
}

interface Pair {
  depth: number;
  name: string;
  a?: SpanRowView;
  b?: SpanRowView;
}

/** Spans are the same when their path of names is, and they are the how manieth of it. */
function pairsOf(first: TraceView, second: TraceView): Pair[] {
  const keyed = ({ rows }: TraceView) => {
    const keys: string[] = [];
    const seen = new Map<string, number>();
    return rows.map((row) => {
      const path = `${keys[row.parent] ?? ''}\n${row.name}`;
      const nth = seen.get(path) ?? 0;
      seen.set(path, nth + 1);
      const key = `${path} ${nth}`;
      keys.push(key);
      return { key, row, parent: keys[row.parent] };
    });
  };
  const left = keyed(first);
  const right = keyed(second);
  const others = new Map(right.map(({ key, row }) => [key, row]));
  const below = new Map<string, typeof right>();
  const inLeft = new Set(left.map(({ key }) => key));
  for (const one of right) {
    if (inLeft.has(one.key)) continue;
    const list = below.get(one.parent ?? '') ?? [];
    below.set(one.parent ?? '', [...list, one]);
  }
  const pairs: Pair[] = [];
  const addOnlyRight = (parent: string) => {
    const stack = [...(below.get(parent) ?? [])].reverse();
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      pairs.push({ depth: next.row.depth, name: next.row.name, b: next.row });
      stack.push(...[...(below.get(next.key) ?? [])].reverse());
    }
  };
  for (const { key, row } of left) {
    pairs.push({ depth: row.depth, name: row.name, a: row, b: others.get(key) });
    addOnlyRight(key);
  }
  addOnlyRight('');
  return pairs;
}

function Differences({ first, second }: { first: TraceView; second: TraceView }) {
  const pairs = pairsOf(first, second);
  const most = Math.max(1e-6, first.durationMs, second.durationMs);
  return (
    <div class="table-box">
      <table class="statistics compare stacked">
        <caption class="hidden">Spans of both traces</caption>
        <thead>
          <tr>
            <th scope="col">Span</th>
            <th scope="col" class="right">
              A
            </th>
            <th scope="col" class="right">
              B
            </th>
            <th scope="col" class="right">
              B − A
            </th>
            <th scope="col">Times</th>
          </tr>
        </thead>
        <tbody>
          {pairs.slice(0, MAX_ROWS).map(({ depth, name, a, b }, index) => {
            const more = (b?.durationMs ?? 0) - (a?.durationMs ?? 0);
            return (
              <tr key={index} class={a === undefined ? 'only-b' : b === undefined ? 'only-a' : ''}>
                <th scope="row" style={{ '--depth': Math.min(depth, 20) }}>
                  {name}{' '}
                  {(a === undefined || b === undefined) && (
                    <span class="muted">only in {a === undefined ? 'B' : 'A'}</span>
                  )}
                </th>
                <td class="right num" data-label="A">
                  {a ? formatDuration(a.durationMs) : '–'}
                </td>
                <td class="right num" data-label="B">
                  {b ? formatDuration(b.durationMs) : '–'}
                </td>
                <td class={`right num ${more > most * 0.02 ? 'errors' : ''}`} data-label="B − A">
                  {more < 0 ? '−' : '+'}
                  {formatDuration(Math.abs(more))}
                </td>
                <td class="two-bars" data-label="Times">
                  {[a, b].map((row, side) => (
                    <span key={side}>
                      {row && (
                        <i
                          class={side === 0 ? 'k-ok' : 'k-cut-plain'}
                          style={{
                            marginLeft: `${Math.max(0, (row.offsetMs / most) * 100)}%`,
                            width: `max(1px, ${(row.durationMs / most) * 100}%)`,
                          }}
                        />
                      )}
                    </span>
                  ))}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}
