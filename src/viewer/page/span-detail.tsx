import { useState } from 'preact/hooks';
import type { KeyValue } from '../../wire/otlp-json.ts';
import type { SpanRowView, SpanView } from '../api-types.ts';
import { formatDuration } from '../format.ts';
import { valueText } from '../views/attribute-text.ts';
import { condition } from '../views/filter-language.ts';
import { clock } from './clock.ts';
import { CopyButton } from './copy-button.tsx';
import { useData } from './live.ts';
import { filterLink } from './location.ts';
import { OutcomeMark } from './marks.tsx';

const KINDS = ['', 'internal', 'server', 'client', 'producer', 'consumer'];

interface Props {
  traceId: string;
  row: SpanRowView;
  traceStartMs: number;
  close: () => void;
}

/** Everything that was sent about one span. */
export function SpanDetail({ traceId, row, traceStartMs, close }: Props) {
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
        <span>{KINDS[row.kind] || 'unspecified'}</span>
        <span class="muted num">starts at {formatDuration(row.offsetMs)}</span>
      </p>
      {row.shiftMs !== 0 && (
        <p class="note">
          Its process's clock is {formatDuration(Math.abs(row.shiftMs))} {row.shiftMs > 0 ? 'behind' : 'ahead'}: shown
          moved into its parent.
        </p>
      )}
      {row.orphan && <p class="note">It names a parent that has not arrived.</p>}
      {data && <Contents data={data} traceStartMs={traceStartMs} row={row} />}
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
}: {
  data: SpanView;
  traceStartMs: number;
  row: SpanRowView;
}) {
  const interrupted = row.outcome === 'interrupted';
  return (
    <>
      {(interrupted || span.status?.message) && (
        <p class={`status-message ${row.outcome}`}>
          {interrupted && <b>The worker died while this was running. </b>}
          {span.status?.message}
        </p>
      )}
      <p class="served">
        {process.service}
        {process.slot !== undefined && (
          <>
            {' · '}
            <a
              href={filterLink(
                condition('service', '=', process.service),
                condition('worker', ':', String(process.slot)),
              )}
            >
              slot {process.slot}
            </a>
          </>
        )}
        {process.incarnation !== undefined && process.incarnation > 0 && ` · incarnation ${process.incarnation}`}
        {process.pid !== undefined && ` · pid ${process.pid}`}
      </p>
      <Attributes title="Attributes" attributes={span.attributes ?? []} dropped={span.droppedAttributesCount} />
      {(span.events ?? []).length > 0 && (
        <section>
          <h3>Events</h3>
          {span.events!.map((event, index) => (
            <div class="event-detail" key={index}>
              <p>
                <b>{event.name}</b>{' '}
                <span class="muted num">
                  at {formatDuration(Number(event.timeUnixNano) / 1e6 + row.shiftMs - traceStartMs)}
                </span>
              </p>
              <AttributeTable attributes={event.attributes ?? []} />
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

/** Values come from anywhere: they are text here, whatever they look like. */
function AttributeTable({ attributes }: { attributes: KeyValue[] }) {
  const sorted = attributes.toSorted((a, b) => ((a.key ?? '') < (b.key ?? '') ? -1 : 1));
  return (
    <table class="attributes">
      <tbody>
        {sorted.map(({ key = '', value }, index) => (
          <tr key={index}>
            <th scope="row">
              <a href={filterLink(condition(key, '=', valueText(value)))} title="Traces with this value">
                {key}
              </a>
            </th>
            <td class={value?.stringValue === undefined ? 'value' : 'string'}>{valueText(value)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
