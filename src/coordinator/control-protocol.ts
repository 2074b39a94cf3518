/**
 * The commands of the coordinator's control socket, which is HTTP on a Unix socket: `GET /status`, and the
 * others by POST with a JSON body.
 *
 * @module
 */
import type { ClusterStats } from './handle.js';

export interface ControlCommands {
  status: { body: undefined; result: ClusterStats };
  /**
   * Replaces all workers. `slots`: those that were replaced. With `wait: false` the answer comes at once,
   * with none.
   */
  reload: { body: { wait: false } | undefined; result: { slots: readonly number[] } };
  /** Changes the number of workers. `workers`: to how many; `by`: by how many more, or fewer if negative. */
  scale: { body: { workers: number } | { by: number }; result: { workers: number } };
  /** Kills the process of a slot, which counts as a death: it is respawned. */
  kill: { body: { slot: number }; result: { pid: number } };
  /** Opens the inspector of a worker. The client closes it. */
  inspector: { body: { slot: number }; result: { pid: number; url: string } };
  /** Answered when the stop has begun, not when it has ended. */
  stop: { body: undefined; result: Record<string, never> };
}

export type ControlCommand = keyof ControlCommands;

export const CONTROL_COMMANDS: readonly ControlCommand[] = ['status', 'reload', 'scale', 'kill', 'inspector', 'stop'];

/** The answer to a command that failed, with an HTTP status of 400 or more. */
export interface ControlError {
  error: { code: string; message: string };
}

/** Most bytes of a request's body. A real one has a few dozen. */
export const MAX_CONTROL_BODY_BYTES = 4096;
