import { useState } from 'preact/hooks';
import type { DifferencesView } from '../api-types/differences.ts';
import type { RouteView } from '../api-types/routes.ts';
import { counted, formatDuration } from '../format.ts';
import { condition } from '../views/filter-language.ts';
import { useData } from './live.ts';
import { filterLink } from './location.ts';

const EVERY_MS = 4000;

/** What the slow or the failing requests of a route have in common that the others have not. */
export function Differences({
  route,
  windowMs,
  conditions,
}: {
  route: RouteView;
  windowMs: string;
  /** That choose the route. */
  conditions: string[];
}) {
  const [which, setWhich] = useState<'slow' | 'failing'>('slow');
  const asked = new URLSearchParams({
    service: route.service,
    method: route.method,
    route: route.route,
    window: windowMs,
    which,
  });
  const { data } = useData<DifferencesView>(`/api/differences?${asked}`, { everyMs: EVERY_MS });
  const choice = (value: typeof which, label: string) => (
    <button type="button" aria-pressed={which === value} onClick={() => setWhich(value)}>
      {label}
    </button>
  );
  return (
    <section class="differences">
      <h2>What is different about the {which} ones</h2>
      <fieldset class="segments">
        <legend class="hidden">Requests to look at</legend>
        {choice('slow', 'Slow')}
        {choice('failing', 'Failing')}
      </fieldset>
      {data && <Found data={data} which={which} conditions={conditions} />}
    </section>
  );
}

const percent = (share: number) => `${Math.round(share * 100)} %`;

function Found({ data, which, conditions }: { data: DifferencesView; which: string; conditions: string[] }) {
  const group = which === 'slow' ? `the slowest tenth (from ${formatDuration(data.fromMs)})` : 'those that failed';
  if (data.differences.length === 0) {
    return (
      <p class="muted">
        {data.selected < 10 || data.rest < 10
          ? `Too few to tell: ${data.selected} of ${counted(data.selected + data.rest, 'request')} (ten of both are needed).`
          : `Nothing that ${group} have more often than the others.`}
      </p>
    );
  }
  return (
    <table>
      <caption class="muted">
        {counted(data.selected, 'request')} – {group} – against {data.rest} others
      </caption>
      <thead>
        <tr>
          <th scope="col">Has</th>
          <th scope="col" class="right">
            {which === 'slow' ? 'Slow' : 'Failing'}
          </th>
          <th scope="col" class="right">
            Others
          </th>
        </tr>
      </thead>
      <tbody>
        {data.differences.map(({ key, operator, value, share, restShare }) => (
          <tr key={`${key}${operator}${value}`}>
            <th scope="row">
              <a href={filterLink([...conditions, condition(key, operator, value)])}>
                <code>
                  {key} {operator === '=' ? '' : '≥ '}
                  {value === '' ? '(empty)' : value}
                </code>
              </a>
            </th>
            <td class="right num">
              <span class="meter" style={{ width: `${share * 60}px` }} /> {percent(share)}
            </td>
            <td class="right num muted">{percent(restShare)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
