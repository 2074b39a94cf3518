import { useEffect, useRef, useState } from 'preact/hooks';
import type { ClusterView, LaneView } from '../api-types/cluster.ts';
import { counted, formatCount, formatDuration, formatRate } from '../format.ts';
import { isPlannedExit } from '../views/exit-words.ts';
import { axisStep } from './canvas.ts';
import { Chronicle } from './chronicle.tsx';
import { ago, clockSeconds, now } from './clock.ts';
import { useKeys } from './keys.ts';
import { KnownSince, OF_START } from './known-since.tsx';
import { LaneRow } from './lane-row.tsx';
import { useData, useLive } from './live.ts';
import { navigate, withQuery } from './location.ts';
import { Windowed } from './windowed.tsx';
import { Windows } from './windows.tsx';

const WINDOWS = [
  ['15000', '15 s'],
  ['60000', '1 m'],
  ['300000', '5 m'],
  ['900000', '15 m'],
  ['3600000', '1 h'],
] as const;

/** Pixels of a lane, by how many there are: 64 workers fit on a screen of 1080. */
const HEIGHTS = [
  { upTo: 8, height: 77 },
  { upTo: 20, height: 30 },
  { upTo: Number.POSITIVE_INFINITY, height: 14 },
] as const;
const FLAT_BELOW = 40;
/** On a phone a lane's figures stand below it. */
const PHONE = '(max-width: 720px)';

/** Every worker on one time axis. */
export function ClusterPage({ query }: { query: URLSearchParams }) {
  const windowMs = query.get('window') ?? '60000';
  const service = query.get('service') ?? '';
  const [heldAt, setHeldAt] = useState<number>();
  const [showEarlier, setShowEarlier] = useState(false);
  const asked = new URLSearchParams({ window: windowMs });
  if (service !== '') asked.set('service', service);
  if (heldAt !== undefined) asked.set('to', String(heldAt));
  const { data } = useData<ClusterView>(`/api/cluster?${asked}`, { live: heldAt === undefined, everyMs: 500 });
  const { connected, state } = useLive();
  // What was there when the viewer went away says nothing of now.
  const away = state !== undefined && !connected;
  const toMs = useRollingEnd(data, heldAt === undefined && !away, Number(windowMs));

  useKeys((event) => {
    if (event.key !== ' ' || (event.target as Element).matches('button, a')) return false;
    setHeldAt((held) => (held === undefined ? toMs : undefined));
    return true;
  });

  const lanes = data?.lanes.filter((lane) => !lane.earlier) ?? [];
  const earlier = data?.lanes.filter((lane) => lane.earlier) ?? [];
  const fromMs = toMs - Number(windowMs);
  const since = knownSince(data, state?.startedMs, fromMs);
  const peak = Math.max(1, ...(data?.lanes ?? []).flatMap((lane) => lane.columns?.requests ?? []));
  const phone = matchMedia(PHONE).matches;
  const { height } = phone ? HEIGHTS[0] : HEIGHTS.find(({ upTo }) => lanes.length <= upTo)!;
  const flat = height < FLAT_BELOW;
  const row = (lane: LaneView) => (
    <LaneRow
      key={`${lane.service} ${lane.host} ${lane.slot ?? lane.incarnations[0]?.instanceId}`}
      lane={lane}
      fromMs={fromMs}
      toMs={toMs}
      peak={peak}
      flat={flat}
      height={height}
    />
  );
  return (
    <>
      <div class="page-head">
        <h1>Cluster</h1>
        <Facts lanes={lanes} fromMs={fromMs} />
        {(data?.services.length ?? 0) > 1 && (
          <select
            aria-label="Service"
            value={service}
            onChange={(event) => navigate(withQuery({ service: event.currentTarget.value }))}
          >
            <option value="">All services</option>
            {data!.services.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        )}
        <KnownSince ms={since} why={OF_START} />
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
      {away && (
        <p class="alert" role="status">
          <b>The viewer is away.</b> This is how it was at {clockSeconds(toMs)}.
        </p>
      )}
      {data?.breakers.map((breaker) => (
        <p key={breaker.service} class="alert" role="status">
          <b>
            {breaker.service}: crash loop, the breaker is {breaker.state}
          </b>{' '}
          {breaker.state === 'open' ? 'No worker is respawned for now.' : 'One worker is being tried.'}{' '}
          <span class="muted">since {ago(breaker.sinceMs, toMs)}</span>
        </p>
      ))}
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
          <div class={`lanes ${away ? 'stale' : ''}`}>
            <TimeAxis fromMs={fromMs} toMs={toMs} />
            {data!.events.length > 0 && <EventLane data={data!} fromMs={fromMs} toMs={toMs} />}
            {phone ? (
              lanes.map(row)
            ) : (
              <Windowed count={lanes.length} rowHeight={height} render={(at) => row(lanes[at]!)} />
            )}
          </div>
          <LaneKey />
        </>
      )}
      {earlier.length > 0 && (
        <section class="earlier">
          <button type="button" class="link" aria-expanded={showEarlier} onClick={() => setShowEarlier(!showEarlier)}>
            {showEarlier ? '▾' : '▸'} {counted(earlier.length, 'worker')} of earlier clusters
          </button>
          {showEarlier && <div class="lanes">{earlier.map(row)}</div>}
        </section>
      )}
      {data && <Chronicle data={data} />}
    </>
  );
}

/** Since the viewer runs, or what it has read from its file begins; undefined when that is not in view. */
function knownSince(data: ClusterView | undefined, startedMs: number | undefined, fromMs: number): number | undefined {
  if (data === undefined || startedMs === undefined) return undefined;
  const firsts = data.lanes.flatMap(({ incarnations }) => incarnations.map((life) => life.startMs ?? life.firstMs));
  const since = Math.min(startedMs, ...firsts);
  return since > fromMs ? since : undefined;
}

/** The same lanes in numbers. */
function Facts({ lanes, fromMs }: { lanes: LaneView[]; fromMs: number }) {
  const sum = (value: (lane: LaneView) => number) => lanes.reduce((total, lane) => total + value(lane), 0);
  const running = lanes.filter(({ state }) => state === 'up' || state === 'blocked' || state === 'starting').length;
  const interrupted = sum((lane) => lane.stats.interrupted);
  const deaths = lanes
    .flatMap((lane) => lane.incarnations)
    .filter(({ exit }) => exit !== undefined && !isPlannedExit(exit) && exit.atMs >= fromMs).length;
  return (
    <p class="facts">
      <span class={running === 0 && lanes.length > 0 ? 'errors' : ''}>
        <b class="num">{running}</b>
        {running < lanes.length && ` of ${lanes.length}`} {lanes.length === 1 ? 'worker' : 'workers'} running
      </span>
      <span>
        <b class="num">{formatRate(sum((lane) => lane.stats.rate))}</b> requests
      </span>
      <span class={deaths > 0 ? 'errors' : 'muted'}>
        <b class="num">{deaths}</b> {deaths === 1 ? 'death' : 'deaths'}
      </span>
      <span class={interrupted > 0 ? 'cut' : 'muted'}>
        <b class="num">{formatCount(interrupted)}</b> interrupted
      </span>
      <span class="muted wide">
        {counted(
          sum((lane) => lane.stats.requests),
          'request',
        )}{' '}
        in view
      </span>
    </p>
  );
}

function LaneKey() {
  const keys = [
    ['k-ok', 'request'],
    ['k-error', 'failed'],
    ['k-cut', 'interrupted by a death'],
    ['k-boot', 'booting'],
    ['k-death', 'death'],
    ['k-block', 'event loop blocked now'],
  ] as const;
  return (
    <p class="lane-key" aria-hidden="true">
      {keys.map(([mark, says]) => (
        <span key={mark}>
          <i class={mark} /> {says}
        </span>
      ))}
      <span>● running ▲ blocked ■ stopped ✕ dead ◌ gone without a word</span>
      <span>a busy lane: requests per moment as columns, their p95 as a line from 0.1 ms to 10 s</span>
    </p>
  );
}

/** Pixels that the axis moves by while nothing arrives. */
const STEP_PIXELS = 12;
const TRACK_PIXELS = 800;

/** The axis's end: the server's clock at the last answer, and on from there while nothing new comes. */
function useRollingEnd(data: ClusterView | undefined, rolling: boolean, windowMs: number): number {
  const [end, setEnd] = useState(now());
  const basis = useRef<{ toMs: number; at: number }>(undefined);
  useEffect(() => {
    if (data === undefined) return;
    basis.current = { toMs: data.toMs, at: performance.now() };
    setEnd(data.toMs);
  }, [data]);
  useEffect(() => {
    if (!rolling) return;
    // A step that can be seen and no more: moving all lanes for less than a pixel would keep a processor
    // busy.
    const everyMs = Math.max(1000, (windowMs / TRACK_PIXELS) * STEP_PIXELS);
    const timer = setInterval(() => {
      if (basis.current === undefined || document.hidden) return;
      setEnd(basis.current.toMs + performance.now() - basis.current.at);
    }, everyMs);
    return () => clearInterval(timer);
  }, [rolling, windowMs]);
  return end;
}

/** What stands at a later tick finds no room beside it. */
const LAST_TICK = matchMedia(PHONE).matches ? 0.16 : 0.07;

function TimeAxis({ fromMs, toMs }: { fromMs: number; toMs: number }) {
  const step = Math.max(1000, axisStep(toMs - fromMs, 6));
  const ticks: number[] = [];
  for (let at = Math.ceil(fromMs / step) * step; at <= toMs - LAST_TICK * (toMs - fromMs); at += step) ticks.push(at);
  return (
    <div class="lane time" aria-hidden="true">
      <span />
      <div class="track">
        {ticks.map((at) => (
          <span key={at} style={{ left: `${((at - fromMs) / (toMs - fromMs)) * 100}%` }}>
            {clockSeconds(at)}
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
