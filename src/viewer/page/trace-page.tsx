import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { EVENT_LOOP_BLOCKED } from '../../wire/conventions.ts';
import { levelOf } from '../../wire/level.ts';
import type { LinkedSpanView, LogRowView, SpanRowView, TraceView } from '../api-types.ts';
import { counted, formatDuration } from '../format.ts';
import { condition } from '../views/filter-language.ts';
import { axisStep } from './canvas.ts';
import { clock } from './clock.ts';
import { CopyButton } from './copy-button.tsx';
import { FlameGraph } from './flame-graph.tsx';
import { useKeys } from './keys.ts';
import { useData } from './live.ts';
import { filterLink, navigate, withQuery } from './location.ts';
import { HttpStatus, OutcomeMark } from './marks.tsx';
import { Minimap } from './minimap.tsx';
import { NameColumnHandle, useNameColumn } from './name-column.tsx';
import { SpanDetail } from './span-detail.tsx';
import { KINDS, KindIcon } from './span-kinds.tsx';
import { SpanStatistics } from './span-statistics.tsx';
import { ALL, clampRange, type Range } from './time-range.ts';
import { VirtualRows } from './virtual-rows.tsx';

const VIEWS = [
  ['waterfall', 'Waterfall'],
  ['flame', 'Flame graph'],
  ['statistics', 'Statistics'],
] as const;
const ROW_HEIGHT = 28;
/** Below it a duration takes most of what is beside a bar. */
const PHONE_WIDTH = 720;
/** Zoom steps of the keys. */
const ZOOM = 1.6;

/** Which kinds of spans are shown, kept in the address. */
function KindFilter({ rows, hidden }: { rows: SpanRowView[]; hidden: string }) {
  const present = [...new Set(rows.map(({ kind }) => kind))].sort();
  if (present.length < 2) return null;
  return (
    <fieldset class="kinds">
      <legend class="hidden">Kinds shown</legend>
      {present.map((kind) => {
        const off = hidden.includes(String(kind));
        const name = KINDS[kind]?.name ?? 'unspecified';
        return (
          <button
            key={kind}
            type="button"
            class="icon"
            aria-pressed={!off}
            aria-label={`Show ${name} spans`}
            title={`${off ? 'Show' : 'Hide'} ${name} spans`}
            onClick={() =>
              navigate(withQuery({ hide: off ? hidden.replace(String(kind), '') : hidden + String(kind) }), true)
            }
          >
            <KindIcon kind={kind} />
          </button>
        );
      })}
    </fieldset>
  );
}

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
  return trace === undefined ? <p class="loading">Loading…</p> : <Waterfall trace={trace} query={query} />;
}

function Waterfall({ trace, query }: { trace: TraceView; query: URLSearchParams }) {
  const { rows } = trace;
  const [folded, setFolded] = useState<ReadonlySet<string>>(new Set());
  const [range, setRange] = useState(ALL);
  const [critical, setCritical] = useState(false);
  const text = query.get('q') ?? '';
  const { data: found } = useData<string[]>(
    text.trim() === '' ? undefined : `/api/traces/${trace.id}/search?q=${encodeURIComponent(text)}`,
    { live: false },
  );
  const matches = useMemo(() => new Set(found), [found]);
  const selectedId = query.get('span') ?? undefined;
  const view = query.get('view') ?? 'waterfall';
  const hidden = query.get('hide') ?? '';
  const [nameColumn, setNameColumn] = useNameColumn();
  const { data: logs } = useData<LogRowView[]>(`/api/traces/${trace.id}/logs`, { everyMs: 1500 });
  const logsOf = useMemo(() => {
    const bySpan = new Map<string, LogRowView[]>();
    for (const log of logs ?? []) bySpan.set(log.spanId, [...(bySpan.get(log.spanId) ?? []), log]);
    return bySpan;
  }, [logs]);
  const { data: linked } = useData<LinkedSpanView[]>(`/api/traces/${trace.id}/linked`, { live: false });

  const visible = useMemo(() => {
    const list: number[] = [];
    for (let index = 0; index < rows.length; index++) {
      if (!hidden.includes(String(rows[index]!.kind))) list.push(index);
      if (folded.has(rows[index]!.id)) index += rows[index]!.descendants;
    }
    return list;
  }, [rows, folded, hidden]);
  const active = visible.findIndex((index) => rows[index]!.id === selectedId);
  const selected = active === -1 ? undefined : rows[visible[active]!];

  const select = (spanId: string, event = '') => navigate(withQuery({ span: spanId, event }), true);
  const move = (position: number) => {
    const index = visible[Math.max(0, Math.min(visible.length - 1, position))];
    if (index !== undefined) select(rows[index]!.id);
  };
  /** Unfolds what hides a row, and selects it. */
  const reveal = (index: number) => {
    const open = new Set(folded);
    for (let at = rows[index]!.parent; at !== -1; at = rows[at]!.parent) open.delete(rows[at]!.id);
    setFolded(open);
    select(rows[index]!.id);
  };
  const next = (wanted: (row: SpanRowView) => boolean, step: 1 | -1 = 1) => {
    const from = rows.findIndex((row) => row.id === selectedId);
    for (let n = 1; n <= rows.length; n++) {
      const index = (from + step * n + rows.length * 2) % rows.length;
      if (wanted(rows[index]!)) return reveal(index);
    }
  };
  const fold = (row: SpanRowView, close: boolean) => {
    const changed = new Set(folded);
    if (close) changed.add(row.id);
    else changed.delete(row.id);
    setFolded(changed);
  };
  const zoom = (factor: number) => {
    const middle = selected
      ? (selected.offsetMs + selected.durationMs / 2) / (trace.durationMs || 1)
      : (range.from + range.to) / 2;
    const half = (range.to - range.from) / factor / 2;
    setRange(clampRange({ from: middle - half, to: middle + half }));
  };

  useKeys((event) => {
    switch (event.key) {
      case 'ArrowDown':
      case 'j':
        move(active + 1);
        break;
      case 'ArrowUp':
      case 'k':
        move(active - 1);
        break;
      case 'Home':
        move(0);
        break;
      case 'End':
        move(visible.length - 1);
        break;
      case 'PageDown':
        move(active + 15);
        break;
      case 'PageUp':
        move(active - 15);
        break;
      case 'ArrowLeft':
        if (selected === undefined) return false;
        if (selected.descendants > 0 && !folded.has(selected.id)) fold(selected, true);
        else if (selected.parent !== -1) select(rows[selected.parent]!.id);
        break;
      case 'ArrowRight':
        if (selected === undefined) return false;
        if (folded.has(selected.id)) fold(selected, false);
        else move(active + 1);
        break;
      case 'e':
        next((row) => row.outcome !== 'ok');
        break;
      case 'c':
        setCritical((on) => !on);
        break;
      case 'n':
        next((row) => matches.has(row.id));
        break;
      case '+':
      case '=':
        zoom(ZOOM);
        break;
      case '-':
        zoom(1 / ZOOM);
        break;
      case '0':
        setRange(ALL);
        break;
      case 'Escape':
        if (selectedId !== undefined) navigate(withQuery({ span: '' }), true);
        else navigate('/traces');
        break;
      default:
        return false;
    }
    return true;
  });

  const failures = useMemo(() => rows.filter((row) => row.outcome !== 'ok').length, [rows]);
  // Drawn of all spans: again only when it shows something else.
  const minimap = useMemo(() => <Minimap trace={trace} range={range} onRange={setRange} />, [trace, range]);
  const root = rows[0]!;
  return (
    <>
      <div class="trace-head">
        <h1>
          <OutcomeMark outcome={trace.outcome} />{' '}
          <span class="text" title={trace.name}>
            {trace.name}
          </span>{' '}
          <HttpStatus status={root.httpStatus} />
        </h1>
        <p class="facts">
          <b class="num">{formatDuration(trace.durationMs)}</b>
          <span>{counted(rows.length, 'span')}</span>
          {failures > 0 && (
            <button
              type="button"
              class="link errors"
              onClick={() => next((row) => row.outcome !== 'ok')}
              title="Next failing span (e)"
            >
              {failures} failing
            </button>
          )}
          {logs !== undefined && logs.length > 0 && (
            <a href={filterLink([condition('trace', ':', trace.id)], '/logs')}>{counted(logs.length, 'log record')}</a>
          )}
          <span class="muted">{clock(trace.startMs)}</span>
          <span class="mono muted wide">{trace.id}</span>
        </p>
        <ul class="legend" aria-label="Processes">
          {trace.processes.slice(0, 12).map((process, index) => (
            <li key={process.instanceId}>
              <span class={`dot c${index % 8}`} />
              {process.service}
              {process.slot !== undefined && <b> slot {process.slot}</b>}
              {process.incarnation !== undefined && process.incarnation > 0 && (
                <span class="muted">incarnation {process.incarnation}</span>
              )}
              {process.pid !== undefined && <span class="muted">pid {process.pid}</span>}
            </li>
          ))}
          {trace.processes.length > 12 && <li class="muted">and {trace.processes.length - 12} more</li>}
        </ul>
        <div class="tools">
          <SearchInside
            text={text}
            count={text.trim() === '' ? undefined : found?.length}
            nth={
              matches.size === 0
                ? 0
                : rows.filter(({ id }) => matches.has(id)).findIndex(({ id }) => id === selectedId) + 1
            }
            onNext={(step) => next((row) => matches.has(row.id), step)}
          />
          <button
            type="button"
            aria-pressed={critical}
            onClick={() => setCritical(!critical)}
            title="What the duration is made of (c)"
          >
            Critical path
          </button>
          {(range.from > 0 || range.to < 1) && (
            <button type="button" onClick={() => setRange(ALL)} title="All of the time axis (0)">
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
          <KindFilter rows={rows} hidden={hidden} />
          <a class="button" href={`/compare?a=${trace.id}`}>
            Compare…
          </a>
          <a class="button" href={`/api/traces/${trace.id}/otlp`} download={`trace-${trace.id}.json`}>
            Download
          </a>
          <CopyButton label="Copy trace" address={`/api/traces/${trace.id}/otlp`} />
        </div>
      </div>
      <div class={`trace-body ${selected ? 'with-detail' : ''}`}>
        {view === 'flame' && <FlameGraph trace={trace} />}
        {view === 'statistics' && (
          <SpanStatistics trace={trace} onName={(name) => navigate(withQuery({ view: '', q: name }))} />
        )}
        {view === 'waterfall' && (
          <div class="waterfall" style={nameColumn === undefined ? {} : { '--name': nameColumn }}>
            <NameColumnHandle onChange={setNameColumn} />
            {minimap}
            <Axis durationMs={trace.durationMs} range={range} />
            <VirtualRows
              role="tree"
              label="Spans"
              activeDescendant={selected && `span-${selected.id}`}
              count={visible.length}
              rowHeight={ROW_HEIGHT}
              active={active}
              class={`${critical ? 'critical' : ''} ${matches.size > 0 ? 'searching' : ''}`}
              render={(position) => {
                const row = rows[visible[position]!]!;
                return (
                  <SpanRow
                    key={row.id}
                    row={row}
                    logs={logsOf.get(row.id) ?? []}
                    trace={trace}
                    range={range}
                    folded={folded.has(row.id)}
                    selected={row.id === selectedId}
                    match={matches.has(row.id)}
                    onSelect={(event) => select(row.id, event)}
                    onFold={() => fold(row, !folded.has(row.id))}
                  />
                );
              }}
            />
          </div>
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
            close={() => navigate(withQuery({ span: '' }), true)}
          />
        )}
      </div>
    </>
  );
}

function SearchInside({
  text,
  count,
  nth,
  onNext,
}: {
  text: string;
  count: number | undefined;
  /** Which of them is selected; 0 is none. */
  nth: number;
  onNext: (step: 1 | -1) => void;
}) {
  const [typed, setTyped] = useState(text);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  return (
    <>
      <input
        type="search"
        data-search
        aria-label="Search in this trace"
        placeholder="Search in this trace  /"
        value={typed}
        spellcheck={false}
        onInput={(event) => {
          const next = event.currentTarget.value;
          setTyped(next);
          clearTimeout(timer.current);
          timer.current = setTimeout(() => navigate(withQuery({ q: next.trim() }), true), 150);
        }}
        onKeyDown={(event) => {
          if (event.key === 'Enter') onNext(event.shiftKey ? -1 : 1);
          if (event.key === 'Escape') event.currentTarget.blur();
        }}
      />
      <span class="num muted" role="status">
        {count !== undefined && (nth > 0 ? `${nth} of ${count}` : `${count} found`)}
      </span>
      {count !== undefined && count > 0 && (
        <>
          <button type="button" class="icon" aria-label="Previous match" title="Shift+Enter" onClick={() => onNext(-1)}>
            ‹
          </button>
          <button type="button" class="icon" aria-label="Next match" title="Enter, n" onClick={() => onNext(1)}>
            ›
          </button>
        </>
      )}
    </>
  );
}

/** What stands at a later tick finds no room beside it, on a phone. */
const LAST_TICK = matchMedia('(max-width: 720px)').matches ? 0.8 : 0.95;

function Axis({ durationMs, range }: { durationMs: number; range: Range }) {
  const fromMs = durationMs * range.from;
  const spanMs = Math.max(1e-6, durationMs * (range.to - range.from));
  const step = axisStep(spanMs, 5);
  const ticks: number[] = [];
  for (let at = Math.ceil(fromMs / step) * step; at <= fromMs + spanMs * LAST_TICK; at += step) ticks.push(at);
  return (
    <div class="axis" aria-hidden="true">
      <span>Span</span>
      <div>
        {ticks.map((at) => (
          <span key={at} style={{ left: `${((at - fromMs) / spanMs) * 100}%` }}>
            {at < step / 2 ? '0' : formatDuration(at)}
          </span>
        ))}
      </div>
    </div>
  );
}

const INDENT_PIXELS = 14;
/** Deeper rows are not set in further, as their names need the room: a number says how deep they are. */
const DEEP = 5;

interface SpanRowProps {
  row: SpanRowView;
  logs: LogRowView[];
  trace: TraceView;
  range: Range;
  folded: boolean;
  selected: boolean;
  match: boolean;
  onSelect: (event?: string) => void;
  onFold: () => void;
}

function SpanRow({ row, logs, trace, range, folded, selected, match, onSelect, onFold }: SpanRowProps) {
  const total = trace.durationMs || 1e-6;
  const place = (ms: number) => ((ms / total - range.from) / (range.to - range.from)) * 100;
  const left = place(row.offsetMs);
  const right = place(row.offsetMs + row.durationMs);
  const shownLeft = Math.max(-1, left);
  const width = Math.min(101, right) - shownLeft;
  // After the bar, before it, or when it leaves no room, on its end.
  const side = right < (innerWidth < PHONE_WIDTH ? 55 : 84) ? 'after' : left > 16 ? 'before' : 'on';
  const process = trace.processes[row.process]!;
  const parent = trace.rows[row.parent];
  const elsewhere = parent === undefined || parent.process !== row.process;
  const notes = [
    row.orphan ? 'its parent has not arrived' : '',
    row.shiftMs !== 0 ? `moved by ${formatDuration(Math.abs(row.shiftMs))}: its process's clock differs` : '',
  ].filter(Boolean);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the tree itself has the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the tree has the focus, and names its active item
    <div
      id={`span-${row.id}`}
      role="treeitem"
      aria-level={row.depth + 1}
      aria-selected={selected}
      aria-expanded={row.descendants > 0 ? !folded : undefined}
      class={`span ${row.outcome} ${row.name === EVENT_LOOP_BLOCKED ? 'blocked' : ''} ${row.critical ? 'on-path' : ''} ${match ? 'match' : ''} ${selected ? 'selected' : ''}`}
      style={{ height: `${ROW_HEIGHT}px` }}
      onClick={() => onSelect()}
    >
      <span class="label" style={{ paddingLeft: `min(${row.depth * INDENT_PIXELS}px, var(--indent, 28%))` }}>
        {row.depth > DEEP && <span class="muted num">{row.depth}</span>}
        {row.descendants > 0 ? (
          <span
            class="fold"
            aria-hidden="true"
            onClick={(event) => {
              event.stopPropagation();
              onFold();
            }}
          >
            {folded ? '▸' : '▾'}
          </span>
        ) : (
          <span class="fold" />
        )}
        <KindIcon kind={row.kind} />
        {row.outcome !== 'ok' && <OutcomeMark outcome={row.outcome} />}
        <span
          class="text"
          title={[row.name, process.service, `self ${formatDuration(row.selfMs)}`, ...notes].join('\n')}
        >
          {row.orphan && '⋯ '}
          {row.name}
        </span>
        {folded && <span class="muted num">+{row.descendants}</span>}
        {row.route !== '' && !row.name.includes(row.route) && <span class="muted">{row.route}</span>}
        {elsewhere && (
          <span class="muted where">
            {process.service}
            {process.slot !== undefined && ` slot ${process.slot}`}
          </span>
        )}
      </span>
      <span class="track">
        {width > 0 && right >= 0 && left <= 100 && (
          <span class={`bar c${row.process % 8}`} style={{ left: `${shownLeft}%`, width: `max(2px, ${width}%)` }} />
        )}
        {logs.slice(0, 50).map((log) => {
          const x = place(log.timeMs + row.shiftMs - trace.startMs);
          return x < 0 || x > 100 ? null : (
            <span key={log.id} class={`log-mark ${levelOf(log.severity)}`} style={{ left: `${x}%` }} title={log.body} />
          );
        })}
        {row.events.slice(0, 50).map(([at, name], index) => {
          const x = place(at);
          return x < 0 || x > 100 ? null : (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the tree has the keys
            // biome-ignore lint/a11y/noStaticElementInteractions: the same
            <span
              key={index}
              class={`event ${/block|exit/.test(name) ? 'grave' : ''}`}
              style={{ left: `${x}%` }}
              title={`${name} at ${formatDuration(at)}`}
              onClick={(event) => {
                event.stopPropagation();
                onSelect(name);
              }}
            />
          );
        })}
        <span
          class={`time num ${side}`}
          style={
            side === 'after'
              ? { left: `calc(${Math.max(0, right)}% + 6px)` }
              : { right: `calc(${Math.max(0, 100 - (side === 'on' ? right : left))}% + 6px)` }
          }
        >
          {formatDuration(row.durationMs)}
        </span>
      </span>
    </div>
  );
}
