import type { ComponentChildren } from 'preact';
import type { DeathView } from '../api-types/deaths.ts';
import { formatBytes, formatDuration } from '../format.ts';
import { exitWords } from '../views/exit-words.ts';
import { lastMinuteRows } from '../views/last-minute.ts';
import { clock } from './clock.ts';
import { LevelMark } from './level-mark.tsx';
import { useData } from './live.ts';
import { Sparkline } from './sparkline.tsx';

/** What is remembered of a death never changes. */
const ONCE = { live: false } as const;

/** One death: why, what the process was doing, and how its last minute was. */
export function DeathPage({ id }: { id: string }) {
  const { data, error } = useData<DeathView>(`/api/deaths/${id}`, ONCE);
  return (
    <>
      <div class="page-head">
        <h1>{data === undefined ? `Death ${id}` : `${data.service}: ${whoOf(data)} died`}</h1>
        <a href="/deaths">All deaths</a>
      </div>
      {error !== undefined && (
        <div class="empty">
          <h2>Not remembered here</h2>
          <p>
            A hundred deaths of each service are remembered, on the machine where the process ran. There,{' '}
            <code>forktrace inspect &lt;journal directory&gt; --death {id}</code> shows this one.
          </p>
        </div>
      )}
      {data && <Death death={data} />}
    </>
  );
}

function Death({ death }: { death: DeathView }) {
  const { record, block, lastWords, heapSnapshots = [], code, signal } = death;
  const exception = [record?.exceptionType, record?.message].filter(Boolean).join(': ');
  const exit = { ...death, code: code ?? undefined, signal: signal ?? undefined, planned: false };
  const words = exitWords(exit);
  // A signal that is all that is known stands once.
  const how = signal ?? (code === null ? 'exit code not known' : `exit code ${code}`);
  return (
    <div class="death">
      <p class="status-message interrupted">
        <b>{words}</b>
        {how !== words && `, ${how}`}, at <time dateTime={new Date(death.atMs).toISOString()}>{clock(death.atMs)}</time>
      </p>
      {exception !== '' && (
        <Section title="Exception">
          <p>{exception}</p>
          {record?.stack && <Output>{record.stack}</Output>}
        </Section>
      )}
      {exception === '' && block !== undefined && (
        <Section title="What it was doing">
          <p>It {block.state}.</p>
          {block.stack && <Output>{block.stack}</Output>}
        </Section>
      )}
      <InFlight death={death} />
      <LastMinute death={death} />
      {lastWords !== undefined && (
        <Section title="Last words">
          <Output>{lastWords}</Output>
        </Section>
      )}
      <Logs death={death} />
      {heapSnapshots.length > 0 && (
        <Section title="Heap snapshots">
          <ul class="spans">
            {heapSnapshots.map((path) => (
              <li key={path}>
                <code>{path}</code>
              </li>
            ))}
          </ul>
        </Section>
      )}
      <Spans title="Slowest spans before" spans={death.slowestSpans} />
      <Spans title="Last spans" spans={death.lastSpans} />
    </div>
  );
}

function whoOf({ slot, pid }: DeathView): string {
  return slot === undefined ? `process ${pid}` : `the worker in slot ${slot}, pid ${pid},`;
}

const ORDER = { culprit: 0, victim: 1 };

function InFlight({ death: { inFlight, inFlightTotal } }: { death: DeathView }) {
  const sorted = inFlight.toSorted((a, b) => (ORDER[a.role ?? 'victim'] ?? 1) - (ORDER[b.role ?? 'victim'] ?? 1));
  return (
    <Section title={`In flight: ${inFlightTotal}`}>
      <ul class="spans">
        {sorted.map((span) => (
          <li key={span.spanId}>
            <span class={span.role === 'culprit' ? 'cut' : 'muted'}>{span.role ?? ''}</span> <SpanLink span={span} />
          </li>
        ))}
      </ul>
      {inFlightTotal > sorted.length && <p class="muted">and {inFlightTotal - sorted.length} more</p>}
    </Section>
  );
}

function LastMinute({ death: { vitals, atMs } }: { death: DeathView }) {
  if (vitals === undefined)
    return (
      <Section title="Last minute">
        <p class="muted">not known: it ended before its first second was over</p>
      </Section>
    );
  const { last } = vitals;
  return (
    <Section title="Last minute">
      <table class="vitals">
        <tbody>
          {lastMinuteRows(vitals).map(({ name, values, last }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <Sparkline values={values} label={`${name} of the last ${values.length} seconds`} />
              </td>
              <td class="num">{last}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <p class="muted">
        The last numbers are {formatDuration(Math.max(0, atMs - last.atMs))} older than the death.
        {last.cgroupLimit > 0 &&
          ` The control group used ${formatBytes(last.cgroupUsed)} of its ${formatBytes(last.cgroupLimit)}.`}
      </p>
    </Section>
  );
}

function Logs({ death: { lastLogs = [] } }: { death: DeathView }) {
  if (lastLogs.length === 0) return null;
  return (
    <Section title="Last log records">
      <ul class="spans">
        {lastLogs.map(({ timeMs, severity, severityText, body, attributes, traceId, spanId }, index) => (
          <li key={index}>
            <span class="num muted">{clock(timeMs)}</span> <LevelMark severity={severity} text={severityText} />{' '}
            {traceId === '' ? body : <a href={`/traces/${traceId}?span=${spanId}`}>{body}</a>}{' '}
            <span class="muted">{attributes}</span>
          </li>
        ))}
      </ul>
    </Section>
  );
}

function Spans({ title, spans }: { title: string; spans: DeathView['lastSpans'] }) {
  if (spans.length === 0) return null;
  return (
    <Section title={title}>
      <ul class="spans">
        {spans.map((span) => (
          <li key={span.spanId}>
            <SpanLink span={span} />
          </li>
        ))}
      </ul>
    </Section>
  );
}

function SpanLink({ span: { name, traceId, spanId, durationMs, error } }: { span: DeathView['lastSpans'][number] }) {
  return (
    <a href={`/traces/${traceId}?span=${spanId}`} class={error ? 'errors' : ''}>
      {name} <span class="num muted">{formatDuration(durationMs)}</span>
    </a>
  );
}

function Section({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <section>
      <h2>{title}</h2>
      {children}
    </section>
  );
}

/** Long lines of it scroll, with the keyboard, too. */
function Output({ children }: { children: preact.ComponentChildren }) {
  // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
  return <pre tabIndex={0}>{children}</pre>;
}
