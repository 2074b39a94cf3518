/**
 * What the viewer and its database thread say to each other: each question has a number, and one answer.
 *
 * @module
 */
import type { LinkedSpanView } from '../api-types/trace.js';
import type { TraceListView } from '../api-types/trace-list.js';

/** The thread's `workerData`. */
export interface ThreadOptions {
  path: string;
  maxBytes: number;
  /** Of what came last, which it hands over at the start. */
  newestBytes: number;
  /** One 32-bit integer: the number of the question whose answer nobody waits for any longer. */
  givenUp: SharedArrayBuffer;
}

export type Question =
  | { ask: 'write'; bytes: Uint8Array }
  | { ask: 'list'; query: string }
  | { ask: 'trace'; traceId: string; moreThan: number }
  | { ask: 'linked'; traceId: string }
  | { ask: 'clear' }
  | { ask: 'close' };

export interface Answers {
  write: undefined;
  list: TraceListView;
  /** A trace export request; undefined when it has no more spans than is known already. */
  trace: Uint8Array | undefined;
  linked: LinkedSpanView[];
  clear: undefined;
  close: undefined;
}

export type Answer = { number: number; answer: unknown } | { number: number; error: string };

/** The first that it says. */
export type Opened = { opened: Uint8Array[]; traces: number } | { failed: string };
