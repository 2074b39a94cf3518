import { undeliveredIn } from '../journal/delivery.js';
import { numberOf } from '../number-of.js';
import { warnNow } from '../warn.js';
import { isShipperAlive } from './lock.js';

/** For counting what is left, as a process ends, in milliseconds. */
const COUNT_MS = 100;

/**
 * Says what stays in a directory that no shipper could be started for, and has none; nothing where that is
 * nothing.
 */
export function sayLeft(dir: string, failure: string): void {
  const spans = undeliveredIn(dir, COUNT_MS);
  if (spans === 0 || isShipperAlive(dir)) return;
  warnNow(
    'FORKTRACE_SPANS_LEFT',
    `${numberOf(spans, 'span')} left in ${dir}, as no shipper could be started (${failure}): the next start of the service delivers what is left, or: forktrace ship ${dir}`,
  );
}
