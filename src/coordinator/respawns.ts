/**
 * Forks in slots that wait: when their backoff is over, the breaker permits it, and not too many workers are
 * starting already.
 *
 * @module
 */
import { breakerPermit } from './breaker.js';
import type { ClusterRun } from './cluster-run.js';
import type { Cluster } from './cluster-state.js';
import type { Slot } from './slot.js';

export function respawn(run: ClusterRun): void {
  // The cluster may be about to stop.
  if (run.state.losses.length > 0) return;
  const { now } = run.context;
  let free = run.state.concurrentStarts - starting(run.state.slots);
  for (const { slot, phase, respawnAt } of run.state.slots) {
    if (free <= 0) return;
    if (phase !== 'waiting' || now < respawnAt!) continue;
    const { breaker, permitted } = breakerPermit(run.state.breaker, slot, now);
    run.breaker(breaker);
    if (!permitted) continue;
    run.slot(slot, { type: 'open' });
    free--;
  }
}

/** When the next `wake` event is due, on the context's clock; undefined: never. */
export function nextWake(cluster: Cluster): number | undefined {
  const { slots, breaker, phase, losses } = cluster;
  let at = losses[0]?.actAt ?? Number.POSITIVE_INFINITY;
  // A slot that has to wait for another start, or for what becomes of a loss, is woken by the outcome of
  // that.
  const held = losses.length > 0 || starting(slots) >= cluster.concurrentStarts;
  for (const slot of slots) {
    for (const life of slot.lives) at = Math.min(at, life.wakeAt ?? at);
    if (slot.phase !== 'waiting' || phase === 'stopping' || held) continue;
    if (breaker.state === 'open') at = Math.min(at, Math.max(slot.respawnAt!, breaker.until));
    else if (breaker.state === 'closed' || breaker.probe === slot.slot) at = Math.min(at, slot.respawnAt!);
  }
  return Number.isFinite(at) ? at : undefined;
}

function starting(slots: readonly Slot[]): number {
  return slots.reduce((sum, { lives }) => sum + lives.filter((life) => life.phase === 'starting').length, 0);
}
