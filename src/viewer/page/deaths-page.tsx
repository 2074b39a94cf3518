import { useEffect } from 'preact/hooks';
import type { DeathRowView } from '../api-types/deaths.ts';
import { counted } from '../format.ts';
import { exitWords } from '../views/exit-words.ts';
import { clock } from './clock.ts';
import { useData } from './live.ts';
import { lookedAtDeaths } from './new-deaths.tsx';

const EVERY_MS = 2000;

/** The deaths that are remembered on this machine, the newest first. */
export function DeathsPage() {
  const { data } = useData<DeathRowView[]>('/api/deaths', { everyMs: EVERY_MS });
  const newest = data?.[0]?.atMs;
  useEffect(() => {
    if (newest !== undefined) lookedAtDeaths(newest);
  }, [newest]);
  return (
    <>
      <div class="page-head">
        <h1>Deaths</h1>
      </div>
      {data?.length === 0 && (
        <div class="empty">
          <h2>Nobody has died</h2>
          <p>Deaths of processes on this machine that had a journal are remembered here, a hundred of each service.</p>
        </div>
      )}
      {data !== undefined && data.length > 0 && (
        <div class="table-box">
          <table class="deaths stacked">
            <thead>
              <tr>
                <th scope="col">When</th>
                <th scope="col">Who</th>
                <th scope="col">Cause</th>
                <th scope="col">Culprit</th>
                <th scope="col" class="right">
                  In flight
                </th>
              </tr>
            </thead>
            <tbody>
              {data.map((death) => (
                <tr key={death.id}>
                  <th scope="row">
                    <a href={`/deaths/${death.id}`}>{clock(death.atMs)}</a>
                  </th>
                  <td class="two" data-label="Who">
                    {death.service} {death.slot === undefined ? '' : `slot ${death.slot}, `}pid {death.pid}
                  </td>
                  <td class="cut two" data-label="Cause">
                    {exitWords({
                      ...death,
                      code: death.code ?? undefined,
                      signal: death.signal ?? undefined,
                      planned: false,
                    })}
                  </td>
                  <td class="all" data-label="Culprit">
                    {death.culprit ?? <span class="muted">not known</span>}
                  </td>
                  <td class="right num all" data-label="In flight" title={counted(death.inFlightTotal, 'request')}>
                    {death.inFlightTotal}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
