import { useState } from 'preact/hooks';
import type { LogListView, LogRowView } from '../api-types/logs.ts';
import { LOG_FIELDS } from '../views/filter-language.ts';
import { AttributeTable } from './attribute-table.tsx';
import { clock } from './clock.ts';
import { FilterInput } from './filter-input.tsx';
import { ListFoot, useHeldList } from './held-list.tsx';
import { useKeys } from './keys.ts';
import { KnownSince } from './known-since.tsx';
import { LevelMark } from './level-mark.tsx';
import { navigate, withQuery } from './location.ts';
import { SlotBadge } from './marks.tsx';
import { SavedFilters } from './saved-filters.tsx';
import { TimePicker } from './time-picker.tsx';
import { VirtualRows } from './virtual-rows.tsx';

const ROW_HEIGHT = 30;

/** All log records, live until somebody looks closer. */
export function LogsPage({ query }: { query: URLSearchParams }) {
  const [open, setOpen] = useState<LogRowView>();
  const close = () => setOpen(undefined);
  const logs = useHeldList<LogRowView, LogListView>('/api/logs', query, open !== undefined, close);
  const { list, filter, total, row } = logs;
  useKeys((event) => {
    if (event.key !== 'Escape') return false;
    close();
    return true;
  });
  return (
    <>
      <h1 class="hidden">Logs</h1>
      <search class="filters">
        <FilterInput
          value={query.get('q') ?? ''}
          fields={LOG_FIELDS}
          placeholder="level>=warn service:shop or any words   /"
          onChange={(q, goesOn) => navigate(withQuery({ q }), goesOn)}
        />
        <TimePicker query={query} />
        <SavedFilters path="/logs" query={filter} />
        {filter !== '' && (
          <a class="clear" href="/logs">
            Clear
          </a>
        )}
      </search>
      <div class={`trace-body ${open ? 'with-detail' : ''}`}>
        <VirtualRows
          role="list"
          label="Log records, newest first"
          count={total}
          rowHeight={ROW_HEIGHT}
          active={-1}
          top={logs.top}
          class="logs"
          {...logs.look}
          render={(index) => {
            const log = row(index);
            return (
              <li key={log?.id ?? index} aria-setsize={total} aria-posinset={index + 1} class="log">
                {log && (
                  <button type="button" class="link" aria-expanded={open?.id === log.id} onClick={() => setOpen(log)}>
                    <span class="num muted">{clock(log.timeMs)}</span>
                    <LevelMark severity={log.severity} text={log.severityText} />
                    <span class="wide muted who">
                      {log.process.service} <SlotBadge slot={log.process.slot} />
                    </span>
                    <span class="body">{log.body}</span>
                  </button>
                )}
              </li>
            );
          }}
        />
        {open && <LogDetail log={open} close={close} />}
      </div>
      {list !== undefined && total === 0 && (
        <div class="empty">
          <h2>{filter === '' ? 'No log records yet' : 'No log record matches'}</h2>
          <p>OTLP log records of any exporter are shown here and in their traces.</p>
        </div>
      )}
      <ListFoot of={logs} noun="record">
        <KnownSince ms={list?.sinceMs} why="memory has no older records" />
      </ListFoot>
    </>
  );
}

function LogDetail({ log, close }: { log: LogRowView; close: () => void }) {
  const { process } = log;
  return (
    <aside class="detail" aria-label="Log record">
      <div class="detail-head">
        <h2>
          <LevelMark severity={log.severity} text={log.severityText} /> {clock(log.timeMs)}
        </h2>
        <button type="button" class="icon" onClick={close} aria-label="Close" title="Close (Esc)">
          ✕
        </button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
      <pre class="stack" tabIndex={0}>
        {log.body}
      </pre>
      <p>
        {process.service}
        {process.slot !== undefined && ` · slot ${process.slot}`}
        {process.pid !== undefined && ` · pid ${process.pid}`}
        {log.scope !== '' && ` · ${log.scope}`}
      </p>
      {log.traceId !== '' && (
        <p>
          <a href={`/traces/${log.traceId}${log.spanId === '' ? '' : `?span=${log.spanId}`}`}>Its trace</a>
        </p>
      )}
      <AttributeTable attributes={log.attributes} path="/logs" />
    </aside>
  );
}
