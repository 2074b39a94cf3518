import { useMemo, useState } from 'preact/hooks';
import type { MapCallView, MapNodeView, ServiceMapView } from '../api-types/service-map.ts';
import { counted, formatCount, formatDuration, formatRate } from '../format.ts';
import { condition } from '../views/filter-language.ts';
import { KnownSince, OF_MEMORY } from './known-since.tsx';
import { useData } from './live.ts';
import { filterLink } from './location.ts';
import { drawnWay, mapLayout, NODE_HEIGHT, NODE_WIDTH } from './map-layout.ts';
import { ErrorShare } from './marks.tsx';
import { LONG_WINDOWS, Windows } from './windows.tsx';

const KINDS: Record<MapNodeView['kind'], string> = {
  service: 'service',
  database: 'database',
  queue: 'queue',
  external: 'not traced',
};

/** Who calls whom, how often, how fast, and how much of it fails. */
export function MapPage({ query }: { query: URLSearchParams }) {
  const windowMs = query.get('window') ?? '900000';
  const { data } = useData<ServiceMapView>(`/api/map?window=${windowMs}`, { everyMs: 1000 });
  const [chosen, setChosen] = useState<string>();
  const nodes = data?.nodes ?? [];
  const calls = data?.calls ?? [];
  const names = new Map(nodes.map((node) => [node.id, node]));
  const shown = chosen === undefined || !names.has(chosen) ? undefined : chosen;
  const concerns = (call: MapCallView) => shown === undefined || call.from === shown || call.to === shown;
  return (
    <>
      <div class="page-head">
        <h1>Map</h1>
        {data && nodes.length > 0 && (
          <p class="facts">
            <span>{counted(nodes.filter(({ kind }) => kind === 'service').length, 'service')}</span>
            {data.hidden > 0 && <span class="muted">{counted(data.hidden, 'node')} with fewer calls not shown</span>}
          </p>
        )}
        <KnownSince ms={data?.sinceMs} why={OF_MEMORY} />
        <Windows choices={LONG_WINDOWS} value={windowMs} />
      </div>
      {data && nodes.length === 0 && (
        <div class="empty">
          <h2>No services yet</h2>
          <p>Spans of any service make this page; what they call is found by their attributes.</p>
        </div>
      )}
      {nodes.length > 0 && (
        <>
          <Drawing
            nodes={nodes}
            calls={calls}
            chosen={shown}
            choose={(id) => setChosen(id === chosen ? undefined : id)}
          />
          <section class="map-calls">
            <h2>
              {shown === undefined ? 'Calls' : `Calls of and to ${names.get(shown)!.name}`}{' '}
              {shown !== undefined && (
                <button type="button" class="link" onClick={() => setChosen(undefined)}>
                  All calls
                </button>
              )}
            </h2>
            <Calls calls={calls.filter(concerns)} names={names} />
            {shown !== undefined && names.get(shown)!.kind === 'service' && (
              <p>
                <a href={filterLink([condition('service', '=', names.get(shown)!.name)])}>Its traces</a>{' '}
                <a href={`/cluster?service=${encodeURIComponent(names.get(shown)!.name)}`}>Its workers</a>
              </p>
            )}
          </section>
        </>
      )}
    </>
  );
}

interface DrawingProps {
  nodes: MapNodeView[];
  calls: MapCallView[];
  chosen: string | undefined;
  choose: (id: string) => void;
}

function Drawing({ nodes, calls, chosen, choose }: DrawingProps) {
  // Laid out again only when there is something else to lay out: figures change all the time.
  const shape = JSON.stringify([nodes.map(({ id }) => id), calls.map(({ from, to }) => [from, to])]);
  const { width, height, nodes: places, ways } = useMemo(() => mapLayout(nodes, calls), [shape]);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
    <section class="map" tabIndex={0} aria-label="Map of the services">
      <svg width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="presentation">
        <defs>
          <marker
            id="map-arrow"
            viewBox="0 0 8 8"
            refX="7"
            refY="4"
            markerWidth="8"
            markerHeight="8"
            orient="auto"
            markerUnits="userSpaceOnUse"
          >
            <path d="M0,0L8,4L0,8z" />
          </marker>
        </defs>
        {calls.map((call, index) => {
          const way = drawnWay(ways[index]!);
          const faint = chosen !== undefined && call.from !== chosen && call.to !== chosen;
          return (
            <g
              key={`${call.from} ${call.to}`}
              class={`call ${call.errors > 0 ? 'failing' : ''} ${faint ? 'faint' : ''}`}
            >
              <path d={way.path} style={{ strokeWidth: strokeOf(call) }} marker-end="url(#map-arrow)" />
              <text x={way.label.x} y={way.label.y}>
                {formatRate(call.rate)} · {formatDuration(call.p50Ms)}
              </text>
            </g>
          );
        })}
      </svg>
      {nodes.map((node) => {
        const place = places.get(node.id);
        return (
          place && (
            <button
              key={node.id}
              type="button"
              class={`node ${node.kind} ${node.errors > 0 ? 'failing' : ''}`}
              aria-pressed={node.id === chosen}
              onClick={() => choose(node.id)}
              title={`${node.name}: p50 ${formatDuration(node.p50Ms)}, p95 ${formatDuration(node.p95Ms)}`}
              style={{
                left: `${place.x - NODE_WIDTH / 2}px`,
                top: `${place.y - NODE_HEIGHT / 2}px`,
                width: `${NODE_WIDTH}px`,
                height: `${NODE_HEIGHT}px`,
              }}
            >
              <span class="node-name">
                <NodeIcon kind={node.kind} />
                <b>{node.name}</b>
              </span>
              <span class="num muted">
                {node.calls === 0 ? (
                  KINDS[node.kind]
                ) : (
                  <>
                    {formatRate(node.rate)} · {formatDuration(node.p95Ms)}{' '}
                    {node.errors > 0 && <ErrorShare errors={node.errors} all={node.calls} />}
                  </>
                )}
              </span>
            </button>
          )
        );
      })}
    </section>
  );
}

/** A tenfold rate is a pixel more. */
const strokeOf = ({ rate }: MapCallView) => Math.min(5, Math.max(1, 1.5 + Math.log10(Math.max(rate, 0.1))));

/** A shape for each kind: colours alone do not tell them apart. */
function NodeIcon({ kind }: { kind: MapNodeView['kind'] }) {
  const paths: Record<MapNodeView['kind'], string> = {
    service: 'M2,3h12v4h-12zM2,9h12v4h-12z',
    database: 'M2,4c0,-3 12,-3 12,0v8c0,3 -12,3 -12,0zM2,4c0,3 12,3 12,0',
    queue: 'M2,3h3v10h-3zM7,3h3v10h-3zM12,3h2v10h-2z',
    external: 'M8,2a6,6 0 1,0 0.01,0M2,8h12M8,2c-4,3 -4,9 0,12M8,2c4,3 4,9 0,12',
  };
  return (
    <svg class="kind" viewBox="0 0 16 16" width="15" height="15" role="img" aria-label={KINDS[kind]}>
      <title>{KINDS[kind]}</title>
      <path d={paths[kind]} fill="none" stroke="currentColor" stroke-width="1.4" />
    </svg>
  );
}

function Calls({ calls, names }: { calls: MapCallView[]; names: ReadonlyMap<string, MapNodeView> }) {
  if (calls.length === 0) return <p class="muted">Nothing calls anything that is seen here.</p>;
  return (
    <div class="table-box">
      <table class="routes stacked">
        <thead>
          <tr>
            <th scope="col">Call</th>
            <th scope="col" class="right">
              Calls
            </th>
            <th scope="col" class="right">
              Rate
            </th>
            <th scope="col" class="right">
              Errors
            </th>
            <th scope="col" class="right">
              p50
            </th>
            <th scope="col" class="right">
              p95
            </th>
          </tr>
        </thead>
        <tbody>
          {calls.map((call) => (
            <tr key={`${call.from} ${call.to}`}>
              <th scope="row">
                <a href={filterLink(call.filter.map(([field, value]) => condition(field, '=', value)))}>
                  {names.get(call.from)?.name} → {names.get(call.to)?.name}
                </a>
              </th>
              <td class="right num" data-label="Calls">
                {formatCount(call.calls)}
              </td>
              <td class="right num" data-label="Rate">
                {formatRate(call.rate)}
              </td>
              <td class="right num" data-label="Errors">
                <ErrorShare errors={call.errors} all={call.calls} />
              </td>
              <td class="right num" data-label="p50">
                {formatDuration(call.p50Ms)}
              </td>
              <td class="right num" data-label="p95">
                {formatDuration(call.p95Ms)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
