/**
 * What may be asked of a coordinator, over HTTP on its Unix socket: `GET /status`, and the others by POST
 * with a JSON body.
 *
 * @module
 */
import type { ClusterStats } from './handle.js';

export interface ControlCommands {
  status: { body: undefined; result: ClusterStats };
  /** `slots`: those that were replaced; with `wait: false` it is answered at once, with none. */
  reload: { body: { wait: false } | undefined; result: { slots: readonly number[] } };
  /** `workers`: how many from now on; `by`: how many more, or fewer. */
  scale: { body: { workers: number } | { by: number }; result: { workers: number } };
  /** Ends the process of a slot as if it had died: it is respawned. */
  kill: { body: { slot: number }; result: { pid: number } };
  /** Opens the inspector of a worker; whoever asks closes it. */
  inspector: { body: { slot: number }; result: { pid: number; url: string } };
  /** Answered when the stop has begun. */
  stop: { body: undefined; result: Record<string, never> };
}

export type ControlCommand = keyof ControlCommands;

export const CONTROL_COMMANDS: readonly ControlCommand[] = ['status', 'reload', 'scale', 'kill', 'inspector', 'stop'];

/** The answer to what went wrong, with an HTTP status of 400 or more. */
export interface ControlError {
  error: { code: string; message: string };
}

/** Bytes of a request's body. One has a few dozen. */
export const MAX_CONTROL_BODY_BYTES = 4096;
