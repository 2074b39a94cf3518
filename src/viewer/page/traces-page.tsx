import { useEffect, useRef, useState } from 'preact/hooks';
import type { TraceListView, TraceRowView } from '../api-types.ts';
import { counted, formatCount, formatDuration } from '../format.ts';
import { ago, clock } from './clock.ts';
import { useKeys } from './keys.ts';
import { type LiveState, useData } from './live.ts';
import { navigate, withQuery } from './location.ts';
import { HttpStatus, OutcomeMark, SlotBadge } from './marks.tsx';
import { Scatter } from './scatter.tsx';
import { VirtualRows } from './virtual-rows.tsx';

const FILTERS = ['q', 'status', 'route', 'service', 'slot', 'min', 'max', 'attr', 'from', 'to'];
const STATUSES = [
  ['', 'Any status'],
  ['error', 'Errors'],
  ['interrupted', 'Interrupted'],
  ['ok', 'OK'],
  ['2xx', '2xx'],
  ['4xx', '4xx'],
  ['5xx', '5xx'],
] as const;
const DURATIONS = [
  ['', 'Any duration'],
  ['10', '≥ 10 ms'],
  ['50', '≥ 50 ms'],
  ['100', '≥ 100 ms'],
  ['500', '≥ 500 ms'],
  ['1000', '≥ 1 s'],
] as const;

export function TracesPage({ query, live }: { query: URLSearchParams; live: LiveState }) {
  const filter = new URLSearchParams([...query].filter(([name]) => FILTERS.includes(name)));
  const { data } = useData<TraceListView>(`/api/traces?${filter}`);
  const narrow = useNarrow();
  const rows = data?.rows ?? [];
  const filtered = [...filter].length > 0;
  return (
    <>
      <h1 class="hidden">Traces</h1>
      <FilterBar query={query} data={data} services={live.state?.services ?? []} />
      <Scatter rows={rows} />
      <div class="list-head" aria-hidden="true">
        <span />
        <span>Trace</span>
        <span>Status</span>
        <span class="wide">Worker</span>
        <span class="wide right">Spans</span>
        <span class="right">Duration</span>
        <span class="wide right">Started</span>
      </div>
      <TraceList rows={rows} rowHeight={narrow ? 52 : 36} />
      {data !== undefined && rows.length === 0 && <Empty filtered={filtered} live={live} />}
      <p class="foot" role="status">
        {data && (
          <>
            {filtered
              ? `${formatCount(data.total)} of ${formatCount(data.held)} ${data.held === 1 ? 'trace matches' : 'traces match'}`
              : counted(data.held, 'trace')}
            {rows.length < data.total && `, the newest ${formatCount(rows.length)} are listed`}
          </>
        )}
      </p>
    </>
  );
}

function useNarrow(): boolean {
  const media = matchMedia('(max-width: 720px)');
  const [narrow, setNarrow] = useState(media.matches);
  useEffect(() => {
    const update = () => setNarrow(media.matches);
    media.addEventListener('change', update);
    return () => media.removeEventListener('change', update);
  }, []);
  return narrow;
}

function Empty({ filtered, live }: { filtered: boolean; live: LiveState }) {
  if (filtered) {
    return (
      <div class="empty">
        <h2>No trace matches</h2>
        <p>
          <a href="/traces">Clear the filter</a>
        </p>
      </div>
    );
  }
  return (
    <div class="empty">
      <h2>Waiting for traces</h2>
      <p>Point any OpenTelemetry SDK or Collector here:</p>
      <pre>
        OTEL_EXPORTER_OTLP_ENDPOINT={live.state?.otlpHttpUrl ?? location.origin}
        {'\n'}OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
      </pre>
      {live.state && <p class="muted">or OTLP/gRPC at {live.state.otlpGrpcUrl}</p>}
    </div>
  );
}

function FilterBar({
  query,
  data,
  services,
}: {
  query: URLSearchParams;
  data: TraceListView | undefined;
  services: string[];
}) {
  const set = (name: string) => (event: Event) =>
    navigate(withQuery({ [name]: (event.target as HTMLInputElement).value.trim() }), true);
  const value = (name: string) => query.get(name) ?? '';
  const brushed = query.has('from') || query.has('to') || query.has('max');
  const any = FILTERS.some((name) => query.has(name));
  return (
    <search class="filters">
      <TextFilter name="q" label="Search" placeholder="Search names, ids, attributes…  /" value={value('q')} search />
      <select aria-label="Status" value={value('status')} onChange={set('status')}>
        {STATUSES.map(([status, label]) => (
          <option key={status} value={status}>
            {label}
          </option>
        ))}
      </select>
      <select aria-label="Route" value={value('route')} onChange={set('route')}>
        <option value="">Any route</option>
        {options(data?.routes ?? [], value('route'))}
      </select>
      <select aria-label="Service" value={value('service')} onChange={set('service')}>
        <option value="">Any service</option>
        {options(services, value('service'))}
      </select>
      <select aria-label="Worker slot" value={value('slot')} onChange={set('slot')}>
        <option value="">Any worker</option>
        {options((data?.slots ?? []).map(String), value('slot')).map((option) => option)}
      </select>
      <select aria-label="Duration" value={value('min')} onChange={set('min')}>
        {DURATIONS.map(([duration, label]) => (
          <option key={duration} value={duration}>
            {label}
          </option>
        ))}
        {!DURATIONS.some(([duration]) => duration === value('min')) && (
          <option value={value('min')}>≥ {formatDuration(Number(value('min')))}</option>
        )}
      </select>
      <TextFilter name="attr" label="Attribute" placeholder="attribute=value" value={value('attr')} />
      {brushed && <span class="chip">Selected in the plot</span>}
      {any && (
        <a class="clear" href="/traces">
          Clear
        </a>
      )}
    </search>
  );
}

/** The chosen one is offered even when there is no more of it. */
function options(names: string[], chosen: string) {
  const all = chosen === '' || names.includes(chosen) ? names : [chosen, ...names];
  return all.map((name) => (
    <option key={name} value={name}>
      {name}
    </option>
  ));
}

/** Follows the typing with a short delay, the address with none. */
function TextFilter({
  name,
  label,
  placeholder,
  value,
  search,
}: {
  name: string;
  label: string;
  placeholder: string;
  value: string;
  search?: boolean;
}) {
  const [text, setText] = useState(value);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => setText(value), [value]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <input
      type="search"
      class={search ? 'grow' : 'attr'}
      data-search={search}
      aria-label={label}
      placeholder={placeholder}
      value={text}
      spellcheck={false}
      autocomplete="off"
      onInput={(event) => {
        const next = event.currentTarget.value;
        setText(next);
        clearTimeout(timer.current);
        timer.current = setTimeout(() => navigate(withQuery({ [name]: next.trim() }), true), 200);
      }}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        clearTimeout(timer.current);
        navigate(withQuery({ [name]: '' }), true);
        event.currentTarget.blur();
      }}
    />
  );
}

function TraceList({ rows, rowHeight }: { rows: TraceRowView[]; rowHeight: number }) {
  // The trace, not the line: while new ones arrive above, the focus stays on what one looks at.
  const [activeId, setActiveId] = useState<string>();
  const active = rows.findIndex((row) => row.id === activeId);
  const [moved, setMoved] = useState(0);
  const now = Date.now();
  const longest = rows.reduce((max, row) => Math.max(max, row.durationMs), 1);

  const move = (index: number) => {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (row === undefined) return;
    setActiveId(row.id);
    setMoved((count) => count + 1);
  };
  useEffect(() => {
    if (moved > 0) document.querySelector<HTMLElement>(`a[data-trace="${activeId}"]`)?.focus();
  }, [moved]);
  useKeys((event) => {
    if (event.key === 'ArrowDown' || event.key === 'j') move(active + 1);
    else if (event.key === 'ArrowUp' || event.key === 'k') move(active - 1);
    else if (event.key === 'PageDown') move(active + 15);
    else if (event.key === 'PageUp') move(active - 15);
    else if (event.key === 'Home') move(0);
    else if (event.key === 'End') move(rows.length - 1);
    else return false;
    return true;
  });

  return (
    <VirtualRows
      role="list"
      label="Traces, newest first"
      count={rows.length}
      rowHeight={rowHeight}
      active={moved > 0 ? active : -1}
      class="traces"
      render={(index) => {
        const row = rows[index]!;
        return (
          <li
            key={row.id}
            aria-setsize={rows.length}
            aria-posinset={index + 1}
            class={`trace ${row.outcome}`}
            style={{ height: `${rowHeight}px` }}
          >
            <a href={`/traces/${row.id}`} data-trace={row.id} onFocus={() => setActiveId(row.id)}>
              <OutcomeMark outcome={row.outcome} />
              <span class="name">
                <b>{row.name}</b> <span class="muted">{row.service}</span>
              </span>
              <span>
                <HttpStatus status={row.httpStatus} />
              </span>
              <span class="wide slots">
                {row.slots.slice(0, 4).map((slot) => (
                  <SlotBadge key={slot} slot={slot} />
                ))}
                {row.processes > 1 && <span class="muted">{row.processes} processes</span>}
              </span>
              <span class="wide right num">
                {row.errors > 0 && <span class="errors">{row.errors} ✕</span>} {formatCount(row.spans)}
              </span>
              <span class="right num duration">
                <span
                  class="meter"
                  style={{ width: `${Math.max(1, (Math.log1p(row.durationMs) / Math.log1p(longest)) * 100)}%` }}
                />
                <span>{formatDuration(row.durationMs)}</span>
              </span>
              <span class="wide right num muted" title={clock(row.startMs)}>
                {ago(row.startMs, now)}
              </span>
            </a>
          </li>
        );
      }}
    />
  );
}
