/**
 * Scaling: opens slots, or closes those from the highest on, until as many workers serve as are wanted.
 *
 * @module
 */
import type { ClusterRun } from './cluster-run.js';
import type { SlotReport } from './slot.js';
import { newSlot } from './slot.js';

export function scale(run: ClusterRun, to: number): void {
  const { phase, size, scaling } = run.state;
  if (phase === 'stopping') return;
  const from = scaling?.from ?? size;
  const added = Array.from({ length: Math.max(0, to - run.state.slots.length) }, (_, index) =>
    newSlot(run.state.slots.length + index),
  );
  run.change({ size: to, scaling: { from, to }, slots: [...run.state.slots, ...added] });
  for (const { slot, phase: slotPhase } of run.state.slots) {
    if (slot < to && (slotPhase === 'empty' || slotPhase === 'closing')) run.slot(slot, { type: 'queue' });
    if (slot >= to) closeSlot(run, slot);
  }
}

function closeSlot(run: ClusterRun, slot: number): void {
  const { breaker, replacements, losses } = run.state;
  // This slot was to try for all: the next one that asks may.
  if (breaker.state === 'half-open' && breaker.probe === slot) {
    run.breaker({ state: 'open', until: run.context.now });
  }
  run.change({
    replacements: replacements.filter((replacement) => replacement.slot !== slot),
    losses: losses.filter(({ report }) => report.slot !== slot),
  });
  run.slot(slot, { type: 'close', reason: 'scale' });
}

/** A worker that the scaling has added did not start: the scaling has failed. */
export function failScaling(run: ClusterRun, { slot, incarnation, wasReady }: Extract<SlotReport, { type: 'lost' }>) {
  const { scaling } = run.state;
  if (!scaling || wasReady || slot < scaling.from) return;
  run.act({ type: 'scale-failed', slot, incarnation, ...scaling });
  run.change({ scaling: undefined });
}

/** Forgets the slots that scaling down has emptied, from the highest, and ends a scaling that is complete. */
export function endScaling(run: ClusterRun): void {
  const { slots, size, scaling } = run.state;
  let length = slots.length;
  while (length > size && slots[length - 1]!.phase === 'empty') length--;
  if (length < slots.length) run.change({ slots: slots.slice(0, length) });
  if (!scaling || length !== size) return;
  if (!run.state.slots.every(({ phase }) => phase === 'ready' || phase === 'replacing')) return;
  run.change({ scaling: undefined });
  run.act({ type: 'scaled', ...scaling });
}
