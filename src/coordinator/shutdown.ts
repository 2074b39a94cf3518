/**
 * Shutdown: closes all slots, and gives up what is under way.
 *
 * @module
 */
import type { ClusterRun } from './cluster-run.js';

export function shutDown(run: ClusterRun): void {
  const { phase, reloaded, scaling } = run.state;
  if (phase === 'stopping') return;
  run.change({ phase: 'stopping', replacements: [], losses: [], reloadAgain: false, scaling: undefined });
  if (phase === 'reloading') {
    run.act({ type: 'reload-aborted', slot: -1, incarnation: undefined, slots: reloaded });
  }
  if (scaling) run.act({ type: 'scale-failed', slot: -1, incarnation: -1, ...scaling });
  for (const { slot } of run.state.slots) run.slot(slot, { type: 'close', reason: 'shutdown' });
}

/** The cluster has stopped once its last process is gone. */
export function endShutdown(run: ClusterRun): void {
  if (!run.state.slots.every(({ phase }) => phase === 'empty')) return;
  run.change({ phase: 'stopped' });
  run.act({ type: 'stopped' });
}
