/**
 * What is said over the control socket: one JSON object per line, a request and its answer.
 *
 * @module
 */
import type { ClusterStats } from './handle.js';

export interface ControlCommands {
  status: { argument: undefined; result: ClusterStats };
  /** The slots that were replaced. */
  reload: { argument: undefined; result: readonly number[] };
  scale: { argument: number; result: null };
  /** Answered when the stop has begun; the socket closes when the workers are gone. */
  stop: { argument: undefined; result: null };
}

export type ControlCommand = keyof ControlCommands;

export interface ControlRequest {
  /** Comes back in the answer. */
  id?: number;
  command: ControlCommand;
  argument?: unknown;
}

export type ControlAnswer =
  | { id: number | null; result: unknown }
  | { id: number | null; error: { code: string; message: string } };

/** Bytes of one line. A request has a few dozen. */
export const MAX_REQUEST_BYTES = 4096;

/**
 * A request out of one line.
 *
 * @returns the request, or why it is none
 */
export function parseRequest(line: string): ControlRequest | string {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return 'not JSON';
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'not an object';
  const { id, command, argument } = value as Record<string, unknown>;
  if (id !== undefined && typeof id !== 'number') return 'id is not a number';
  if (command !== 'status' && command !== 'reload' && command !== 'scale' && command !== 'stop') {
    return 'command is not status, reload, scale or stop';
  }
  return { id, command, argument };
}
