/**
 * The thread of {@link watchHeap}. The inspector interrupts the main thread's JavaScript to answer it.
 *
 * @module
 */
import { type Debugger, Session } from 'node:inspector/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { workerData } from 'node:worker_threads';
import type { HeapWatch } from './heap-watch.js';
import { HEAP_END_SNAPSHOT } from './snapshot.js';

/**
 * Code runs slower while it is debugged, so the debugger is on only while the heap is this full, as a share
 * of the limit.
 */
const NEARLY_FULL = 0.85;
const ROOM_AGAIN = 0.75;
/** Below this share nothing can fill the heap within {@link LOOK_MS}. */
const HALF_FULL = 0.5;
const LOOK_MS = 200;
const LOOK_CLOSELY_MS = 20;

const { limit } = workerData as HeapWatch;
const session = new Session();
session.connectToMainThread();
session.on('Debugger.paused', ({ params }) => void paused(params));

async function paused({ reason }: Debugger.PausedEventDataType): Promise<void> {
  // A `debugger` statement of the app: nobody debugs it, so it goes on.
  if (reason !== 'OOM') return session.post('Debugger.resume');
  await session.post('Runtime.evaluate', { expression: HEAP_END_SNAPSHOT }).catch(() => {});
  // Removes the debugger's extra memory, so that V8 is at its own limit again, and goes on.
  await session.post('Debugger.disable');
}

// Keeps this thread alive: waiting for the main thread's answer does not.
setInterval(() => {}, 2 ** 30);
let isDebugging = false;
for (;;) {
  // The memory that V8 has reserved, not the part in use: a fragmented heap runs out of memory below its
  // limit.
  const { totalSize } = (await session.post('Runtime.getHeapUsage')) as unknown as { totalSize: number };
  if (!isDebugging && totalSize > NEARLY_FULL * limit) {
    isDebugging = true;
    await session.post('Debugger.enable');
  } else if (isDebugging && totalSize < ROOM_AGAIN * limit) {
    isDebugging = false;
    await session.post('Debugger.disable');
  }
  await sleep(totalSize > HALF_FULL * limit ? LOOK_CLOSELY_MS : LOOK_MS);
}
