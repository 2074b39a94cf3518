/**
 * Waits in a process for the moment in which V8 runs out of heap memory. With a debugger attached V8 raises the limit for a moment and
 * pauses; the debugger reads the stack and lets go, and the process ends of the same error as without it.
 *
 * @module
 */
import type { Block } from './block.js';
import { InspectorSession } from './inspector-client.js';
import { checkedSnapshot } from './peek.js';
import { SNAPSHOT_ONLY } from './snapshot.js';

const MOST_FRAMES = 100;

interface CallFrame {
  functionName?: unknown;
  url?: unknown;
  location?: { lineNumber?: unknown; columnNumber?: unknown };
}

/**
 * @param url of the inspector, which is closed again
 * @param signal aborts: the heap is not full any more, or the process has ended
 * @param found is told at once: the process goes on to its end
 */
export async function watchHeap(url: string, signal: AbortSignal, found: (block: Block) => void): Promise<void> {
  // Of its own: an aborted wait still has something to say to the process.
  const session = await InspectorSession.connect(url, new AbortController().signal);
  try {
    const paused = new Promise<CallFrame[] | undefined>((resolve) => {
      session.onEvent = (method, { reason, callFrames }) => {
        if (method !== 'Debugger.paused') return;
        if (reason === 'OOM') resolve(Array.isArray(callFrames) ? callFrames : []);
        // Somebody's `debugger` statement: nobody stops there.
        else session.call('Debugger.resume').catch(() => {});
      };
      if (signal.aborted) resolve(undefined);
      signal.addEventListener('abort', () => resolve(undefined), { once: true });
    });
    await session.call('Debugger.enable');
    const frames = await paused;
    if (frames === undefined) return;
    const taken = await session.evaluate(SNAPSHOT_ONLY).then(checkedSnapshot, () => undefined);
    const stack = taken?.stack || frames.slice(0, MOST_FRAMES).map(described).join('\n');
    found({ state: 'ran out of heap memory', stack, active: taken?.active });
  } finally {
    // Gives V8's own limit back, and resumes.
    await session.call('Debugger.disable').catch(() => {});
    await session
      .evaluate("void setImmediate(() => process.getBuiltinModule('node:inspector').close())")
      .catch(() => {});
    session.close();
  }
}

function described({ functionName, url, location }: CallFrame): string {
  const place = `${url || '<anonymous>'}:${Number(location?.lineNumber) + 1}:${Number(location?.columnNumber) + 1}`;
  return functionName ? `    at ${functionName} (${place})` : `    at ${place}`;
}
