import type { InstrumentsView, InstrumentView, MetricView, PreparedView } from '../api-types/metrics.ts';
import { counted, formatCount } from '../format.ts';
import { now } from './clock.ts';
import { KnownSince, OF_START } from './known-since.tsx';
import { useData, useLive } from './live.ts';
import { navigate, withQuery } from './location.ts';
import { MetricChart } from './metric-chart.tsx';
import { Windows } from './windows.tsx';

const WINDOWS = [
  ['300000', '5 m'],
  ['900000', '15 m'],
  ['3600000', '1 h'],
] as const;
/** Exports come every few seconds at best. */
const EVERY_MS = 2000;

const STATS: Record<string, string> = {
  p50: '50th percentile',
  p95: '95th percentile',
  p99: '99th percentile',
  mean: 'Mean',
  rate: 'Number per second',
  total: 'Total per second',
};

/** What the processes measured: HTTP and runtime as prepared, or one instrument as it is asked for. */
export function MetricsPage({ query }: { query: URLSearchParams }) {
  const windowMs = query.get('window') ?? '900000';
  const service = query.get('service') ?? '';
  const name = query.get('name') ?? '';
  const { data } = useData<InstrumentsView>('/api/metrics', { everyMs: EVERY_MS });
  const startedMs = useLive().state?.startedMs ?? 0;
  const since = Math.max(startedMs, data?.goneMs ?? 0);
  const instruments = data?.instruments ?? [];
  const services = [...new Set(instruments.flatMap((one) => one.services))].sort();
  const chosen = instruments.find((one) => one.name === name);
  return (
    <>
      <div class="page-head">
        <h1>Metrics</h1>
        {instruments.length > 0 && (
          <select
            aria-label="Instrument"
            value={name}
            onChange={(event) => navigate(withQuery({ name: event.currentTarget.value, stat: '', by: '' }))}
          >
            <option value="">HTTP and runtime</option>
            {instruments.map((one) => (
              <option key={one.name} value={one.name}>
                {one.name}
              </option>
            ))}
          </select>
        )}
        {services.length > 1 && (
          <select
            aria-label="Service"
            value={service}
            onChange={(event) => navigate(withQuery({ service: event.currentTarget.value }))}
          >
            <option value="">All services</option>
            {services.map((one) => (
              <option key={one} value={one}>
                {one}
              </option>
            ))}
          </select>
        )}
        <KnownSince
          ms={since > now() - Number(windowMs) ? since : undefined}
          why={since === startedMs ? OF_START : 'memory has no older points'}
        />
        <Windows choices={WINDOWS} value={windowMs} />
      </div>
      {data && instruments.length === 0 && (
        <div class="empty">
          <h2>No metrics yet</h2>
          <p>
            <code>metrics: true</code> has workers of forktrace send theirs; OTLP metrics of anything else are shown,
            too.
          </p>
        </div>
      )}
      {data && name !== '' && chosen === undefined && <p class="muted">Nothing has been received of {name}.</p>}
      {chosen !== undefined && <One instrument={chosen} query={query} windowMs={windowMs} service={service} />}
      {data && name === '' && (
        <>
          {data.prepared.map((group) => (
            <Prepared key={group.title} group={group} windowMs={windowMs} service={service} />
          ))}
          {instruments.length > 0 && <Instruments data={data} />}
        </>
      )}
    </>
  );
}

function Prepared({
  group: { title, charts },
  windowMs,
  service,
}: {
  group: PreparedView;
  windowMs: string;
  service: string;
}) {
  return (
    <section class="prepared">
      <h2>{title}</h2>
      <div class="charts">
        {charts.map((chart) => {
          const { stat = '', by = '' } = chart;
          return (
            <section key={chart.title} aria-label={chart.title}>
              <h3>
                <a href={withQuery({ name: chart.name, stat, by })}>{chart.title}</a>
              </h3>
              <Asked asked={{ name: chart.name, stat, by, window: windowMs, service }} height={170} />
            </section>
          );
        })}
      </div>
    </section>
  );
}

function Asked({ asked, height }: { asked: Record<string, string>; height: number }) {
  const { data } = useData<MetricView>(`/api/metric?${new URLSearchParams(asked)}`, { everyMs: EVERY_MS });
  if (data === undefined) return <p class="loading">…</p>;
  if (data.lines.length === 0) return <p class="muted">Nothing in this time.</p>;
  return <MetricChart metric={data} height={height} />;
}

function One({
  instrument,
  query,
  windowMs,
  service,
}: {
  instrument: InstrumentView;
  query: URLSearchParams;
  windowMs: string;
  service: string;
}) {
  const stat = query.get('stat') ?? '';
  const by = query.get('by') ?? '';
  const { name, kind, unit, description, attributes, series } = instrument;
  return (
    <section class="one-metric" aria-label={name}>
      <p>
        <b class="mono">{name}</b>{' '}
        <span class="muted">
          {kind}
          {unit !== '' && unit !== '1' && `, ${unit}`}, {counted(series, 'series', 'series')}
        </span>
        {description !== '' && <> · {description}</>}
      </p>
      {kind === 'other' ? (
        <p class="muted">It has no data.</p>
      ) : (
        <>
          <div class="choose">
            {(kind === 'histogram' || kind === 'summary') && (
              <label>
                Show{' '}
                <select
                  aria-label="Show"
                  value={stat === '' ? 'p95' : stat}
                  onChange={(event) => navigate(withQuery({ stat: event.currentTarget.value }))}
                >
                  {Object.entries(STATS).map(([key, label]) => (
                    <option key={key} value={key}>
                      {label}
                    </option>
                  ))}
                </select>
              </label>
            )}
            <label>
              By{' '}
              <select
                aria-label="By"
                value={by}
                onChange={(event) => navigate(withQuery({ by: event.currentTarget.value }))}
              >
                <option value="">worker</option>
                <option value="all">nothing: all together</option>
                {attributes.map((key) => (
                  <option key={key} value={key}>
                    {key}
                  </option>
                ))}
              </select>
            </label>
          </div>
          <Asked asked={{ name, stat, by, window: windowMs, service }} height={360} />
        </>
      )}
    </section>
  );
}

function Instruments({ data: { instruments, dropped } }: { data: InstrumentsView }) {
  return (
    <section>
      <h2>All instruments</h2>
      <div class="table-box">
        <table class="routes">
          <thead>
            <tr>
              <th scope="col">Name</th>
              <th scope="col">Kind</th>
              <th scope="col" class="wide">
                Unit
              </th>
              <th scope="col" class="right">
                Series
              </th>
              <th scope="col" class="wide">
                Description
              </th>
            </tr>
          </thead>
          <tbody>
            {instruments.map((one) => (
              <tr key={one.name}>
                <th scope="row">
                  <a href={withQuery({ name: one.name })}>{one.name}</a>
                </th>
                <td>{one.kind}</td>
                <td class="wide">{one.unit}</td>
                <td class="right num">{formatCount(one.series)}</td>
                <td class="wide muted">{one.description}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {dropped > 0 && <p class="muted">{counted(dropped, 'series', 'series')} made room for others.</p>}
    </section>
  );
}
