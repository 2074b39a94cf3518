/**
 * The code that a peek evaluates inside the other process. The inspector interrupts JavaScript to run it, so
 * it runs on top of the code that blocks the event loop, and the stack of an error that it creates is the
 * stack of that code.
 *
 * @module
 */

import type { ActiveSpan } from '../process/active-span.js';

/** The answer of the process. */
export interface Snapshot {
  /** As in `Error.stack`, with source maps if the process applies them. The innermost frame is first. */
  stack: string;
  /** Undefined when no span is active, or forktrace does not run there. */
  active: ActiveSpan | undefined;
}

/** The name under which a process with forktrace keeps the function that returns its active span. */
export const ACTIVE_SPAN = 'forktrace.active-span';

const MAX_FRAMES = 100;
const MAX_STACK_LENGTH = 16 * 1024;

/** Names the evaluated code, so that its own frames can be recognised. */
const SOURCE = 'forktrace:peek';

/** Sent as text, so it can use only its parameters and globals. */
function takeSnapshot(source: string, key: string, maxFrames: number, maxLength: number): Snapshot {
  const limit = Error.stackTraceLimit;
  let stack = '';
  try {
    // Three of the frames belong to the evaluated code itself.
    Error.stackTraceLimit = maxFrames + 3;
  } catch {
    // Intrinsics are frozen: the stack then has Node's ten frames.
  }
  try {
    stack = String(new Error().stack);
  } catch {
    // The application's own Error.prepareStackTrace threw.
  }
  try {
    Error.stackTraceLimit = limit;
  } catch {
    // As above.
  }
  const frames = stack.split('\n').filter((line) => line.startsWith('    at ') && !line.includes(source));
  let active: ActiveSpan | undefined;
  try {
    active = (globalThis as unknown as Record<symbol, (() => ActiveSpan) | undefined>)[Symbol.for(key)]?.();
  } catch {
    // The stack alone is useful.
  }
  return { stack: frames.slice(0, maxFrames).join('\n').slice(0, maxLength), active };
}

/** Evaluates to a {@link Snapshot}, then runs `then`. */
const snapshotAnd = (then: string) => `(() => {
  const taken = (${takeSnapshot.toString()})(${JSON.stringify(SOURCE)}, ${JSON.stringify(ACTIVE_SPAN)}, ${MAX_FRAMES}, ${MAX_STACK_LENGTH});
  ${then}
  return taken;
})()
//# sourceURL=${SOURCE}`;

const CLOSE = "process.getBuiltinModule('node:inspector').close();";

/**
 * Evaluates to a {@link Snapshot}, and makes the process close its inspector when its event loop turns again.
 */
export const SNAPSHOT_EXPRESSION = snapshotAnd(`setImmediate(() => { ${CLOSE} });`);

/**
 * The same, for a process whose inspector opens on a free port each time. Node would otherwise keep the port
 * of the first time, which another program may have by the next.
 */
export const PREPARED_SNAPSHOT = snapshotAnd(`setImmediate(() => { ${CLOSE} process.debugPort = 0; });`);

/**
 * The name under which a process with forktrace keeps the function that records what ran when the heap was
 * full.
 */
export const HEAP_END = Symbol.for('forktrace.heap-end');

/** Calls that function with a {@link Snapshot}. */
export const HEAP_END_SNAPSHOT = snapshotAnd(
  `globalThis[Symbol.for(${JSON.stringify(HEAP_END.description)})]?.(taken);`,
);

/** Evaluates to a {@link Snapshot}, and leaves the inspector open: it was open before. */
export const SNAPSHOT_ONLY = snapshotAnd('');
