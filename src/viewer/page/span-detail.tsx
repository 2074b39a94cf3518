import { useState } from 'preact/hooks';
import { valueText } from '../../wire/attribute-text.ts';
import { DEATH_ID } from '../../wire/conventions.ts';
import type { KeyValue } from '../../wire/otlp-json.ts';
import type { LogRowView } from '../api-types/logs.ts';
import type { LinkedSpanView, SpanRowView, SpanView } from '../api-types/trace.ts';
import { formatDuration } from '../format.ts';
import { condition } from '../views/filter-language.ts';
import { AttributeTable } from './attribute-table.tsx';
import { clock } from './clock.ts';
import { CopyButton } from './copy-button.tsx';
import { LevelMark } from './level-mark.tsx';
import { useData } from './live.ts';
import { filterLink } from './location.ts';
import { OutcomeMark } from './marks.tsx';
import { KINDS, KindIcon } from './span-kinds.tsx';

interface Props {
  traceId: string;
  row: SpanRowView;
  traceStartMs: number;
  close: () => void;
  logs: LogRowView[];
  linked: LinkedSpanView[];
  /** The name of the event that was clicked. */
  openEvent: string;
}

/** Everything that was sent about one span. */
export function SpanDetail({ traceId, row, traceStartMs, close, logs, linked, openEvent }: Props) {
  const { data } = useData<SpanView>(`/api/traces/${traceId}/spans/${row.id}`, { live: false });
  const otlp = `/api/traces/${traceId}/otlp?span=${row.id}`;
  return (
    <aside class="detail" aria-label="Span">
      <div class="detail-head">
        <h2>
          <OutcomeMark outcome={row.outcome} /> {row.name}
        </h2>
        <button type="button" class="icon" onClick={close} aria-label="Close" title="Close (Esc)">
          ✕
        </button>
      </div>
      <p class="facts">
        <b class="num">{formatDuration(row.durationMs)}</b>
        <span>
          <KindIcon kind={row.kind} /> {KINDS[row.kind]?.name ?? 'unspecified'}
        </span>
        <span class="muted num">self {formatDuration(row.selfMs)}</span>
        <span class="muted num">starts at {formatDuration(row.offsetMs)}</span>
      </p>
      {row.shiftMs !== 0 && (
        <p class="note">
          Its process's clock is {formatDuration(Math.abs(row.shiftMs))} {row.shiftMs > 0 ? 'behind' : 'ahead'}: shown
          moved into its parent.
        </p>
      )}
      {row.orphan && <p class="note">It names a parent that has not arrived.</p>}
      {data && <Contents data={data} traceStartMs={traceStartMs} row={row} openEvent={openEvent} />}
      {logs.length > 0 && (
        <section>
          <h3>Logs</h3>
          {logs.map((log) => (
            <p key={log.id} class="span-log">
              <LevelMark severity={log.severity} text={log.severityText} />{' '}
              <span class="muted num">at {formatDuration(log.timeMs + row.shiftMs - traceStartMs)}</span> {log.body}
            </p>
          ))}
        </section>
      )}
      {linked.length > 0 && (
        <section>
          <h3>Linked from</h3>
          {linked.map((one) => (
            <p key={one.traceId + one.spanId}>
              <a href={`/traces/${one.traceId}?span=${one.spanId}`}>{one.name}</a>{' '}
              <span class="mono muted">{one.traceId.slice(0, 8)}</span>
            </p>
          ))}
        </section>
      )}
      <div class="tools">
        <CopyButton label="Copy span" address={otlp} />
        {row.descendants > 0 && (
          <CopyButton label={`Copy subtree (${row.descendants + 1})`} address={`${otlp}&subtree=1`} />
        )}
      </div>
    </aside>
  );
}

function Contents({
  data: { span, scope, process, resource },
  traceStartMs,
  row,
  openEvent,
}: {
  data: SpanView;
  traceStartMs: number;
  row: SpanRowView;
  openEvent: string;
}) {
  const interrupted = row.outcome === 'interrupted';
  const death = span.attributes?.find(({ key }) => key === DEATH_ID)?.value?.stringValue;
  return (
    <>
      {(interrupted || span.status?.message) && (
        <p class={`status-message ${row.outcome}`}>
          {interrupted && <b>The worker died while this was running. </b>}
          {span.status?.message}
          {death !== undefined && (
            <>
              {' '}
              <a href={`/deaths/${death}`}>Why it died</a>
            </>
          )}
        </p>
      )}
      <p class="served">
        {process.service}
        {process.slot !== undefined && (
          <>
            {' · '}
            <a
              href={filterLink([
                condition('service', '=', process.service),
                condition('worker', ':', String(process.slot)),
              ])}
            >
              slot {process.slot}
            </a>
          </>
        )}
        {process.incarnation !== undefined && process.incarnation > 0 && ` · incarnation ${process.incarnation}`}
        {process.pid !== undefined && ` · pid ${process.pid}`}
      </p>
      <Stack attributes={span.attributes ?? []} />
      <Attributes
        title="Attributes"
        attributes={(span.attributes ?? []).filter(({ key }) => !isStack(key))}
        dropped={span.droppedAttributesCount}
      />
      {(span.events ?? []).length > 0 && (
        <section>
          <h3>Events</h3>
          {span.events!.map((event, index) => (
            <div class={`event-detail ${event.name === openEvent ? 'open' : ''}`} key={index}>
              <p>
                <b>{event.name}</b>{' '}
                <span class="muted num">
                  at {formatDuration(Number(event.timeUnixNano) / 1e6 + row.shiftMs - traceStartMs)}
                </span>
              </p>
              <Stack attributes={event.attributes ?? []} />
              <AttributeTable attributes={(event.attributes ?? []).filter(({ key }) => !isStack(key))} />
            </div>
          ))}
        </section>
      )}
      {(span.links ?? []).length > 0 && (
        <section>
          <h3>Links</h3>
          {span.links!.map((link, index) => (
            <div class="event-detail" key={index}>
              <p>
                <a class="mono" href={`/traces/${link.traceId}?span=${link.spanId}`}>
                  {link.traceId}
                </a>
              </p>
              <AttributeTable attributes={link.attributes ?? []} />
            </div>
          ))}
        </section>
      )}
      <Attributes title="Resource" attributes={resource as KeyValue[]} folded />
      <section>
        <h3>Ids</h3>
        <table class="attributes">
          <tbody>
            {(
              [
                ['trace', span.traceId],
                ['span', span.spanId],
                ['parent', span.parentSpanId],
                ['scope', [scope.name, scope.version].filter(Boolean).join(' ')],
                ['started', clock(Number(span.startTimeUnixNano) / 1e6)],
              ] as const
            )
              .filter(([, value]) => value)
              .map(([name, value]) => (
                <tr key={name}>
                  <th scope="row">{name}</th>
                  <td>{value}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </section>
    </>
  );
}

const isStack = (key = '') => /(?:^|\.)stack(?:trace)?$/.test(key);

/** Where it happened, as Node.js prints it. */
function Stack({ attributes }: { attributes: KeyValue[] }) {
  const stack = attributes.find(({ key }) => isStack(key));
  return stack ? (
    <>
      <p class="muted">{stack.key}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls */}
      <pre class="stack" tabIndex={0}>
        {valueText(stack.value)}
      </pre>
    </>
  ) : null;
}

function Attributes({
  title,
  attributes,
  dropped,
  folded,
}: {
  title: string;
  attributes: KeyValue[];
  dropped?: number;
  folded?: boolean;
}) {
  const [open, setOpen] = useState(!folded);
  if (attributes.length === 0) return null;
  return (
    <section>
      <h3>
        <button type="button" class="link" aria-expanded={open} onClick={() => setOpen(!open)}>
          {open ? '▾' : '▸'} {title} <span class="muted num">{attributes.length}</span>
        </button>
      </h3>
      {open && <AttributeTable attributes={attributes} />}
      {dropped ? <p class="note">{dropped} more were dropped by the span's limits.</p> : null}
    </section>
  );
}
