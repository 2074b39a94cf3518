import { allPostMortems } from '../../forensics/post-mortem.js';
import type { DeathRowView, DeathView } from '../api-types.js';

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

/** @returns undefined when there is no such death, or no more */
export function deathView(journals: string, id: string): DeathView | undefined {
  return allPostMortems(journals).find((death) => death.id === id);
}
