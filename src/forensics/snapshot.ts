/**
 * What a peek evaluates inside the process that it looks at. The inspector interrupts JavaScript to run it,
 * so it runs on top of the code that blocks the event loop, and an error that it creates has that code's
 * stack.
 *
 * @module
 */

import type { ActiveSpan } from '../process/active-span.js';

/** What the process answers. */
export interface Snapshot {
  /**
   * As `Error.stack` has it, source maps applied where the process applies them; the innermost frame first.
   */
  stack: string;
  /** undefined where no span is active, or forktrace does not run there. */
  active: ActiveSpan | undefined;
}

/** Where a process of ours puts the function that tells its active span. */
export const ACTIVE_SPAN = 'forktrace.active-span';

const MAX_FRAMES = 100;
const MAX_STACK_LENGTH = 16 * 1024;

/** Names the evaluated code, so that its own frames can be told from the application's. */
const SOURCE = 'forktrace:peek';

/** Travels as text: it may use nothing but its parameters and what is global. */
function takeSnapshot(source: string, key: string, maxFrames: number, maxLength: number): Snapshot {
  const limit = Error.stackTraceLimit;
  let stack = '';
  try {
    // Three frames are the evaluated code's own.
    Error.stackTraceLimit = maxFrames + 3;
  } catch {
    // Frozen intrinsics: Node's ten frames, then.
  }
  try {
    stack = String(new Error().stack);
  } catch {
    // The application's own Error.prepareStackTrace throws.
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
    // The stack alone is worth having.
  }
  return { stack: frames.slice(0, maxFrames).join('\n').slice(0, maxLength), active };
}

/** Evaluates to a {@link Snapshot}, and does then what `then` says. */
const snapshotAnd = (then: string) => `(() => {
  const taken = (${takeSnapshot.toString()})(${JSON.stringify(SOURCE)}, ${JSON.stringify(ACTIVE_SPAN)}, ${MAX_FRAMES}, ${MAX_STACK_LENGTH});
  ${then}
  return taken;
})()
//# sourceURL=${SOURCE}`;

const CLOSE = "process.getBuiltinModule('node:inspector').close();";

/**
 * Evaluates to a {@link Snapshot}, and has the process close its inspector when its event loop turns again.
 */
export const SNAPSHOT_EXPRESSION = snapshotAnd(`setImmediate(() => { ${CLOSE} });`);

/**
 * The same, for a process whose inspector is to open on a free port each time: Node keeps the port that it
 * was given, which may be somebody else's the next time.
 */
export const PREPARED_SNAPSHOT = snapshotAnd(`setImmediate(() => { ${CLOSE} process.debugPort = 0; });`);

/** Where a process of ours puts the function that is told what ran when its heap was full. */
export const HEAP_END = Symbol.for('forktrace.heap-end');

/** Tells that function a {@link Snapshot}. */
export const HEAP_END_SNAPSHOT = snapshotAnd(
  `globalThis[Symbol.for(${JSON.stringify(HEAP_END.description)})]?.(taken);`,
);

/** Evaluates to a {@link Snapshot}: for an inspector that was open before. */
export const SNAPSHOT_ONLY = snapshotAnd('');
