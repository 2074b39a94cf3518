import { isOutOfReach } from '../instrumentation/api-copies.js';
import { serveEarlyLoggers } from '../worker/loggers-of-api.js';
import { FirstSpanProvider } from './first-span.js';
import { recordsNothing, StandIns } from './stand-ins.js';

/**
 * Registers a stand-in for the tracer provider, whose first span starts tracing.
 *
 * @param start starts tracing, unless that has failed before; returns false while tracing is being started
 * @param replaced called when a provider has been registered, by forktrace or by another SDK
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
  serveEarlyLoggers();
}

/**
 * Whether a stand-in is in the copy of the API that this file is of.
 *
 * @public
 */
export function serves(file: string): boolean {
  return !isOutOfReach(file);
}
