import { useState } from 'preact/hooks';
import type { ClusterView, LaneView } from '../api-types/cluster.ts';
import { counted } from '../format.ts';
import { Chronicle } from './chronicle.tsx';
import { ago, clockSeconds } from './clock.ts';
import { ClusterFacts } from './cluster-facts.tsx';
import { EventLane } from './event-lane.tsx';
import { useKeys } from './keys.ts';
import { KnownSince, OF_START } from './known-since.tsx';
import { LaneKey } from './lane-key.tsx';
import { LaneRow } from './lane-row.tsx';
import { LanesAxis, PHONE } from './lanes-axis.tsx';
import { useData, useLive } from './live.ts';
import { navigate, withQuery } from './location.ts';
import { useRollingEnd } from './rolling-end.ts';
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
        <ClusterFacts lanes={lanes} fromMs={fromMs} />
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
            <LanesAxis fromMs={fromMs} toMs={toMs} />
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
