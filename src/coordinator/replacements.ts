/**
 * Reload and recycling: slots are replaced one at a time in the whole cluster. A reload stops at the first
 * new worker that does not start, and the old ones stay.
 *
 * @module
 */
import { closedBreaker } from './breaker.js';
import type { ClusterRun } from './cluster-run.js';
import type { Replacement } from './cluster-state.js';

/** Queues all slots for replacement; once the reload or boot under way has ended, if there is one. */
export function reload(run: ClusterRun): void {
  const { phase, replacements, slots, size } = run.state;
  if (phase === 'stopping') return;
  if (phase !== 'running') {
    run.change({ reloadAgain: true });
    return;
  }
  // A reload says that what kept crashing has been mended.
  run.breaker(closedBreaker);
  const recycling = replacements.filter(({ begun }) => begun);
  const reloading = slots.slice(0, size).map(({ slot }): Replacement => ({ slot, reason: 'reload', begun: false }));
  run.change({ phase: 'reloading', reloadAgain: false, reloaded: [], replacements: [...recycling, ...reloading] });
  run.act({ type: 'reload-started' });
}

/** Queues a slot whose worker has reached a limit. */
export function recycle(run: ClusterRun, slot: number): void {
  const { phase, replacements } = run.state;
  if (phase === 'stopping' || phase === 'booting') return;
  if (replacements.some((replacement) => replacement.slot === slot)) return;
  run.change({ replacements: [...replacements, { slot, reason: 'recycle', begun: false }] });
}

/**
 * The worker that was to be recycled is gone before its turn: the slot does not wait any more, because what
 * follows it is new.
 */
export function forgetRecycling(run: ClusterRun, slot: number): void {
  const isOther = (one: Replacement) => one.slot !== slot || one.reason !== 'recycle' || one.begun;
  run.change({ replacements: run.state.replacements.filter(isOther) });
}

/** Ends a reload of which no slot is left, and begins to replace the next slot if none is being replaced. */
export function replaceNext(run: ClusterRun): void {
  const { replacements, slots, phase, reloadAgain } = run.state;
  const head = replacements[0];
  if (phase === 'reloading' && !replacements.some(({ reason }) => reason === 'reload')) {
    run.act({ type: 'reload-done', slots: run.state.reloaded });
    run.change({ phase: 'running' });
  }
  if (run.state.phase === 'running' && reloadAgain) {
    reload(run);
    replaceNext(run);
    return;
  }
  if (!head || head.begun) return;
  const slot = slots[head.slot];
  if (!slot || slot.phase === 'closing' || slot.phase === 'empty') {
    drop(run, head.slot);
    replaceNext(run);
    return;
  }
  // Waits for a slot that is starting: its outcome is an event that calls this again.
  if (slot.phase !== 'ready' && slot.phase !== 'waiting') return;
  if (slot.phase === 'waiting' && head.reason === 'recycle') {
    drop(run, head.slot);
    replaceNext(run);
    return;
  }
  run.change({ replacements: [{ ...head, begun: true }, ...replacements.slice(1)] });
  run.slot(head.slot, slot.phase === 'ready' ? { type: 'replace', reason: head.reason } : { type: 'open' });
}

/** Whether this slot is the one that is being replaced. */
function isBeingReplaced(run: ClusterRun, slot: number): boolean {
  const head = run.state.replacements[0];
  return head?.slot === slot && head.begun;
}

/** A worker serves in the slot. A slot that was down when its turn came has no old process to wait for. */
export function servingAgain(run: ClusterRun, slot: number): void {
  if (isBeingReplaced(run, slot) && run.state.slots[slot]?.predecessor === undefined) replaced(run, slot);
}

/** The new worker serves and the old one is gone. */
export function replaced(run: ClusterRun, slot: number): void {
  if (!isBeingReplaced(run, slot)) return;
  const { replacements, reloaded } = run.state;
  if (replacements[0]!.reason === 'reload') run.change({ reloaded: [...reloaded, slot] });
  drop(run, slot);
}

/** The new worker did not start: gives up its recycling, or the whole reload. */
export function replacementFailed(run: ClusterRun, slot: number, incarnation: number): void {
  if (!isBeingReplaced(run, slot)) return;
  const { replacements, reloaded } = run.state;
  if (replacements[0]!.reason === 'recycle') {
    drop(run, slot);
    run.act({ type: 'recycle-failed', slot, incarnation });
    return;
  }
  run.act({ type: 'reload-aborted', slot, incarnation, slots: reloaded });
  run.change({ phase: 'running', replacements: replacements.filter(({ reason }) => reason !== 'reload') });
}

function drop(run: ClusterRun, slot: number): void {
  const { replacements } = run.state;
  const index = replacements.findIndex((replacement) => replacement.slot === slot);
  if (index >= 0) run.change({ replacements: replacements.toSpliced(index, 1) });
}
