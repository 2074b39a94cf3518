/**
 * The cluster, as a state machine over its slots: boot, reload, recycling, scaling, the crash-loop breaker,
 * shutdown. A state and an event give a new state and actions; it has no clock and no process.
 *
 * @module
 */
import { breakerReady } from './breaker.js';
import { ClusterRun } from './cluster-run.js';
import type { Cluster, ClusterAction, ClusterEvent } from './cluster-state.js';
import { actOnLosses, noteLoss } from './losses.js';
import { recycle, reload, replaced, replaceNext, servingAgain } from './replacements.js';
import { respawn } from './respawns.js';
import { endScaling, scale } from './scaling.js';
import { endShutdown, shutDown } from './shutdown.js';
import { each, type SlotReport, type StepContext, slotWithFreshDeadlines } from './slot.js';

export interface ClusterStep {
  state: Cluster;
  actions: ClusterAction[];
}

export function stepCluster(state: Cluster, event: ClusterEvent, context: StepContext): ClusterStep {
  if (state.phase === 'stopped') return { state, actions: [] };
  const run = new ClusterRun(state, context, heed);
  take(run, event);
  advance(run);
  return { state: run.state, actions: run.actions };
}

function take(run: ClusterRun, event: ClusterEvent): void {
  const { slots } = run.state;
  switch (event.type) {
    case 'start':
      for (const { slot } of slots) run.slot(slot, { type: 'queue' });
      return;
    case 'process':
      run.slot(event.slot, { type: 'process', incarnation: event.incarnation, event: event.event });
      return;
    case 'reload':
      reload(run);
      return;
    case 'scale':
      scale(run, event.to);
      return;
    case 'shutdown':
      shutDown(run);
      return;
    case 'force':
      for (const slot of slots) run.applySlot(slot.slot, each(slot, { type: 'kill' }, run.context));
      return;
    case 'wake':
      for (const { slot, lives } of slots) {
        for (const { incarnation } of lives) run.slot(slot, { type: 'process', incarnation, event: { type: 'wake' } });
      }
      return;
    case 'missed-time':
      run.change({ slots: slots.map((slot) => slotWithFreshDeadlines(slot, run.context)) });
  }
}

/** Takes in what a slot says of itself. */
function heed(run: ClusterRun, report: SlotReport): void {
  const { slot } = report;
  switch (report.type) {
    case 'serving':
      run.act({ type: 'worker-ready', slot, incarnation: report.incarnation });
      run.breaker(breakerReady(run.state.breaker, slot));
      servingAgain(run, slot);
      return;
    case 'lost':
    case 'kept':
      noteLoss(run, report);
      return;
    case 'replaced':
      replaced(run, slot);
      return;
    case 'worn':
      recycle(run, slot);
  }
}

/**
 * Does what has become possible: respawns that are due, the next replacement, the end of a boot, reload,
 * scaling or shutdown.
 */
function advance(run: ClusterRun): void {
  actOnLosses(run);
  if (run.state.phase === 'stopping') {
    endShutdown(run);
    return;
  }
  respawn(run);
  if (run.state.phase === 'booting') {
    endBoot(run);
    return;
  }
  replaceNext(run);
  endScaling(run);
}

/** The cluster has booted once all workers are ready. */
function endBoot(run: ClusterRun): void {
  const { slots, size } = run.state;
  if (!slots.slice(0, size).every(({ phase }) => phase === 'ready')) return;
  run.change({ phase: 'running' });
  run.act({ type: 'booted' });
}
