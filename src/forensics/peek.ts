/**
 * Reads from outside the JavaScript stack and the active span of a process whose event loop is blocked.
 *
 * SIGUSR1 makes Node open its inspector in a thread of its own, which works while the event loop is blocked.
 * The inspector then interrupts JavaScript wherever it is: in an endless loop, a regular expression or
 * `Atomics.wait`. It does not interrupt native code that runs for long (a large `JSON.parse`, `execSync`).
 * Then only the kernel's view of the process is known.
 *
 * @module
 */
import type { ActiveSpan } from '../process/active-span.js';
import { withinDeadline } from '../process/deadline.js';
import { evaluate, InspectorSession } from './inspector-client.js';
import type { InspectorLines } from './inspector-lines.js';
import { type ProcessState, processState } from './process-state.js';
import { PREPARED_SNAPSHOT } from './snapshot.js';

/** The result of a peek. */
export type Peek =
  | { found: 'stack'; stack: string; active: ActiveSpan | undefined; tookMs: number }
  /** JavaScript did not answer. */
  | { found: 'process'; process: ProcessState | undefined; reason: string; tookMs: number };

export interface PeekTarget {
  pid: number;
  /** Sends SIGUSR1 to exactly this process, never to another process that has got its pid since. */
  signal(): void;
  /** The inspector's lines in the process's standard error. */
  lines: InspectorLines;
}

/** Milliseconds to wait for an answer: longer than interrupting JavaScript takes on a busy machine. */
export const PEEK_TIMEOUT_MS = 450;
/** Milliseconds: an open inspector answers within a few, from a thread of its own. */
const STILL_OPEN_MS = 100;

/** Peeks at a process. Never rejects. */
export async function peek(target: PeekTarget, timeoutMs = PEEK_TIMEOUT_MS): Promise<Peek> {
  const startedAt = performance.now();
  // Not AbortSignal.timeout, whose timer does not keep this process alive until the answer.
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(), timeoutMs);
  const { signal } = deadline;
  try {
    const value = await snapshot(target, signal);
    const { stack, active } = checkedSnapshot(value);
    return { found: 'stack', stack, active, tookMs: performance.now() - startedAt };
  } catch (error) {
    return {
      found: 'process',
      process: processState(target.pid),
      reason: (error as Error).message,
      tookMs: performance.now() - startedAt,
    };
  } finally {
    clearTimeout(timer);
    // Also closes connections that are still being made.
    deadline.abort();
  }
}

async function snapshot(target: PeekTarget, signal: AbortSignal): Promise<unknown> {
  const session = await connect(target, signal);
  try {
    return await session.evaluate(PREPARED_SNAPSHOT);
  } catch (error) {
    // The inspector may have been about to close after the peek before.
    if (signal.aborted || session.url !== target.lines.opened) throw error;
    return await evaluate(await openAnew(target, signal), PREPARED_SNAPSHOT, signal);
  } finally {
    session.close();
  }
}

/**
 * Opens the inspector of a process, unless it is still open from the peek before: it closes when the event
 * loop turns.
 *
 * @throws Error when it does not open before the signal aborts
 */
export async function inspectorAddress(target: InspectorTarget, signal: AbortSignal): Promise<string> {
  const session = await connect(target, signal);
  session.close();
  return session.url;
}

type InspectorTarget = Pick<PeekTarget, 'lines' | 'signal'>;

async function connect(target: InspectorTarget, signal: AbortSignal): Promise<InspectorSession> {
  const anew = async () => InspectorSession.connect(await openAnew(target, signal), signal);
  const { opened } = target.lines;
  if (opened === undefined) return anew();
  const before = InspectorSession.connect(opened, signal);
  if (await withinDeadline(before, STILL_OPEN_MS)) return before.catch(anew);
  // The inspector is closed, and another program may have its port now and not answer; or the machine is
  // busy.
  return Promise.any([before, anew()]).catch(() => Promise.reject(new Error('the inspector did not open')));
}

async function openAnew({ lines, signal: open }: InspectorTarget, signal: AbortSignal): Promise<string> {
  const address = lines.address(signal);
  open();
  return address;
}

/** Closes an inspector that opened after its peek had given up. */
export async function closeLate(url: string): Promise<void> {
  await evaluate(url, PREPARED_SNAPSHOT, AbortSignal.timeout(PEEK_TIMEOUT_MS)).catch(() => {});
}

/** Checks an answer, because it comes from another process. */
export function checkedSnapshot(value: unknown): { stack: string; active: ActiveSpan | undefined } {
  const { stack, active } = (value ?? {}) as { stack?: unknown; active?: unknown };
  if (typeof stack !== 'string') throw new Error('the process did not answer with a stack');
  return { stack, active: checkedSpan(active) };
}

function checkedSpan(value: unknown): ActiveSpan | undefined {
  const { traceId, spanId, rootSpanId, name } = (value ?? {}) as Record<string, unknown>;
  if (!isId(traceId, 32) || !isId(spanId, 16)) return undefined;
  return {
    traceId,
    spanId,
    rootSpanId: isId(rootSpanId, 16) ? rootSpanId : undefined,
    name: typeof name === 'string' ? name.slice(0, 256) : undefined,
  };
}

function isId(value: unknown, length: number): value is string {
  return typeof value === 'string' && value.length === length && /^[0-9a-f]+$/.test(value);
}
