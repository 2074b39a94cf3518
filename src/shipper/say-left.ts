import { undeliveredIn } from '../journal/delivery.js';
import { numberOf } from '../number-of.js';
import { endsContainer } from '../process/pid-namespace.js';
import { warnNow } from '../warn.js';
import { shipperPid } from './lock.js';

/** For counting what is left, as a process ends, in milliseconds. */
const COUNT_MS = 100;

/**
 * Says what stays in a directory as this process ends, where no other process ships it then; nothing where
 * that is nothing.
 */
export function sayLeft(dir: string, why: string): void {
  const spans = undeliveredIn(dir, COUNT_MS);
  const isShippedOn = ![undefined, process.pid].includes(shipperPid(dir)) && !endsContainer();
  if (spans === 0 || isShippedOn) return;
  warnNow(
    'FORKTRACE_SPANS_LEFT',
    `${numberOf(spans, 'span')} left in ${dir}, as ${why}: the next start of the service delivers what is left, or: forktrace ship ${dir}`,
  );
}
