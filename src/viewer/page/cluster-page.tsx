import { useEffect, useRef, useState } from 'preact/hooks';
import type { ClusterView, IncarnationView, LaneView } from '../api-types.ts';
import { formatCount, formatDuration } from '../format.ts';
import { axisStep } from './canvas.ts';
import { useKeys } from './keys.ts';
import { LaneCanvas } from './lane-canvas.tsx';
import { useData } from './live.ts';
import { ago, clock, OutcomeMark } from './marks.tsx';
import { rate, Windows } from './routes-page.tsx';

const WINDOWS = [
  ['15000', '15 s'],
  ['60000', '1 m'],
  ['300000', '5 m'],
  ['900000', '15 m'],
] as const;

/** Every worker on one time axis. */
export function ClusterPage({ query }: { query: URLSearchParams }) {
  const windowMs = query.get('window') ?? '60000';
  const [heldAt, setHeldAt] = useState<number>();
  const address = `/api/cluster?window=${windowMs}${heldAt === undefined ? '' : `&to=${heldAt}`}`;
  const { data } = useData<ClusterView>(address, { live: heldAt === undefined, everyMs: 500 });
  const toMs = useRollingEnd(data, heldAt === undefined);

  useKeys((event) => {
    if (event.key !== ' ' || (event.target as Element).matches('button, a')) return false;
    setHeldAt((held) => (held === undefined ? toMs : undefined));
    return true;
  });

  const lanes = data?.lanes ?? [];
  const fromMs = toMs - Number(windowMs);
  const requests = lanes.reduce((sum, lane) => sum + lane.stats.requests, 0);
  const total = lanes.reduce((sum, lane) => sum + lane.stats.rate, 0);
  const interrupted = lanes.reduce((sum, lane) => sum + lane.stats.interrupted, 0);
  const deaths = lanes
    .flatMap((lane) => lane.incarnations)
    .filter(({ exit }) => exit !== undefined && !isPlanned(exit) && exit.atMs >= fromMs).length;
  return (
    <>
      <div class="page-head">
        <h1>Cluster</h1>
        <p class="facts">
          <span>
            <b class="num">{lanes.length}</b> workers
          </span>
          <span>
            <b class="num">{rate(total)}</b> requests
          </span>
          <span class={deaths > 0 ? 'errors' : 'muted'}>
            <b class="num">{deaths}</b> {deaths === 1 ? 'death' : 'deaths'}
          </span>
          <span class={interrupted > 0 ? 'cut' : 'muted'}>
            <b class="num">{interrupted}</b> interrupted
          </span>
          <span class="muted wide">{formatCount(requests)} requests in view</span>
        </p>
        <Windows choices={WINDOWS} value={windowMs} />
        <button
          type="button"
          aria-pressed={heldAt !== undefined}
          onClick={() => setHeldAt(heldAt === undefined ? toMs : undefined)}
          title="Hold still (space)"
        >
          {heldAt === undefined ? 'Pause' : 'Resume'}
        </button>
      </div>
      {data && lanes.length === 0 && (
        <div class="empty">
          <h2>No workers yet</h2>
          <p>
            A worker is known by <code>cluster.worker.slot</code> in its resource, or by the requests that it serves.
          </p>
        </div>
      )}
      {lanes.length > 0 && (
        <>
          <div class="lanes">
            <TimeAxis fromMs={fromMs} toMs={toMs} />
            {data!.events.length > 0 && <EventLane data={data!} fromMs={fromMs} toMs={toMs} />}
            {lanes.map((lane) => (
              <LaneRow
                key={`${lane.service} ${lane.slot ?? lane.incarnations[0]?.instanceId}`}
                lane={lane}
                fromMs={fromMs}
                toMs={toMs}
              />
            ))}
          </div>
          <p class="lane-key" aria-hidden="true">
            <span>
              <i class="k-ok" /> request
            </span>
            <span>
              <i class="k-error" /> failed
            </span>
            <span>
              <i class="k-cut" /> interrupted by a death
            </span>
            <span>
              <i class="k-boot" /> booting
            </span>
            <span>
              <i class="k-death" /> death
            </span>
          </p>
          <Chronicle data={data!} />
        </>
      )}
    </>
  );
}

/** The axis's end: the server's clock at the last answer, and on from there while nothing new comes. */
function useRollingEnd(data: ClusterView | undefined, rolling: boolean): number {
  const [end, setEnd] = useState(Date.now());
  const basis = useRef<{ toMs: number; at: number }>(undefined);
  useEffect(() => {
    if (data === undefined) return;
    basis.current = { toMs: data.toMs, at: performance.now() };
    setEnd(data.toMs);
  }, [data]);
  useEffect(() => {
    if (!rolling) return;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    const timer = setInterval(
      () => {
        if (basis.current !== undefined && !document.hidden)
          setEnd(basis.current.toMs + performance.now() - basis.current.at);
      },
      calm ? 1000 : 100,
    );
    return () => clearInterval(timer);
  }, [rolling]);
  return end;
}

function TimeAxis({ fromMs, toMs }: { fromMs: number; toMs: number }) {
  const step = Math.max(1000, axisStep(toMs - fromMs, 6));
  const ticks: number[] = [];
  for (let at = Math.ceil(fromMs / step) * step; at <= toMs; at += step) ticks.push(at);
  return (
    <div class="lane time" aria-hidden="true">
      <span />
      <div class="track">
        {ticks.map((at) => (
          <span key={at} style={{ left: `${((at - fromMs) / (toMs - fromMs)) * 100}%` }}>
            {clock(at).slice(0, 8)}
          </span>
        ))}
      </div>
      <div class="stats head">
        <span>rate</span>
        <span>errors</span>
        <span>p50</span>
        <span>p95</span>
        <span>p99</span>
        <span title="event-loop utilisation, from the worker's metrics">loop</span>
        <span title="spans received from this worker">spans</span>
      </div>
    </div>
  );
}

/** What the whole cluster did. */
function EventLane({ data, fromMs, toMs }: { data: ClusterView; fromMs: number; toMs: number }) {
  const place = (ms: number) => Math.min(100, Math.max(0, ((ms - fromMs) / (toMs - fromMs)) * 100));
  return (
    <div class="lane events">
      <span class="who muted">cluster</span>
      <div class="track">
        {data.events
          .filter((event) => event.endMs >= fromMs)
          .map((event) => (
            <a
              key={event.traceId + event.startMs}
              href={`/traces/${event.traceId}`}
              class={`cluster-event ${event.error ? 'error' : ''} ${place(event.endMs) > 85 ? 'left' : ''}`}
              style={{
                left: `${place(event.startMs)}%`,
                width: `max(8px, ${place(event.endMs) - place(event.startMs)}%)`,
              }}
              title={`${event.name}, ${formatDuration(event.endMs - event.startMs)}`}
            >
              <span>{event.name.replace('cluster.', '')}</span>
            </a>
          ))}
      </div>
      <span />
    </div>
  );
}

function LaneRow({ lane, fromMs, toMs }: { lane: LaneView; fromMs: number; toMs: number }) {
  const { stats } = lane;
  const current = lane.incarnations.at(-1);
  const state =
    current === undefined
      ? ''
      : current.exit
        ? 'down'
        : current.startMs !== undefined && current.readyMs === undefined && current.lastMs <= current.startMs
          ? 'booting'
          : 'up';
  const lost = stats.spansLost ?? 0;
  return (
    <section
      class={`lane ${state}`}
      aria-label={`${lane.service} ${lane.slot === undefined ? `pid ${current?.pid ?? '?'}` : `slot ${lane.slot}`}`}
    >
      <div class="who">
        <b>
          <span class={`state ${state}`} role="img" aria-label={state || 'unknown'} title={state} />
          {lane.slot === undefined
            ? current?.pid === undefined
              ? lane.service
              : `pid ${current.pid}`
            : `slot ${lane.slot}`}
        </b>
        <span class="muted">{lane.service}</span>
        <span class="muted num">
          {lane.slot !== undefined && current?.pid !== undefined && `pid ${current.pid}`}
          {(current?.incarnation ?? 0) > 0 && ` · life ${current!.incarnation! + 1}`}
        </span>
      </div>
      <LaneCanvas lane={lane} fromMs={fromMs} toMs={toMs} />
      <dl class="stats">
        <Stat label="rate">{rate(stats.rate)}</Stat>
        <Stat label="errors">
          {stats.errors > 0 ? <span class="errors">{formatCount(stats.errors)}</span> : <span class="muted">0</span>}
          {stats.interrupted > 0 && <span class="cut"> {stats.interrupted} ✂</span>}
        </Stat>
        <Stat label="p50">{stats.p50Ms === undefined ? '–' : formatDuration(stats.p50Ms)}</Stat>
        <Stat label="p95">{stats.p95Ms === undefined ? '–' : formatDuration(stats.p95Ms)}</Stat>
        <Stat label="p99">{stats.p99Ms === undefined ? '–' : formatDuration(stats.p99Ms)}</Stat>
        <Stat label="loop">{stats.utilization === undefined ? '–' : `${Math.round(stats.utilization * 100)} %`}</Stat>
        <Stat
          label="spans"
          title={`received ${stats.spansReceived}, journaled ${stats.spansJournaled ?? 'unknown'}, lost ${stats.spansLost ?? 'unknown'}`}
        >
          {formatCount(stats.spansReceived)}
          {lost > 0 && <span class="errors"> −{formatCount(lost)}</span>}
        </Stat>
      </dl>
    </section>
  );
}

function Stat({ label, title, children }: { label: string; title?: string; children: preact.ComponentChildren }) {
  return (
    <div title={title}>
      <dt>{label}</dt>
      <dd class="num">{children}</dd>
    </div>
  );
}

export function isPlanned(exit: NonNullable<IncarnationView['exit']>): boolean {
  return exit.planned ?? (exit.signal === undefined && exit.code === 0);
}

/** `SIGKILL`, `exit 1`, `stopped`. */
export function exitLabel(exit: NonNullable<IncarnationView['exit']>): string {
  if (isPlanned(exit)) return 'stopped';
  if (exit.signal !== undefined) return exit.signal;
  return exit.code === undefined ? 'died' : `exit ${exit.code}`;
}

/** The same in words, newest first: for reading, searching, and for those who do not see the lanes. */
function Chronicle({ data }: { data: ClusterView }) {
  const entries = data.lanes.flatMap((lane) =>
    lane.incarnations.flatMap((life) => {
      const who = lane.slot === undefined ? `pid ${life.pid}` : `slot ${lane.slot}`;
      const list: {
        atMs: number;
        who: string;
        what: string;
        traceId?: string;
        outcome: 'ok' | 'interrupted' | 'error';
      }[] = [];
      if (life.startMs !== undefined) {
        const boot =
          life.readyMs === undefined ? 'forked' : `started, ready after ${formatDuration(life.readyMs - life.startMs)}`;
        list.push({ atMs: life.startMs, who, what: `${boot} (pid ${life.pid})`, outcome: 'ok' });
      }
      if (life.exit !== undefined) {
        const { exit } = life;
        const parts = [
          isPlanned(exit) ? `stopped as planned (pid ${life.pid})` : `died: ${exitLabel(exit)} (pid ${life.pid})`,
        ];
        if (exit.requestsInterrupted)
          parts.push(
            `${exit.requestsInterrupted} ${exit.requestsInterrupted === 1 ? 'request' : 'requests'} interrupted`,
          );
        if (exit.spansRecovered) parts.push(`${exit.spansRecovered} spans recovered from its journal`);
        list.push({
          atMs: exit.atMs,
          who,
          what: parts.join(', '),
          traceId: exit.traceId,
          outcome: isPlanned(exit) ? 'ok' : 'interrupted',
        });
      }
      return list;
    }),
  );
  for (const event of data.events) {
    entries.push({
      atMs: event.startMs,
      who: 'cluster',
      what: `${event.name.replace('cluster.', '')} took ${formatDuration(event.endMs - event.startMs)}`,
      traceId: event.traceId,
      outcome: event.error ? 'error' : 'ok',
    });
  }
  const shown = entries.filter((entry) => entry.atMs >= data.fromMs).sort((a, b) => b.atMs - a.atMs);
  if (shown.length === 0) return null;
  return (
    <section class="chronicle">
      <h2>What happened</h2>
      <ol>
        {shown.slice(0, 100).map((entry) => (
          <li key={`${entry.who}${entry.atMs}${entry.what}`}>
            <span class="num muted" title={ago(entry.atMs, data.toMs)}>
              {clock(entry.atMs)}
            </span>
            <b>{entry.who}</b>
            <span>
              {entry.outcome !== 'ok' && <OutcomeMark outcome={entry.outcome} />} {entry.what}{' '}
              {entry.traceId && <a href={`/traces/${entry.traceId}`}>trace</a>}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
