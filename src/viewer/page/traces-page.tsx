import { useEffect, useState } from 'preact/hooks';
import type { TraceListView, TraceRowView } from '../api-types/trace-list.ts';
import { FIELDS, parseFilter, writeFilter } from '../views/filter-language.ts';
import { clock } from './clock.ts';
import { FilterForm } from './filter-form.tsx';
import { FilterInput } from './filter-input.tsx';
import { ListFoot, useHeldList } from './held-list.tsx';
import type { LiveState } from './live.ts';
import { navigate, withQuery } from './location.ts';
import { SavedFilters } from './saved-filters.tsx';
import { Scatter } from './scatter.tsx';
import { TimePicker } from './time-picker.tsx';
import { TraceList } from './trace-list.tsx';

/** All traces, live until somebody looks closer. */
export function TracesPage({ query, live }: { query: URLSearchParams; live: LiveState }) {
  const traces = useHeldList<TraceRowView, TraceListView>('/api/traces', query);
  const { list, filter, total, row } = traces;
  const [form, setForm] = useState(false);
  const narrow = useNarrow();
  const setQ = (text: string, goesOn = false) => navigate(withQuery({ q: text }), goesOn);

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
      <TraceList count={total} rowHeight={narrow ? 52 : 36} row={row} top={traces.top} {...traces.look} />
      {list !== undefined && total === 0 && <Empty filtered={filter !== ''} live={live} />}
      <ListFoot of={traces} noun="trace">
        {list?.more && <Earlier list={list} last={row(total - 1)} />}
        {list?.plot?.sampled && <span class="muted">The plot shows a sample</span>}
      </ListFoot>
    </>
  );
}

/** Goes on where the list ends: it was too long, or looking through all of it would have taken too long. */
function Earlier({ list, last }: { list: TraceListView; last: TraceRowView | undefined }) {
  const before = list.searchedToMs ?? last?.startMs;
  if (before === undefined) return null;
  return (
    <button
      type="button"
      onClick={() => navigate(withQuery({ to: String(Math.floor(before)), last: '' }))}
      title={list.searchedToMs === undefined ? 'The list ends here' : 'Looked through to here'}
    >
      Earlier than {clock(before)}
    </button>
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
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
      <pre tabIndex={0}>
        OTEL_EXPORTER_OTLP_ENDPOINT={live.state?.otlpHttpUrl ?? location.origin}
        {'\n'}OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
      </pre>
      {live.state && <p class="muted">or OTLP/gRPC at {live.state.otlpGrpcUrl}</p>}
    </div>
  );
}
