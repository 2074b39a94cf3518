/**
 * One slot, as a state machine: which incarnation serves, which one is to take over, and which ones are
 * leaving. Like `incarnation.ts` it has no clock and no process; the state machine of the cluster sends it
 * events. The states are drawn in docs/supervision.md.
 *
 * @module
 */
import type { StopReason } from '../config/types.js';
import { backoffMs } from './backoff.js';
import {
  type Incarnation,
  type IncarnationAction,
  type IncarnationEvent,
  newIncarnation,
  stepIncarnation,
  withFreshDeadline,
} from './incarnation.js';
import type { SupervisePolicy } from './policy.js';

/** What a slot is doing. */
export type SlotPhase =
  /** No process, and none is wanted. */
  | 'empty'
  /** A process has been forked and is not ready yet; no process serves. */
  | 'starting'
  | 'ready'
  /** A process serves while its successor starts. */
  | 'replacing'
  /** No process serves. One is forked when the backoff is over and the breaker permits it. */
  | 'waiting'
  /** The slot was told to stop. It is empty when its last process is gone. */
  | 'closing';

export interface Slot {
  readonly slot: number;
  readonly phase: SlotPhase;
  /** Number of the next incarnation. */
  readonly next: number;
  /** The incarnation that serves or starts. */
  readonly current: number | undefined;
  /** The incarnation that takes over once it is ready. */
  readonly successor: number | undefined;
  /** Why the current one is being replaced. */
  readonly replaceReason: StopReason | undefined;
  /** The incarnation whose exit completes a replacement. */
  readonly predecessor: number | undefined;
  /** Every process of this slot that is alive. */
  readonly lives: readonly Incarnation[];
  /** Unplanned deaths in a row. */
  readonly failures: number;
  /** Unplanned deaths since the start. */
  readonly restarts: number;
  /** When a waiting slot may fork. */
  readonly respawnAt: number | undefined;
  /**
   * Until then a worker that has reached a limit is not recycled, because its last successor did not start.
   */
  readonly recycleAt: number;
}

export type SlotEvent =
  /** The slot is wanted from now on: at first boot, or when scaling up. It is forked in its turn. */
  | { type: 'queue' }
  /** Forks now: its turn has come, or a slot without a process is reloaded. */
  | { type: 'open' }
  | { type: 'replace'; reason: StopReason }
  | { type: 'close'; reason: StopReason }
  | { type: 'process'; incarnation: number; event: IncarnationEvent };

export type SlotAction =
  | { type: 'fork'; slot: number; incarnation: number }
  | ({ slot: number; incarnation: number } & Exclude<IncarnationAction, { type: 'lost' | 'recycle' }>)
  | SlotReport;

/** Events of a slot, for the state machine of the cluster. */
export type SlotReport =
  | { type: 'serving'; slot: number; incarnation: number }
  /** The current incarnation has died, unplanned. */
  | { type: 'lost'; slot: number; incarnation: number; wasReady: boolean }
  /** The new incarnation serves and the old one is gone. */
  | { type: 'replaced'; slot: number }
  /** The new incarnation did not start; the old one stays. */
  | { type: 'kept'; slot: number; incarnation: number }
  | { type: 'worn'; slot: number; incarnation: number };

export interface SlotStep {
  state: Slot;
  actions: SlotAction[];
}

/** Values that a step may read besides state and event. */
export interface StepContext {
  readonly policy: SupervisePolicy;
  /** Milliseconds of a monotonic clock. */
  readonly now: number;
  /** In [0, 1). */
  random(): number;
}

export function newSlot(slot: number): Slot {
  return {
    slot,
    phase: 'empty',
    next: 0,
    current: undefined,
    successor: undefined,
    replaceReason: undefined,
    predecessor: undefined,
    lives: [],
    failures: 0,
    restarts: 0,
    respawnAt: undefined,
    recycleAt: 0,
  };
}

export function stepSlot(state: Slot, event: SlotEvent, context: StepContext): SlotStep {
  switch (event.type) {
    case 'queue':
      if (state.phase !== 'empty' && state.phase !== 'closing') return { state, actions: [] };
      return { state: { ...state, phase: 'waiting', respawnAt: context.now }, actions: [] };

    case 'open':
      if (state.phase !== 'empty' && state.phase !== 'waiting') return { state, actions: [] };
      return fork({ ...state, phase: 'starting', respawnAt: undefined }, 'current', context);

    case 'replace':
      if (state.phase !== 'ready') return { state, actions: [] };
      return fork({ ...state, phase: 'replacing', replaceReason: event.reason }, 'successor', context);

    case 'close': {
      if (state.phase === 'empty') return { state, actions: [] };
      const closing: Slot = {
        ...state,
        phase: state.lives.length === 0 ? 'empty' : 'closing',
        current: undefined,
        successor: undefined,
        predecessor: undefined,
        respawnAt: undefined,
      };
      if (closing.phase === 'empty') return { state: closing, actions: [] };
      return each(closing, { type: 'stop', reason: event.reason }, context);
    }

    case 'process': {
      const life = state.lives.find(({ incarnation }) => incarnation === event.incarnation);
      if (!life) return { state, actions: [] };
      return processEvent(state, life, event.event, context);
    }
  }
}

/** Sends one event to every process of the slot. */
export function each(state: Slot, event: IncarnationEvent, context: StepContext): SlotStep {
  let step: SlotStep = { state, actions: [] };
  for (const { incarnation } of state.lives) {
    const { state: next, actions } = stepSlot(step.state, { type: 'process', incarnation, event }, context);
    step = { state: next, actions: [...step.actions, ...actions] };
  }
  return step;
}

/** See {@link withFreshDeadline}. */
export function slotWithFreshDeadlines(state: Slot, { policy, now }: StepContext): Slot {
  return { ...state, lives: state.lives.map((life) => withFreshDeadline(life, policy, now)) };
}

function fork(state: Slot, as: 'current' | 'successor', { policy, now, random }: StepContext): SlotStep {
  const incarnation = state.next;
  return {
    state: {
      ...state,
      next: incarnation + 1,
      [as]: incarnation,
      lives: [...state.lives, newIncarnation(incarnation, policy, now, random())],
    },
    actions: [{ type: 'fork', slot: state.slot, incarnation }],
  };
}

function processEvent(state: Slot, life: Incarnation, event: IncarnationEvent, context: StepContext): SlotStep {
  const { slot } = state;
  const { incarnation } = life;
  const { state: after, actions } = stepIncarnation(life, event, context.policy, context.now);
  const gone = after.phase === 'exited';
  let next: Slot = {
    ...state,
    lives: gone ? state.lives.filter((one) => one !== life) : state.lives.map((one) => (one === life ? after : one)),
  };
  const out: SlotAction[] = [];
  const apply = (step: SlotStep) => {
    next = step.state;
    out.push(...step.actions);
  };

  if (life.phase === 'starting' && after.phase === 'ready') apply(becameReady(next, incarnation, context));
  for (const action of actions) {
    if (action.type === 'lost') apply(lost(next, life, context));
    else if (action.type === 'recycle') {
      if (next.current === incarnation && context.now >= next.recycleAt) out.push({ type: 'worn', slot, incarnation });
    } else out.push({ ...action, slot, incarnation });
  }
  if (gone) {
    if (next.predecessor === incarnation) {
      next = { ...next, predecessor: undefined };
      out.push({ type: 'replaced', slot });
    }
    if (next.phase === 'closing' && next.lives.length === 0) {
      next = { ...next, phase: 'empty' };
    }
  }
  return { state: next, actions: out };
}

function becameReady(state: Slot, incarnation: number, context: StepContext): SlotStep {
  const { slot } = state;
  if (state.successor === incarnation) {
    const old = state.current;
    const took: Slot = {
      ...state,
      phase: 'ready',
      current: incarnation,
      successor: undefined,
      predecessor: old,
    };
    const serving: SlotReport = { type: 'serving', slot, incarnation };
    if (old === undefined) return { state: took, actions: [serving, { type: 'replaced', slot }] };
    const stop: IncarnationEvent = { type: 'stop', reason: state.replaceReason ?? 'reload' };
    const step = stepSlot(took, { type: 'process', incarnation: old, event: stop }, context);
    return { state: step.state, actions: [serving, ...step.actions] };
  }
  if (state.current !== incarnation) return { state, actions: [] };
  return { state: { ...state, phase: 'ready' }, actions: [{ type: 'serving', slot, incarnation }] };
}

/** Handles that `life` serves no more. `life` is the state before its loss. */
function lost(state: Slot, life: Incarnation, { policy, now, random }: StepContext): SlotStep {
  const { slot } = state;
  const { incarnation } = life;
  if (state.successor === incarnation) {
    const failures = state.failures + 1;
    return {
      state: {
        ...state,
        phase: 'ready',
        successor: undefined,
        failures,
        recycleAt: now + backoffMs(failures, policy, random()),
      },
      actions: [{ type: 'kept', slot, incarnation }],
    };
  }
  if (state.current !== incarnation) return { state, actions: [] };
  const report: SlotReport = { type: 'lost', slot, incarnation, wasReady: life.readyAt !== undefined };
  if (state.successor !== undefined) {
    // Its successor is starting already, and becomes the current incarnation at once.
    return {
      state: {
        ...state,
        phase: 'starting',
        current: state.successor,
        successor: undefined,
        restarts: state.restarts + 1,
      },
      actions: [report],
    };
  }
  // A worker that served for longer than the longest backoff was healthy: its death is the first of a new
  // count.
  const sound = life.readyAt !== undefined && now - life.readyAt >= policy.backoffMaxMs;
  const failures = sound ? 1 : state.failures + 1;
  return {
    state: {
      ...state,
      phase: 'waiting',
      current: undefined,
      failures,
      restarts: state.restarts + 1,
      respawnAt: now + backoffMs(failures, policy, random()),
    },
    actions: [report],
  };
}
