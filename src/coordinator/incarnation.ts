/**
 * One process life in a slot, as a state machine: a state and an event give a new state and actions. It has
 * no clock, timer or process. The states are drawn in docs/supervision.md.
 *
 * @module
 */
import type { StopReason } from '../config/types.js';
import type { ExitCause } from '../forensics/exit-cause.js';
import type { WorkerStats } from '../process/worker-messages.js';
import type { SupervisePolicy } from './policy.js';

/**
 * The steps of a stop, in their order. Each step has its own wait; a process that has not ended by then gets
 * the next step.
 */
export type StopStep = 'message' | 'disconnect' | 'sigterm' | 'sigkill';

/** Why the coordinator ended a process that it had not asked to stop. */
export type Fault = Extract<ExitCause, 'not_ready' | 'event_loop_blocked'>;

/** Which limit a recycled worker has exceeded. */
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
   * The worker serves no more, and the slot has been told: once, at `exit` or `disconnect`, whichever came
   * first.
   */
  readonly lost: boolean;
  /** Number of requests after which the worker is recycled; Infinity means never. */
  readonly requestLimit: number;
  /** When the machine next needs a `wake` event; undefined means never. */
  readonly wakeAt: number | undefined;
}

/** Names one process of the cluster. */
export const incarnationKey = (slot: number, incarnation: number): string => `${slot}.${incarnation}`;

export type IncarnationEvent =
  | { type: 'forked' }
  | { type: 'ready' }
  /** The worker has reported that it cannot start. */
  | { type: 'failed' }
  | { type: 'heartbeat'; stats: WorkerStats; debugged: boolean }
  /** The worker has begun to stop by itself, because a signal reached it. */
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
  /** The worker serves no more: tell the slot. */
  | { type: 'lost' }
  /** The worker has reached a limit of requests or memory and should be replaced. */
  | { type: 'recycle' };

export interface IncarnationStep {
  state: Incarnation;
  actions: IncarnationAction[];
}

/**
 * Milliseconds. When a process dies, `exit` follows `disconnect` at once. A worker that only closed its
 * channel gets no longer than this.
 */
const EXIT_AFTER_DISCONNECT_MS = 250;

/**
 * Milliseconds in which a worker that has reported a failure may print its error and exit with its own code.
 */
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
    // Random, so that workers that started together are not recycled together.
    requestLimit:
      policy.maxRequests > 0 ? Math.ceil(policy.maxRequests * (1 + random * 0.1)) : Number.POSITIVE_INFINITY,
    wakeAt: now + policy.readyTimeoutMs,
  };
}

/**
 * Milliseconds that each step of a stop waits: a share of the one deadline, so that SIGKILL comes before the
 * deadline.
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
      // The ready timeout begins at the fork, because `preFork` may have taken long.
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
      // The signal went to the whole process group, or to this worker alone: it drains as if the coordinator
      // had asked it to.
      if (state.phase === 'stopping') return { state, actions: [] };
      return { state: climb({ ...state, phase: 'stopping' }, 'message', policy, now), actions: [{ type: 'lost' }] };

    case 'stop':
      if (state.phase === 'stopping') {
        return { state: { ...state, reason: state.reason ?? event.reason }, actions: [] };
      }
      return {
        state: climb({ ...state, phase: 'stopping', reason: event.reason }, 'message', policy, now),
        // A worker that is starting reads no messages yet, but a signal reaches it: before its handlers are
        // installed it dies of it, afterwards it drains.
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
      // Without a channel the watchdog gets no heartbeats and messages are lost, but the worker drains by
      // itself.
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

/** The wait of the current state is over. */
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
      // SIGKILL is repeated: no stronger step is left.
      return { state: climb(state, 'sigkill', policy, now), actions: [{ type: 'signal', signal: 'SIGKILL' }] };
  }
}

/** A worker that runs no JavaScript responds only to SIGKILL. */
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
 * The coordinator itself was suspended, or got no processor time. Heartbeats missing in that time say nothing
 * about the workers.
 */
export function withFreshDeadline(state: Incarnation, policy: SupervisePolicy, now: number): Incarnation {
  return state.phase === 'ready' ? watched({ ...state, seenAt: now }, policy) : state;
}
