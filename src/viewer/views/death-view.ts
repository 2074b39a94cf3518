import { allPostMortems, postMortemsSince } from '../../forensics/post-mortem.js';
import type { DeathRowView, DeathView, NewDeathsView } from '../api-types/deaths.js';

/**
 * Deaths that are remembered on this machine.
 *
 * @param journals where the services' journal directories are
 */
export function deathRows(journals: string): DeathRowView[] {
  return allPostMortems(journals).map(({ id, atMs, service, pid, slot, cause, code, signal, inFlight, ...rest }) => ({
    ...{ id, atMs, service, pid, slot, cause, code, signal },
    inFlightTotal: rest.inFlightTotal,
    culprit: inFlight.find(({ role }) => role === 'culprit')?.name,
  }));
}

/** @param query with `since`, in milliseconds */
export function newDeaths(journals: string, query: URLSearchParams): NewDeathsView {
  return { count: postMortemsSince(journals, Number(query.get('since')) || 0) };
}

/** @returns undefined when there is no such death, or no more */
export function deathView(journals: string, id: string): DeathView | undefined {
  return allPostMortems(journals).find((death) => death.id === id);
}
