/**
 * The cluster, as a state machine over its slots: boot, reload, recycling, scaling, the crash-loop breaker,
 * shutdown. `supervisor.ts` carries its actions out. Drawn in docs/supervision.md.
 *
 * @module
 */
import type { StopReason } from '../config/types.js';
import { type Breaker, breakerDeath, breakerPermit, breakerReady, closedBreaker } from './breaker.js';
import type { IncarnationEvent } from './incarnation.js';
import {
  each,
  newSlot,
  type Slot,
  type SlotAction,
  type SlotReport,
  type StepContext,
  slotWithFreshDeadlines,
  stepSlot,
} from './slot.js';

/** What the cluster is doing. `booting`: not all workers have been ready yet. */
export type ClusterPhase = 'booting' | 'running' | 'reloading' | 'stopping' | 'stopped';

/** A slot that waits for its turn to be replaced: one at a time in the whole cluster. */
interface Replacement {
  readonly slot: number;
  readonly reason: 'reload' | 'recycle';
  /** The new process has been asked for. */
  readonly begun: boolean;
}

/**
 * A worker was lost that nobody had told to stop. Ctrl-C and a service manager signal the whole process
 * group: the worker may be heard of before the coordinator's own signal is. So a loss is acted upon a moment
 * later, unless the cluster stops by then.
 */
interface Loss {
  readonly report: Extract<SlotReport, { type: 'lost' | 'kept' }>;
  readonly actAt: number;
}

/**
 * The signals of a group arrive within microseconds, those of a service manager that walks through its
 * processes within milliseconds.
 */
export const GROUP_SIGNAL_MS = 50;

export interface Cluster {
  readonly phase: ClusterPhase;
  /** Workers wanted. */
  readonly size: number;
  /** So many may start at once: on few processors more of them only make each other late. */
  readonly concurrentStarts: number;
  readonly slots: readonly Slot[];
  readonly breaker: Breaker;
  /** In the order in which they are due. */
  readonly losses: readonly Loss[];
  /** The first is being replaced. */
  readonly replacements: readonly Replacement[];
  /** Another reload was asked for while one was under way. */
  readonly reloadAgain: boolean;
  /** Slots that the reload under way has replaced. */
  readonly reloaded: readonly number[];
  /** Scaling that has not been reached. */
  readonly scaling: { readonly from: number; readonly to: number } | undefined;
}

export type ClusterEvent =
  | { type: 'start' }
  | { type: 'process'; slot: number; incarnation: number; event: IncarnationEvent }
  | { type: 'reload' }
  | { type: 'scale'; to: number }
  | { type: 'shutdown' }
  /** No more waiting: SIGKILL for all. */
  | { type: 'force' }
  | { type: 'wake' }
  /** The coordinator has not run for a while: see `withFreshDeadline`. */
  | { type: 'missed-time' };

export type ClusterAction =
  | Exclude<SlotAction, SlotReport>
  | { type: 'worker-ready'; slot: number; incarnation: number }
  | { type: 'worker-lost'; slot: number; incarnation: number; respawnInMs: number | undefined }
  /** All are ready for the first time. */
  | { type: 'booted' }
  /** A worker did not become ready at first boot: the cluster stops. */
  | { type: 'boot-failed'; slot: number; incarnation: number }
  | { type: 'breaker-opened'; forMs: number }
  | { type: 'breaker-half-open'; slot: number }
  | { type: 'breaker-closed' }
  | { type: 'recycle-failed'; slot: number; incarnation: number }
  | { type: 'reload-started' }
  | { type: 'reload-done'; slots: readonly number[] }
  | { type: 'reload-aborted'; slot: number; incarnation: number | undefined; slots: readonly number[] }
  | { type: 'scaled'; from: number; to: number }
  | { type: 'scale-failed'; slot: number; incarnation: number; from: number; to: number }
  | { type: 'stopped' };

export interface ClusterStep {
  state: Cluster;
  actions: ClusterAction[];
}

export function newCluster(size: number, concurrentStarts: number): Cluster {
  return {
    phase: 'booting',
    size,
    concurrentStarts,
    slots: Array.from({ length: size }, (_, slot) => newSlot(slot)),
    breaker: closedBreaker,
    losses: [],
    replacements: [],
    reloadAgain: false,
    reloaded: [],
    scaling: undefined,
  };
}

/** When the next `wake` is due, on the context's clock; undefined: never. */
export function nextWake(cluster: Cluster): number | undefined {
  const { slots, breaker, phase, losses } = cluster;
  let at = losses[0]?.actAt ?? Number.POSITIVE_INFINITY;
  // One that has to wait for another start, or for what becomes of a loss, is woken by its outcome.
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

export function stepCluster(state: Cluster, event: ClusterEvent, context: StepContext): ClusterStep {
  const run = new Run(state, context);
  run.take(event);
  run.advance();
  return { state: run.state, actions: run.actions };
}

/** One step: the state so far and the actions so far. It lives no longer than {@link stepCluster}. */
class Run {
  state: Cluster;
  readonly actions: ClusterAction[] = [];
  readonly #context: StepContext;

  constructor(state: Cluster, context: StepContext) {
    this.state = state;
    this.#context = context;
  }

  take(event: ClusterEvent): void {
    const { state } = this;
    if (state.phase === 'stopped') return;
    switch (event.type) {
      case 'start':
        for (const { slot } of state.slots) this.#slot(slot, { type: 'queue' });
        return;
      case 'process':
        this.#slot(event.slot, { type: 'process', incarnation: event.incarnation, event: event.event });
        return;
      case 'reload':
        this.#reload();
        return;
      case 'scale':
        this.#scale(event.to);
        return;
      case 'shutdown':
        this.#close('shutdown');
        return;
      case 'force':
        for (const slot of state.slots) this.#apply(slot.slot, each(slot, { type: 'kill' }, this.#context));
        return;
      case 'wake':
        for (const { slot, lives } of state.slots) {
          for (const { incarnation } of lives) {
            this.#slot(slot, { type: 'process', incarnation, event: { type: 'wake' } });
          }
        }
        return;
      case 'missed-time':
        this.state = { ...state, slots: state.slots.map((slot) => slotWithFreshDeadlines(slot, this.#context)) };
    }
  }

  /**
   * Does what has become possible: respawns that are due, the next replacement, the end of a reload, scaling
   * or shutdown.
   */
  advance(): void {
    if (this.state.phase === 'stopped') return;
    this.#actOnLosses();
    if (this.state.phase === 'stopping') {
      if (this.state.slots.every(({ phase }) => phase === 'empty')) {
        this.state = { ...this.state, phase: 'stopped' };
        this.actions.push({ type: 'stopped' });
      }
      return;
    }
    this.#respawn();
    if (this.state.phase === 'booting') {
      if (this.#all('ready')) {
        this.state = { ...this.state, phase: 'running' };
        this.actions.push({ type: 'booted' });
      }
      return;
    }
    this.#replaceNext();
    this.#dropEmptied();
    const { scaling } = this.state;
    if (scaling && this.#all('serving') && this.state.slots.length === this.state.size) {
      this.state = { ...this.state, scaling: undefined };
      this.actions.push({ type: 'scaled', ...scaling });
    }
  }

  /** Forgets the slots that scaling down has emptied, from the highest. */
  #dropEmptied(): void {
    const { slots, size } = this.state;
    let length = slots.length;
    while (length > size && slots[length - 1]!.phase === 'empty') length--;
    if (length < slots.length) this.state = { ...this.state, slots: slots.slice(0, length) };
  }

  #all(wanted: 'ready' | 'serving'): boolean {
    return this.state.slots
      .slice(0, this.state.size)
      .every(({ phase }) => phase === 'ready' || (wanted === 'serving' && phase === 'replacing'));
  }

  #slot(slot: number, event: Parameters<typeof stepSlot>[1]): void {
    const before = this.state.slots[slot];
    if (before) this.#apply(slot, stepSlot(before, event, this.#context));
  }

  #apply(slot: number, { state: after, actions }: ReturnType<typeof stepSlot>): void {
    this.state = { ...this.state, slots: this.state.slots.with(slot, after) };
    for (const action of actions) {
      switch (action.type) {
        case 'serving':
          this.#serving(action);
          break;
        case 'lost':
        case 'kept':
          this.#noteLoss(action);
          break;
        case 'replaced':
          this.#replaced(action.slot);
          break;
        case 'worn':
          this.#worn(action);
          break;
        default:
          this.actions.push(action);
      }
    }
  }

  #serving({ slot, incarnation }: { slot: number; incarnation: number }): void {
    this.actions.push({ type: 'worker-ready', slot, incarnation });
    this.#breaker(breakerReady(this.state.breaker, slot));
    const head = this.state.replacements[0];
    // A slot that was down when its turn came has no old process to wait for.
    if (head?.slot === slot && head.begun && this.state.slots[slot]?.predecessor === undefined) this.#replaced(slot);
  }

  #noteLoss(report: Loss['report']): void {
    if (this.state.phase === 'stopping') return;
    const actAt = this.#context.now + GROUP_SIGNAL_MS;
    this.state = { ...this.state, losses: [...this.state.losses, { report, actAt }] };
  }

  #actOnLosses(): void {
    for (let next = this.state.losses[0]; next && next.actAt <= this.#context.now; next = this.state.losses[0]) {
      this.state = { ...this.state, losses: this.state.losses.slice(1) };
      const { report } = next;
      if (report.type === 'lost') this.#lost(report);
      else this.#replacementFailed(report.slot, report.incarnation);
    }
  }

  #lost({ slot, incarnation, wasReady }: Extract<SlotReport, { type: 'lost' }>): void {
    const { phase, scaling, replacements } = this.state;
    if (phase === 'booting' && !wasReady) {
      this.actions.push({ type: 'boot-failed', slot, incarnation });
      this.#close('shutdown');
      return;
    }
    this.#breaker(breakerDeath(this.state.breaker, slot, this.#context.policy, this.#context.now));
    const respawnAt = this.state.slots[slot]?.respawnAt;
    this.actions.push({
      type: 'worker-lost',
      slot,
      incarnation,
      respawnInMs: respawnAt === undefined ? undefined : Math.max(0, respawnAt - this.#context.now),
    });
    if (scaling && !wasReady && slot >= scaling.from) {
      this.actions.push({ type: 'scale-failed', slot, incarnation, ...scaling });
      this.state = { ...this.state, scaling: undefined };
    }
    const head = replacements[0];
    if (!wasReady && head?.slot === slot && head.begun) this.#replacementFailed(slot, incarnation);
    if (wasReady) this.#forgetRecycling(slot);
  }

  /** The process that was worn is gone, before its turn came: what follows it is new. */
  #forgetRecycling(slot: number): void {
    const replacements = this.state.replacements.filter(
      (one) => one.slot !== slot || one.reason !== 'recycle' || one.begun,
    );
    this.state = { ...this.state, replacements };
  }

  #worn({ slot }: Extract<SlotReport, { type: 'worn' }>): void {
    if (this.state.phase === 'stopping' || this.state.phase === 'booting') return;
    if (this.state.replacements.some((replacement) => replacement.slot === slot)) return;
    this.state = {
      ...this.state,
      replacements: [...this.state.replacements, { slot, reason: 'recycle', begun: false }],
    };
  }

  #breaker(after: Breaker): void {
    const before = this.state.breaker;
    this.state = { ...this.state, breaker: after };
    if (before.state === after.state) return;
    if (after.state === 'open') this.actions.push({ type: 'breaker-opened', forMs: after.until - this.#context.now });
    else if (after.state === 'half-open') this.actions.push({ type: 'breaker-half-open', slot: after.probe });
    else this.actions.push({ type: 'breaker-closed' });
  }

  #respawn(): void {
    // The cluster may be about to stop.
    if (this.state.losses.length > 0) return;
    let free = this.state.concurrentStarts - starting(this.state.slots);
    for (const { slot, phase, respawnAt } of this.state.slots) {
      if (free <= 0) return;
      if (phase !== 'waiting' || this.#context.now < respawnAt!) continue;
      const { breaker, permitted } = breakerPermit(this.state.breaker, slot, this.#context.now);
      this.#breaker(breaker);
      if (!permitted) continue;
      this.#slot(slot, { type: 'open' });
      free--;
    }
  }

  #reload(): void {
    const { phase } = this.state;
    if (phase === 'stopping') return;
    if (phase !== 'running') {
      this.state = { ...this.state, reloadAgain: true };
      return;
    }
    // Somebody means to have mended what kept crashing.
    this.#breaker(closedBreaker);
    const recycling = this.state.replacements.filter(({ begun }) => begun);
    const slots = this.state.slots.slice(0, this.state.size);
    this.state = {
      ...this.state,
      phase: 'reloading',
      reloadAgain: false,
      reloaded: [],
      replacements: [...recycling, ...slots.map(({ slot }) => ({ slot, reason: 'reload', begun: false }) as const)],
    };
    this.actions.push({ type: 'reload-started' });
  }

  #replaceNext(): void {
    const { replacements, slots, phase, reloadAgain } = this.state;
    const head = replacements[0];
    if (phase === 'reloading' && !replacements.some(({ reason }) => reason === 'reload')) {
      this.actions.push({ type: 'reload-done', slots: this.state.reloaded });
      this.state = { ...this.state, phase: 'running' };
    }
    if (this.state.phase === 'running' && reloadAgain) {
      this.#reload();
      this.#replaceNext();
      return;
    }
    if (!head || head.begun) return;
    const slot = slots[head.slot];
    if (!slot || slot.phase === 'closing' || slot.phase === 'empty') {
      this.#drop(head.slot);
      this.#replaceNext();
      return;
    }
    // A slot that is starting is left to it: the outcome brings us back here.
    if (slot.phase !== 'ready' && slot.phase !== 'waiting') return;
    if (slot.phase === 'waiting' && head.reason === 'recycle') {
      this.#drop(head.slot);
      this.#replaceNext();
      return;
    }
    this.state = { ...this.state, replacements: [{ ...head, begun: true }, ...replacements.slice(1)] };
    this.#slot(head.slot, slot.phase === 'ready' ? { type: 'replace', reason: head.reason } : { type: 'open' });
  }

  #replaced(slot: number): void {
    const head = this.state.replacements[0];
    if (head?.slot !== slot || !head.begun) return;
    if (head.reason === 'reload') this.state = { ...this.state, reloaded: [...this.state.reloaded, slot] };
    this.#drop(slot);
  }

  #replacementFailed(slot: number, incarnation: number | undefined): void {
    const head = this.state.replacements[0];
    if (head?.slot !== slot || !head.begun) return;
    if (head.reason === 'recycle') {
      this.#drop(slot);
      if (incarnation !== undefined) this.actions.push({ type: 'recycle-failed', slot, incarnation });
      return;
    }
    this.actions.push({ type: 'reload-aborted', slot, incarnation, slots: this.state.reloaded });
    this.state = {
      ...this.state,
      phase: 'running',
      replacements: this.state.replacements.filter(({ reason }) => reason !== 'reload'),
    };
  }

  #drop(slot: number): void {
    const index = this.state.replacements.findIndex((replacement) => replacement.slot === slot);
    if (index >= 0) this.state = { ...this.state, replacements: this.state.replacements.toSpliced(index, 1) };
  }

  #scale(to: number): void {
    const { phase, size, scaling } = this.state;
    if (phase === 'stopping') return;
    const from = scaling?.from ?? size;
    this.state = { ...this.state, size: to, scaling: { from, to } };
    while (this.state.slots.length < to) {
      this.state = { ...this.state, slots: [...this.state.slots, newSlot(this.state.slots.length)] };
    }
    for (const { slot, phase: slotPhase } of this.state.slots) {
      if (slot < to && (slotPhase === 'empty' || slotPhase === 'closing')) this.#slot(slot, { type: 'queue' });
      if (slot >= to) this.#closeSlot(slot, 'scale');
    }
  }

  #closeSlot(slot: number, reason: StopReason): void {
    const { breaker, replacements } = this.state;
    // The one that was to try for all is gone: the next that asks may.
    if (breaker.state === 'half-open' && breaker.probe === slot) {
      this.#breaker({ state: 'open', until: this.#context.now });
    }
    this.state = {
      ...this.state,
      replacements: replacements.filter((replacement) => replacement.slot !== slot),
      losses: this.state.losses.filter(({ report }) => report.slot !== slot),
    };
    this.#slot(slot, { type: 'close', reason });
  }

  #close(reason: StopReason): void {
    if (this.state.phase === 'stopping') return;
    const interrupted = this.state.phase === 'reloading';
    const { reloaded, scaling } = this.state;
    this.state = {
      ...this.state,
      phase: 'stopping',
      replacements: [],
      losses: [],
      reloadAgain: false,
      scaling: undefined,
    };
    if (interrupted) {
      this.actions.push({ type: 'reload-aborted', slot: -1, incarnation: undefined, slots: reloaded });
    }
    if (scaling) this.actions.push({ type: 'scale-failed', slot: -1, incarnation: -1, ...scaling });
    for (const { slot } of this.state.slots) this.#slot(slot, { type: 'close', reason });
  }
}
