import { useEffect, useState } from 'preact/hooks';
import { counted, formatBytes, formatCount } from '../format.ts';
import { nextZone, zone } from './clock.ts';
import { ClusterPage } from './cluster-page.tsx';
import { ComparePage } from './compare-page.tsx';
import { DeathPage } from './death-page.tsx';
import { DeathsPage } from './deaths-page.tsx';
import { useDroppedFiles } from './dropped-files.ts';
import { Help } from './help.tsx';
import { useKeys } from './keys.ts';
import { type LiveState, useLive } from './live.ts';
import { followLinks, navigate, usePlace } from './location.ts';
import { LogsPage } from './logs-page.tsx';
import { MapPage } from './map-page.tsx';
import { MetricsPage } from './metrics-page.tsx';
import { NewDeaths } from './new-deaths.tsx';
import { RoutesPage } from './routes-page.tsx';
import { nextTheme, theme } from './theme.ts';
import { TracePage } from './trace-page.tsx';
import { TracesPage } from './traces-page.tsx';

const TABS = [
  { path: '/traces', name: 'Traces', key: '1' },
  { path: '/cluster', name: 'Cluster', key: '2' },
  { path: '/routes', name: 'Routes', key: '3' },
  { path: '/map', name: 'Map', key: '4' },
  { path: '/metrics', name: 'Metrics', key: '5' },
  { path: '/logs', name: 'Logs', key: '6' },
  { path: '/deaths', name: 'Deaths', key: '7' },
];

/** Each at the path of its name. */
const PAGES = ['cluster', 'routes', 'map', 'metrics', 'logs', 'deaths', 'compare'] as const;

export function App() {
  const place = usePlace();
  const live = useLive();
  const [help, setHelp] = useState(false);
  const [mode, setMode] = useState(theme());
  const [times, setTimes] = useState(zone());

  const dropped = useDroppedFiles();
  useKeys((event) => {
    const tab = TABS.find((one) => one.key === event.key);
    if (event.key === '?') setHelp(true);
    else if (event.key === 't') setMode(nextTheme());
    else if (tab !== undefined) navigate(tab.path);
    else if (event.key === '/') document.querySelector<HTMLInputElement>('[data-search]')?.focus();
    else return false;
    return true;
  });

  const traceId = /^\/traces\/([0-9a-f]{1,64})$/i.exec(place.path)?.[1]?.toLowerCase();
  const page = traceId !== undefined ? 'trace' : (PAGES.find((name) => place.path.startsWith(`/${name}`)) ?? 'traces');
  const deathId = /^\/deaths\/([0-9a-f]{12})$/.exec(place.path)?.[1];
  useEffect(() => {
    document.title = `${page === 'trace' ? `Trace ${traceId!.slice(0, 8)}` : page[0]!.toUpperCase() + page.slice(1)} – forktrace`;
    // On a phone not all of them are in sight.
    document.querySelector('nav [aria-current]')?.scrollIntoView({ block: 'nearest', inline: 'center' });
  }, [page, traceId]);

  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: links inside are clicked; they have keys
    // biome-ignore lint/a11y/noStaticElementInteractions: the same
    <div class="app" onClick={followLinks}>
      <a class="skip" href="#main">
        To the content
      </a>
      <header class="top">
        <a class="brand" href="/traces" aria-label="forktrace, all traces">
          <Logo />
          <span>forktrace</span>
        </a>
        <nav aria-label="Pages">
          {TABS.map(({ path, name }) => (
            <a
              key={path}
              href={path}
              aria-current={path === `/${page === 'trace' ? 'traces' : page}` ? 'page' : undefined}
            >
              {name}
              {path === '/deaths' && <NewDeaths />}
            </a>
          ))}
        </nav>
        <Status live={live} />
        <button
          type="button"
          class="zone wide"
          onClick={() => setTimes(nextZone())}
          aria-label={`Times: ${times}`}
          title="Times of the browser's zone, or UTC"
        >
          {times === 'UTC' ? 'UTC' : 'local'}
        </button>
        <button
          type="button"
          class="icon"
          onClick={() => setMode(nextTheme())}
          aria-label={`Theme: ${mode}`}
          title={`Theme: ${mode} (t)`}
        >
          {mode === 'light' ? '☀' : mode === 'dark' ? '☾' : '◐'}
        </button>
        <button
          type="button"
          class="icon"
          onClick={() => setHelp(true)}
          aria-label="Keys and help"
          title="Keys and help (?)"
        >
          ?
        </button>
      </header>
      <main id="main" key={times} tabIndex={-1} class={`page-${page}`}>
        {page === 'trace' && <TracePage id={traceId!} query={place.query} />}
        {page === 'traces' && <TracesPage query={place.query} live={live} />}
        {page === 'cluster' && <ClusterPage query={place.query} />}
        {page === 'logs' && <LogsPage query={place.query} />}
        {page === 'map' && <MapPage query={place.query} />}
        {page === 'metrics' && <MetricsPage query={place.query} />}
        {page === 'compare' && <ComparePage query={place.query} />}
        {page === 'deaths' && (deathId === undefined ? <DeathsPage /> : <DeathPage id={deathId} />)}
        {page === 'routes' && <RoutesPage query={place.query} />}
      </main>
      {dropped !== undefined && (
        <p class="dropped" role="status">
          {dropped}
        </p>
      )}
      {help && <Help state={live.state} close={() => setHelp(false)} />}
    </div>
  );
}

function Logo() {
  return (
    <svg
      viewBox="0 0 24 24"
      width="22"
      height="22"
      aria-hidden="true"
      fill="none"
      stroke-width="2.4"
      stroke-linecap="round"
    >
      <path d="M3 12h18M8 12c4 0 3-7 7-7h6" stroke="var(--accent)" />
      <path d="M8 12c4 0 3 7 7 7h3" stroke="var(--interrupted)" />
    </svg>
  );
}

function Status({ live: { state, connected } }: { live: LiveState }) {
  const dropped = state === undefined ? 0 : state.evictedSpans + state.overflow;
  const title =
    state &&
    [
      `${formatCount(state.received)} spans received`,
      `${formatCount(state.spans)} held in ${formatBytes(state.bytes)} of ${formatBytes(state.limits.maxBytes)}`,
      `${formatCount(dropped)} dropped to make room`,
      `${formatCount(state.duplicates)} duplicates`,
      `${formatCount(state.refused)} requests refused`,
    ].join('\n');
  return (
    <div class="live" title={title}>
      <span class={`pulse ${connected ? 'on' : 'off'}`} />
      <span role="status">{connected ? 'Live' : 'Viewer is away'}</span>
      {state && (
        <span class="wide">
          {counted(state.traces, 'trace')} · {counted(state.spans, 'span')}
          {dropped > 0 && <> · {formatCount(dropped)} dropped</>}
          {state.refused > 0 && <> · {formatCount(state.refused)} refused</>}
        </span>
      )}
    </div>
  );
}
