import { useEffect, useState } from 'preact/hooks';
import type { TraceListView, TraceRowView } from '../api-types.ts';
import { counted, formatCount } from '../format.ts';
import { FIELDS, parseFilter, writeFilter } from '../views/filter-language.ts';
import { FilterForm } from './filter-form.tsx';
import { FilterInput } from './filter-input.tsx';
import { useKeys } from './keys.ts';
import type { LiveState } from './live.ts';
import { navigate, withQuery } from './location.ts';
import { usePages } from './pages.ts';
import { SavedFilters } from './saved-filters.tsx';
import { Scatter } from './scatter.tsx';
import { TimePicker } from './time-picker.tsx';
import { TraceList } from './trace-list.tsx';

const FILTERS = ['q', 'from', 'to', 'last'];

/**
 * All traces, live until somebody looks closer: then the list holds still, and says how many have come since.
 */
export function TracesPage({ query, live }: { query: URLSearchParams; live: LiveState }) {
  const filter = new URLSearchParams([...query].filter(([name]) => FILTERS.includes(name))).toString();
  const [paused, setPaused] = useState(false);
  const [hovered, setHovered] = useState(false);
  const [focused, setFocused] = useState(false);
  const [scrolled, setScrolled] = useState(false);
  const [top, setTop] = useState(0);
  const [form, setForm] = useState(false);
  const held = paused || hovered || focused || scrolled;
  const { list, newer, row } = usePages<TraceRowView, TraceListView>('/api/traces', filter, held);
  const narrow = useNarrow();
  const total = list?.total ?? 0;

  const catchUp = () => {
    for (const set of [setPaused, setHovered, setFocused, setScrolled]) set(false);
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    setTop((count) => count + 1);
  };
  useKeys((event) => {
    if (event.key === 'l') catchUp();
    else if (event.key === ' ' && !(event.target as Element).matches('button, a')) setPaused(!paused);
    else return false;
    return true;
  });
  const setQ = (text: string) => navigate(withQuery({ q: text }), true);

  return (
    <>
      <h1 class="hidden">Traces</h1>
      <search class="filters">
        <FilterInput
          value={query.get('q') ?? ''}
          fields={FIELDS}
          placeholder="status>=500 route:/checkout duration>100ms or any words   /"
          onChange={setQ}
        />
        <button type="button" aria-expanded={form} onClick={() => setForm(!form)}>
          Condition…
        </button>
        <TimePicker query={query} />
        <SavedFilters path="/traces" query={filter} />
        {filter !== '' && (
          <a class="clear" href="/traces">
            Clear
          </a>
        )}
        {form && <FilterForm onAdd={(written) => setQ(`${query.get('q') ?? ''} ${written}`.trim())} />}
      </search>
      <Scatter
        plot={list?.plot}
        onBrush={({ fromMs, toMs, least, most }) => {
          const others = parseFilter(query.get('q') ?? '').filter(({ field }) => field !== 'duration');
          const durations =
            least === undefined || most === undefined
              ? []
              : [
                  { negated: false, field: 'duration', operator: '>=' as const, value: `${round(least)}ms` },
                  { negated: false, field: 'duration', operator: '<=' as const, value: `${round(most)}ms` },
                ];
          navigate(
            withQuery({
              q: writeFilter([...others, ...durations]),
              from: String(Math.floor(fromMs)),
              to: String(Math.ceil(toMs)),
              last: '',
            }),
          );
        }}
      />
      <div class="list-head" aria-hidden="true">
        <span />
        <span>Trace</span>
        <span>Status</span>
        <span class="wide">Worker</span>
        <span class="wide right">Spans</span>
        <span class="right">Duration</span>
        <span class="wide right">Started</span>
      </div>
      <TraceList
        count={total}
        rowHeight={narrow ? 52 : 36}
        row={row}
        top={top}
        onHover={setHovered}
        onFocus={setFocused}
        onScrolled={setScrolled}
      />
      {list !== undefined && total === 0 && <Empty filtered={filter !== ''} live={live} />}
      <div class="foot">
        <span role="status">
          {list &&
            (filter === ''
              ? counted(list.held, 'trace')
              : `${formatCount(total)} of ${counted(list.held, 'trace')} ${total === 1 ? 'matches' : 'match'}`)}
        </span>
        <span class="spacer" />
        {held && <span class="muted">{paused ? 'Paused' : 'Held while you look'}</span>}
        {held && newer > 0 && (
          <button type="button" class="newer" onClick={catchUp} title="Catch up (l)">
            {formatCount(newer)} new
          </button>
        )}
        <button type="button" aria-pressed={paused} onClick={() => setPaused(!paused)} title="Hold the list (space)">
          {paused ? 'Resume' : 'Pause'}
        </button>
      </div>
    </>
  );
}

const round = (value: number) => Number(value.toPrecision(4));

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
