import { FirstSpanProvider } from './first-span.js';
import { recordsNothing, StandIns } from './stand-ins.js';

/**
 * Has a provider in the place of the one that is yet to come, whose first span starts tracing.
 *
 * @param start starts tracing, unless that has failed; false: it is being started, and this is a span of that
 * @param replaced a provider has been registered, by us or by another SDK
 * @public
 */
export function standIn(start: () => boolean, replaced: () => void): void {
  const standIns = new StandIns();
  const firstSpan = new FirstSpanProvider(() => {
    if (standIns.replacement === undefined && !start()) return undefined;
    return standIns.replacement ?? recordsNothing;
  });
  standIns.delegateTo(firstSpan);
  standIns.whenReplaced(replaced);
}
