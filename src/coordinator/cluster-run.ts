/**
 * One step of the cluster's state machine while it is under way: the state so far and the actions so far. It
 * lives no longer than `stepCluster`. The files of this machine (`losses.ts`, `respawns.ts`,
 * `replacements.ts`, `scaling.ts`, `shutdown.ts`) change the state through it.
 *
 * @module
 */
import type { Breaker } from './breaker.js';
import type { Cluster, ClusterAction } from './cluster-state.js';
import { type SlotEvent, type SlotReport, type SlotStep, type StepContext, stepSlot } from './slot.js';

export class ClusterRun {
  state: Cluster;
  readonly actions: ClusterAction[] = [];
  readonly context: StepContext;
  readonly #reported: (report: SlotReport) => void;

  /** @param reported is told what a slot says of itself, at once */
  constructor(state: Cluster, context: StepContext, reported: (run: ClusterRun, report: SlotReport) => void) {
    this.state = state;
    this.context = context;
    this.#reported = (report) => reported(this, report);
  }

  change(changed: Partial<Cluster>): void {
    this.state = { ...this.state, ...changed };
  }

  act(action: ClusterAction): void {
    this.actions.push(action);
  }

  /** Sends an event to the machine of one slot. */
  slot(slot: number, event: SlotEvent): void {
    const before = this.state.slots[slot];
    if (before) this.applySlot(slot, stepSlot(before, event, this.context));
  }

  applySlot(slot: number, { state: after, actions }: SlotStep): void {
    this.change({ slots: this.state.slots.with(slot, after) });
    for (const action of actions) {
      if (isReport(action)) this.#reported(action);
      else this.act(action);
    }
  }

  /** Replaces the breaker, and says so if its state has changed. */
  breaker(after: Breaker): void {
    const before = this.state.breaker;
    this.change({ breaker: after });
    if (before.state === after.state) return;
    if (after.state === 'open') this.act({ type: 'breaker-opened', forMs: after.until - this.context.now });
    else if (after.state === 'half-open') this.act({ type: 'breaker-half-open', slot: after.probe });
    else this.act({ type: 'breaker-closed' });
  }
}

function isReport(action: SlotStep['actions'][number]): action is SlotReport {
  switch (action.type) {
    case 'serving':
    case 'lost':
    case 'kept':
    case 'replaced':
    case 'worn':
      return true;
    default:
      return false;
  }
}
