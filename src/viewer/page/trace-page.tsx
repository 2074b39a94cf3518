import { useMemo, useState } from 'preact/hooks';
import type { LogRowView } from '../api-types/logs.ts';
import type { LinkedSpanView, TraceView } from '../api-types/trace.ts';
import { FlameGraph } from './flame-graph.tsx';
import { useData } from './live.ts';
import { navigate, withQuery } from './location.ts';
import { useRowSelection } from './row-selection.ts';
import { SpanDetail } from './span-detail.tsx';
import { SpanStatistics } from './span-statistics.tsx';
import { ALL, clampRange } from './time-range.ts';
import { TraceHead } from './trace-head.tsx';
import { useTraceKeys } from './trace-keys.ts';
import { TraceTools } from './trace-tools.tsx';
import { Waterfall } from './waterfall.tsx';

const NONE: ReadonlySet<string> = new Set();

export function TracePage({ id, query }: { id: string; query: URLSearchParams }) {
  const { data: trace, error } = useData<TraceView>(`/api/traces/${id}`, { everyMs: 1500 });
  if (error !== undefined) {
    return (
      <div class="empty">
        <h1>This trace is not held any more</h1>
        <p>
          <span class="mono">{id}</span> has made room for newer ones, or has not arrived.
        </p>
        <p>
          <a href="/traces">All traces</a>
        </p>
      </div>
    );
  }
  return trace === undefined ? <p class="loading">Loading…</p> : <HeldTrace trace={trace} query={query} />;
}

function HeldTrace({ trace, query }: { trace: TraceView; query: URLSearchParams }) {
  const { rows } = trace;
  const [range, setRange] = useState(ALL);
  const [critical, setCritical] = useState(false);
  const text = query.get('q') ?? '';
  const { data: found } = useData<string[]>(
    text.trim() === '' ? undefined : `/api/traces/${trace.id}/search?q=${encodeURIComponent(text)}`,
    { live: false },
  );
  const isSearching = text.trim() !== '' && found !== undefined;
  const matches = useMemo(() => (found === undefined ? NONE : new Set(found)), [found]);
  const view = query.get('view') ?? 'waterfall';
  const { data: logs } = useData<LogRowView[]>(`/api/traces/${trace.id}/logs`, { everyMs: 1500 });
  const logsOf = useMemo(() => {
    const bySpan = new Map<string, LogRowView[]>();
    for (const log of logs ?? []) bySpan.set(log.spanId, [...(bySpan.get(log.spanId) ?? []), log]);
    return bySpan;
  }, [logs]);
  const { data: linked } = useData<LinkedSpanView[]>(`/api/traces/${trace.id}/linked`, { live: false });
  const failing = useMemo(() => rows.filter((row) => row.outcome !== 'ok'), [rows]);
  const selection = useRowSelection(rows, query.get('span') ?? undefined, query.get('hide') ?? '');
  const { selected } = selection;

  useTraceKeys(rows, selection, {
    isMatch: (row) => matches.has(row.id),
    toggleCriticalPath: () => setCritical((on) => !on),
    zoom(factor) {
      const middle = selected
        ? (selected.offsetMs + selected.durationMs / 2) / (trace.durationMs || 1)
        : (range.from + range.to) / 2;
      const half = (range.to - range.from) / factor / 2;
      setRange(clampRange({ from: middle - half, to: middle + half }));
    },
    zoomOut: () => setRange(ALL),
  });

  return (
    <>
      <TraceHead
        trace={trace}
        failing={failing}
        logs={logs?.length ?? 0}
        onFailing={() => selection.next((row) => row.outcome !== 'ok')}
      >
        <TraceTools
          trace={trace}
          query={query}
          matches={isSearching ? matches : undefined}
          selection={selection}
          critical={critical}
          onCritical={() => setCritical(!critical)}
          onZoomOut={range.from > 0 || range.to < 1 ? () => setRange(ALL) : undefined}
        />
      </TraceHead>
      <div class={`trace-body ${selected ? 'with-detail' : ''}`}>
        {view === 'flame' && <FlameGraph trace={trace} />}
        {view === 'statistics' && (
          <SpanStatistics trace={trace} onName={(name) => navigate(withQuery({ view: '', q: name }))} />
        )}
        {view === 'waterfall' && (
          <Waterfall
            trace={trace}
            range={range}
            onRange={setRange}
            selection={selection}
            logsOf={logsOf}
            matches={matches}
            critical={critical}
          />
        )}
        {selected && (
          <SpanDetail
            key={selected.id}
            traceId={trace.id}
            row={selected}
            traceStartMs={trace.startMs}
            logs={logsOf.get(selected.id) ?? []}
            linked={linked?.filter(({ toSpanId }) => toSpanId === selected.id) ?? []}
            openEvent={query.get('event') ?? ''}
            close={selection.unselect}
          />
        )}
      </div>
    </>
  );
}
