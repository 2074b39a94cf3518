/**
 * One process life in a slot, as a state machine: state + event → state + actions, with no clock, timer or
 * process in it. The states are drawn in docs/supervision.md.
 *
 * @module
 */
import type { StopReason } from '../config/types.js';
import type { ExitCause } from '../forensics/exit-cause.js';
import type { WorkerStats } from '../process/worker-messages.js';
import type { SupervisePolicy } from './policy.js';

/** The escalation ladder: each step has its own wait, and what has not left by then meets the next one. */
export type StopStep = 'message' | 'disconnect' | 'sigterm' | 'sigkill';

/** Why the coordinator ended a process that nobody had asked to stop. */
export type Fault = Extract<ExitCause, 'not_ready' | 'event_loop_blocked'>;

/** What a worker that is recycled had too much of. */
export type Wear = Extract<ExitCause, 'recycle_requests' | 'recycle_memory'>;

export interface Incarnation {
  readonly incarnation: number;
  readonly phase: 'starting' | 'ready' | 'stopping' | 'exited';
  readonly forkedAt: number;
  readonly readyAt: number | undefined;
  /** When the worker's event loop last gave a sign of life. */
  readonly seenAt: number;
  /** An inspector is open: a paused worker is not a blocked one. */
  readonly debugged: boolean;
  /** Why it stops, once the coordinator has asked it to. */
  readonly reason: StopReason | undefined;
  readonly step: StopStep | undefined;
  readonly fault: Fault | undefined;
  readonly wear: Wear | undefined;
  /**
   * It serves no more, and the slot has been told: by `exit` or by `disconnect`, whichever came first, and
   * only once.
   */
  readonly lost: boolean;
  /** Requests after which it is recycled; Infinity is never. */
  readonly requestLimit: number;
  /** When it wants a `wake` event. */
  readonly wakeAt: number | undefined;
}

export type IncarnationEvent =
  | { type: 'forked' }
  | { type: 'ready' }
  /** The worker says that it cannot start. */
  | { type: 'failed' }
  | { type: 'heartbeat'; stats: WorkerStats; debugged: boolean }
  /** The worker stops of its own accord: a signal reached it. */
  | { type: 'stopping' }
  | { type: 'stop'; reason: StopReason }
  | { type: 'kill' }
  | { type: 'disconnect' }
  | { type: 'exit' }
  | { type: 'wake' };

export type IncarnationAction =
  | { type: 'send-stop'; reason: StopReason; deadlineMs: number }
  | { type: 'disconnect' }
  | { type: 'signal'; signal: 'SIGTERM' | 'SIGKILL' }
  /** Serves no more: tell the slot. */
  | { type: 'lost' }
  /** Should be replaced: it has served enough, or holds too much memory. */
  | { type: 'recycle' };

export interface IncarnationStep {
  state: Incarnation;
  actions: IncarnationAction[];
}

/**
 * `exit` follows `disconnect` at once when a process dies; one that only closed its channel gets no longer
 * than this.
 */
const EXIT_AFTER_DISCONNECT_MS = 250;

/** A worker that has said that it failed may still print its error and exit with its own code. */
const EXIT_AFTER_FAILED_MS = 2000;

export function newIncarnation(incarnation: number, policy: SupervisePolicy, now: number, random: number): Incarnation {
  return {
    incarnation,
    phase: 'starting',
    forkedAt: now,
    readyAt: undefined,
    seenAt: now,
    debugged: false,
    reason: undefined,
    step: undefined,
    fault: undefined,
    wear: undefined,
    lost: false,
    // Jitter, so that workers that started together are not recycled together.
    requestLimit:
      policy.maxRequests > 0 ? Math.ceil(policy.maxRequests * (1 + random * 0.1)) : Number.POSITIVE_INFINITY,
    wakeAt: now + policy.readyTimeoutMs,
  };
}

/**
 * How long each step of the ladder waits: shares of the one deadline, so that SIGKILL comes before it, not
 * after.
 */
export function stepWaitMs(step: StopStep, policy: SupervisePolicy): number {
  const shares = { message: 0.7, disconnect: 0.1, sigterm: 0.1, sigkill: 0.1 };
  return policy.shutdownTimeoutMs * shares[step];
}

export function stepIncarnation(
  before: Incarnation,
  event: IncarnationEvent,
  policy: SupervisePolicy,
  now: number,
): IncarnationStep {
  const { state, actions } = transition(before, event, policy, now);
  if (!actions.some((action) => action.type === 'lost')) return { state, actions };
  return {
    state: { ...state, lost: true },
    actions: state.lost ? actions.filter(({ type }) => type !== 'lost') : actions,
  };
}

function transition(
  state: Incarnation,
  event: IncarnationEvent,
  policy: SupervisePolicy,
  now: number,
): IncarnationStep {
  if (state.phase === 'exited') return { state, actions: [] };
  switch (event.type) {
    case 'forked':
      // preFork may have taken its time: the ready timeout is from the fork.
      if (state.phase !== 'starting') return { state, actions: [] };
      return { state: { ...state, forkedAt: now, seenAt: now, wakeAt: now + policy.readyTimeoutMs }, actions: [] };

    case 'ready': {
      if (state.phase !== 'starting' || state.fault) return { state, actions: [] };
      return { state: watched({ ...state, phase: 'ready', readyAt: now, seenAt: now }, policy), actions: [] };
    }

    case 'failed':
      if (state.phase !== 'starting') return { state, actions: [] };
      return {
        state: {
          ...state,
          phase: 'stopping',
          step: 'sigterm',
          fault: 'not_ready',
          wakeAt: now + EXIT_AFTER_FAILED_MS,
        },
        actions: [],
      };

    case 'heartbeat': {
      const seen = { ...state, seenAt: now, debugged: event.debugged };
      if (state.phase !== 'ready') return { state: seen, actions: [] };
      const wear = wearOf(event.stats, state.requestLimit, policy);
      return { state: watched({ ...seen, wear }, policy), actions: wear ? [{ type: 'recycle' }] : [] };
    }

    case 'stopping':
      // The whole process group got the signal, or somebody aimed at this worker: it drains as if asked.
      if (state.phase === 'stopping') return { state, actions: [] };
      return { state: climb({ ...state, phase: 'stopping' }, 'message', policy, now), actions: [{ type: 'lost' }] };

    case 'stop':
      if (state.phase === 'stopping') {
        return { state: { ...state, reason: state.reason ?? event.reason }, actions: [] };
      }
      return {
        state: climb({ ...state, phase: 'stopping', reason: event.reason }, 'message', policy, now),
        // A worker that is still starting hears no message yet (one that nobody listens to is lost), but the
        // signal it does: by dying of it before its handlers are there, by draining after.
        actions: [
          state.phase === 'starting'
            ? { type: 'signal', signal: 'SIGTERM' }
            : { type: 'send-stop', reason: event.reason, deadlineMs: stepWaitMs('message', policy) },
        ],
      };

    case 'kill':
      return {
        state: climb({ ...state, phase: 'stopping' }, 'sigkill', policy, now),
        actions: [{ type: 'signal', signal: 'SIGKILL' }],
      };

    case 'disconnect':
      // Without a channel the watchdog is blind and messages go nowhere, but the worker drains by itself.
      if (state.phase === 'stopping') return { state, actions: [] };
      return {
        state: { ...state, phase: 'stopping', step: undefined, wakeAt: now + EXIT_AFTER_DISCONNECT_MS },
        actions: [],
      };

    case 'exit':
      return {
        state: { ...state, phase: 'exited', wakeAt: undefined },
        actions: [{ type: 'lost' }],
      };

    case 'wake':
      if (state.wakeAt === undefined || now < state.wakeAt) return { state, actions: [] };
      return overdue(state, policy, now);
  }
}

/** The time is up for whatever the state was waiting for. */
function overdue(state: Incarnation, policy: SupervisePolicy, now: number): IncarnationStep {
  if (state.phase === 'starting') return killed(state, 'not_ready', policy, now);
  if (state.phase === 'ready') return killed(state, 'event_loop_blocked', policy, now);
  switch (state.step) {
    case undefined:
      return { state: climb(state, 'message', policy, now), actions: [{ type: 'lost' }] };
    case 'message':
      return { state: climb(state, 'disconnect', policy, now), actions: [{ type: 'disconnect' }] };
    case 'disconnect':
      return { state: climb(state, 'sigterm', policy, now), actions: [{ type: 'signal', signal: 'SIGTERM' }] };
    default:
      // SIGKILL is repeated: nothing else is left to try.
      return { state: climb(state, 'sigkill', policy, now), actions: [{ type: 'signal', signal: 'SIGKILL' }] };
  }
}

/** A worker that runs no JavaScript answers nothing but SIGKILL. */
function killed(state: Incarnation, fault: Fault, policy: SupervisePolicy, now: number): IncarnationStep {
  return {
    state: climb({ ...state, phase: 'stopping', fault }, 'sigkill', policy, now),
    actions: [{ type: 'signal', signal: 'SIGKILL' }],
  };
}

function climb(state: Incarnation, step: StopStep, policy: SupervisePolicy, now: number): Incarnation {
  return { ...state, step, wakeAt: now + stepWaitMs(step, policy) };
}

function watched(state: Incarnation, policy: SupervisePolicy): Incarnation {
  const watching = policy.heartbeatTimeoutMs > 0 && !state.debugged;
  return { ...state, wakeAt: watching ? state.seenAt + policy.heartbeatTimeoutMs : undefined };
}

function wearOf({ requests, rss }: WorkerStats, requestLimit: number, { maxMemory }: SupervisePolicy) {
  if (requests >= requestLimit) return 'recycle_requests';
  return maxMemory > 0 && rss > maxMemory ? 'recycle_memory' : undefined;
}

/**
 * The coordinator itself was suspended or starved: what it did not hear in that time says nothing about the
 * workers.
 */
export function withFreshDeadline(state: Incarnation, policy: SupervisePolicy, now: number): Incarnation {
  return state.phase === 'ready' ? watched({ ...state, seenAt: now }, policy) : state;
}
