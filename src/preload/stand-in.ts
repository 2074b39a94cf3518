import { FirstSpanProvider } from './first-span.js';
import { recordsNothing, StandIns } from './stand-ins.js';

/**
 * Has a provider in the place of the one that is yet to come, whose first span starts tracing.
 *
 * @param start starts tracing, unless that has failed
 * @public
 */
export function standIn(start: () => void): void {
  const standIns = new StandIns();
  let isStarting = false;
  const firstSpan = new FirstSpanProvider(() => {
    // What starting itself does with files and sockets is instrumented, too.
    if (isStarting) return undefined;
    isStarting = true;
    try {
      if (standIns.replacement === undefined) start();
    } finally {
      isStarting = false;
    }
    return standIns.replacement ?? recordsNothing;
  });
  standIns.delegateTo(firstSpan);
}
