import { Fragment } from 'preact';
import { useState } from 'preact/hooks';
import type { RouteExampleView, RoutesView, RouteView } from '../api-types/routes.ts';
import { formatCount, formatDuration, formatRate } from '../format.ts';
import { condition } from '../views/filter-language.ts';
import { ago } from './clock.ts';
import { Differences } from './differences.tsx';
import { KnownSince, OF_MEMORY } from './known-since.tsx';
import { useData } from './live.ts';
import { filterLink, navigate, withQuery } from './location.ts';
import { ErrorShare, HttpStatus, OutcomeMark, SlotBadge } from './marks.tsx';
import { LONG_WINDOWS, Windows } from './windows.tsx';

const COLUMNS: { key: keyof RouteView & string; label: string }[] = [
  { key: 'requests', label: 'Requests' },
  { key: 'rate', label: 'Rate' },
  { key: 'errors', label: 'Errors' },
  { key: 'p50Ms', label: 'p50' },
  { key: 'p95Ms', label: 'p95' },
  { key: 'p99Ms', label: 'p99' },
  { key: 'maxMs', label: 'Max' },
];

export function RoutesPage({ query }: { query: URLSearchParams }) {
  const windowMs = query.get('window') ?? '900000';
  const sort = COLUMNS.find(({ key }) => key === query.get('sort'))?.key ?? 'requests';
  const { data } = useData<RoutesView>(`/api/routes?window=${windowMs}`, { everyMs: 1000 });
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const routes = data?.routes.toSorted((a, b) => Number(b[sort]) - Number(a[sort])) ?? [];
  const toggle = (key: string) => {
    const changed = new Set(open);
    if (!changed.delete(key)) changed.add(key);
    setOpen(changed);
  };
  return (
    <>
      <div class="page-head">
        <h1>Routes</h1>
        <KnownSince ms={data?.sinceMs} why={OF_MEMORY} />
        <Windows choices={LONG_WINDOWS} value={windowMs} />
      </div>
      {data && routes.length === 0 && (
        <div class="empty">
          <h2>No requests yet</h2>
          <p>SERVER spans of any service make this page.</p>
        </div>
      )}
      {routes.length > 0 && (
        <div class="table-box">
          <table class="routes stacked">
            <thead>
              <tr>
                <th scope="col">Route</th>
                {COLUMNS.map(({ key, label }) => (
                  <th key={key} scope="col" class="right" aria-sort={sort === key ? 'descending' : undefined}>
                    <button type="button" class="link" onClick={() => navigate(withQuery({ sort: key }))}>
                      {label}
                      {sort === key && ' ↓'}
                    </button>
                  </th>
                ))}
                <th scope="col">Durations</th>
              </tr>
            </thead>
            <tbody>
              {routes.map((route) => {
                const key = `${route.service} ${route.method} ${route.route}`;
                return (
                  <Fragment key={key}>
                    <tr class={route.interrupted > 0 ? 'interrupted' : route.errors > 0 ? 'error' : ''}>
                      <th scope="row">
                        <button type="button" class="link" aria-expanded={open.has(key)} onClick={() => toggle(key)}>
                          {open.has(key) ? '▾' : '▸'} <span class="method">{route.method}</span> {route.route}
                        </button>{' '}
                        <span class="muted">{route.service}</span>
                      </th>
                      {COLUMNS.map((column) => (
                        // On a phone there is no head above the numbers.
                        <td key={column.key} class="right num" data-label={column.label}>
                          <Figure route={route} of={column.key} />
                        </td>
                      ))}
                      <td data-label="Durations">
                        <Histogram counts={route.histogram} />
                      </td>
                    </tr>
                    {open.has(key) && (
                      <tr class="more">
                        <td colSpan={9}>
                          <RouteDetail route={route} windowMs={windowMs} />
                        </td>
                      </tr>
                    )}
                  </Fragment>
                );
              })}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}

function Figure({ route, of }: { route: RouteView; of: string }) {
  if (of === 'requests') return <>{formatCount(route.requests)}</>;
  if (of === 'rate') return <>{formatRate(route.rate)}</>;
  if (of === 'errors') return <Errors route={route} />;
  return <>{formatDuration(Number(route[of as keyof RouteView]))}</>;
}

function Errors({ route: { errors, interrupted, requests } }: { route: RouteView }) {
  return (
    <>
      <ErrorShare errors={errors} all={requests} />
      {interrupted > 0 && <span class="cut"> {interrupted} ✂</span>}
    </>
  );
}

/** Requests by duration, on a logarithmic axis. */
function Histogram({ counts }: { counts: number[] }) {
  const most = Math.max(...counts);
  const first = counts.findIndex((count) => count > 0);
  const last = counts.findLastIndex((count) => count > 0);
  return (
    <svg
      class="histogram"
      viewBox="0 0 120 22"
      width="120"
      height="22"
      role="img"
      aria-label={`From ${bucket(first)} to ${bucket(last + 1)}`}
    >
      <title>{`${bucket(first)} – ${bucket(last + 1)}`}</title>
      {counts.map((count, index) => {
        const height = count === 0 ? 1 : 3 + (Math.sqrt(count) / Math.sqrt(most)) * 18;
        return (
          <rect
            key={index}
            x={index * 5}
            y={22 - height}
            width="4"
            height={height}
            class={count === 0 ? 'none' : ''}
            rx="1"
          />
        );
      })}
    </svg>
  );
}

/** A bucket's lower bound. */
const bucket = (index: number) => formatDuration(0.1 * 10 ** (index / 4));

function RouteDetail({ route, windowMs }: { route: RouteView; windowMs: string }) {
  const conditions = [condition('service', '=', route.service)];
  if (route.method !== '') conditions.push(condition('method', '=', route.method));
  if (route.route !== '(no route)') conditions.push(condition('route', '=', route.route));
  return (
    <div class="route-detail">
      <section>
        <h2>Per worker</h2>
        <table>
          <thead>
            <tr>
              <th scope="col">Slot</th>
              <th scope="col" class="right">
                Requests
              </th>
              <th scope="col" class="right">
                Errors
              </th>
              <th scope="col" class="right">
                p50
              </th>
              <th scope="col" class="right">
                p95
              </th>
            </tr>
          </thead>
          <tbody>
            {route.workers.map((worker, index) => (
              <tr key={worker.slot ?? `process ${index}`}>
                <th scope="row">{worker.slot === undefined ? '–' : <SlotBadge slot={worker.slot} />}</th>
                <td class="right num">{formatCount(worker.requests)}</td>
                <td class="right num">
                  {worker.errors > 0 ? <span class="errors">{worker.errors}</span> : <span class="muted">0</span>}
                </td>
                <td class="right num">{formatDuration(worker.p50Ms)}</td>
                <td class="right num">{formatDuration(worker.p95Ms)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Examples title="Slowest" examples={route.slowest} />
      <Examples title="Failing" examples={route.failing} />
      <Differences route={route} windowMs={windowMs} conditions={conditions} />
      <p>
        <a href={filterLink(conditions)}>All traces of this route</a>
      </p>
    </div>
  );
}

function Examples({ title, examples }: { title: string; examples: RouteExampleView[] }) {
  return (
    <section>
      <h2>{title}</h2>
      {examples.length === 0 && <p class="muted">none</p>}
      <ul class="examples">
        {examples.map((example) => (
          <li key={example.traceId}>
            <a href={`/traces/${example.traceId}`}>
              <OutcomeMark outcome={example.outcome} /> <span class="num">{formatDuration(example.durationMs)}</span>{' '}
              <HttpStatus status={example.httpStatus} /> <span class="muted">{ago(example.startMs)}</span>
            </a>
          </li>
        ))}
      </ul>
    </section>
  );
}
