import type { TraceView } from '../api-types/trace.ts';
import { CopyButton } from './copy-button.tsx';
import { KindFilter } from './kind-filter.tsx';
import { navigate, withQuery } from './location.ts';
import type { RowSelection } from './row-selection.ts';
import { SearchInside } from './search-inside.tsx';

const VIEWS = [
  ['waterfall', 'Waterfall'],
  ['flame', 'Flame graph'],
  ['statistics', 'Statistics'],
] as const;

/** What one can do with a trace: search in it, see it in another way, compare and take it along. */
export function TraceTools({
  trace,
  query,
  matches,
  selection: { selectedId, next },
  critical,
  onCritical,
  onZoomOut,
}: {
  trace: TraceView;
  query: URLSearchParams;
  /** Ids of the spans that the search has found; undefined without a search. */
  matches: ReadonlySet<string> | undefined;
  selection: RowSelection;
  critical: boolean;
  onCritical: () => void;
  /** Undefined while all of the time axis is shown. */
  onZoomOut: (() => void) | undefined;
}) {
  const { rows } = trace;
  const view = query.get('view') ?? 'waterfall';
  const found = matches === undefined ? [] : rows.filter(({ id }) => matches.has(id));
  return (
    <div class="tools">
      <SearchInside
        text={query.get('q') ?? ''}
        count={matches?.size}
        nth={found.findIndex(({ id }) => id === selectedId) + 1}
        onNext={(step) => next((row) => matches?.has(row.id) === true, step)}
      />
      <button type="button" aria-pressed={critical} onClick={onCritical} title="What the duration is made of (c)">
        Critical path
      </button>
      {onZoomOut && (
        <button type="button" onClick={onZoomOut} title="All of the time axis (0)">
          Zoom out
        </button>
      )}
      <fieldset class="segments">
        <legend class="hidden">View</legend>
        {VIEWS.map(([name, label]) => (
          <button
            key={name}
            type="button"
            aria-pressed={view === name}
            onClick={() => navigate(withQuery({ view: name === 'waterfall' ? '' : name }))}
          >
            {label}
          </button>
        ))}
      </fieldset>
      <KindFilter rows={rows} hidden={query.get('hide') ?? ''} />
      <a class="button" href={`/compare?a=${trace.id}`}>
        Compare…
      </a>
      <a class="button" href={`/api/traces/${trace.id}/otlp`} download={`trace-${trace.id}.json`}>
        Download
      </a>
      <CopyButton label="Copy trace" address={`/api/traces/${trace.id}/otlp`} />
    </div>
  );
}
