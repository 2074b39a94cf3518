/**
 * Workers that were lost and that nobody had told to stop. Ctrl-C and a service manager signal the whole
 * process group, and the coordinator may hear that a worker is gone before it hears its own signal. So a loss
 * is acted upon a moment later, unless the cluster stops by then.
 *
 * @module
 */
import { breakerDeath } from './breaker.js';
import type { ClusterRun } from './cluster-run.js';
import type { Loss } from './cluster-state.js';
import { forgetRecycling, replacementFailed } from './replacements.js';
import { failScaling } from './scaling.js';
import { shutDown } from './shutdown.js';
import type { SlotReport } from './slot.js';

/**
 * How long a loss waits, in milliseconds. The signals of a group arrive within microseconds, those of a
 * service manager that signals one process after the other within milliseconds.
 */
export const GROUP_SIGNAL_MS = 50;

export function noteLoss(run: ClusterRun, report: Loss['report']): void {
  if (run.state.phase === 'stopping') return;
  const actAt = run.context.now + GROUP_SIGNAL_MS;
  run.change({ losses: [...run.state.losses, { report, actAt }] });
}

/** Acts upon the losses that are due. */
export function actOnLosses(run: ClusterRun): void {
  for (let next = run.state.losses[0]; next && next.actAt <= run.context.now; next = run.state.losses[0]) {
    run.change({ losses: run.state.losses.slice(1) });
    const { report } = next;
    if (report.type === 'lost') lost(run, report);
    else replacementFailed(run, report.slot, report.incarnation);
  }
}

function lost(run: ClusterRun, report: Extract<SlotReport, { type: 'lost' }>): void {
  const { slot, incarnation, wasReady } = report;
  if (run.state.phase === 'booting' && !wasReady) {
    run.act({ type: 'boot-failed', slot, incarnation });
    shutDown(run);
    return;
  }
  const { policy, now } = run.context;
  run.breaker(breakerDeath(run.state.breaker, slot, policy, now));
  const respawnAt = run.state.slots[slot]?.respawnAt;
  const respawnInMs = respawnAt === undefined ? undefined : Math.max(0, respawnAt - now);
  run.act({ type: 'worker-lost', slot, incarnation, respawnInMs });
  failScaling(run, report);
  if (wasReady) forgetRecycling(run, slot);
  else replacementFailed(run, slot, incarnation);
}
