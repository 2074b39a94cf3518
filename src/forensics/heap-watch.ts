/**
 * Finds out where V8 runs out of heap memory: a thread of its own watches the heap, and while that is nearly
 * full it debugs the main thread, which V8 then stops at the allocation that is one too many.
 *
 * In this process, without a port: it works under every manager, and while the event loop is blocked.
 *
 * @module
 */
import { isMainThread, Worker } from 'node:worker_threads';
import { ownFile } from '../own-files.js';
import { oldGenerationLimit } from './heap-limit.js';
import { HEAP_END, type Snapshot } from './snapshot.js';

/** What the thread is given. */
export interface HeapWatch {
  /** In bytes, where V8 gives up. */
  limit: number;
}

const MEGABYTES = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 };

/**
 * @param ended is told what ran when the heap was full, just before the process ends. V8 may find memory
 * after all; then it lives on
 * @returns ends it
 */
export function watchHeap(ended: (found: Snapshot) => void): () => void {
  if (!isMainThread) return () => {};
  const global = globalThis as { [HEAP_END]?: (found: Snapshot) => void };
  global[HEAP_END] = ended;
  let thread: Worker | undefined;
  try {
    thread = new Worker(ownFile('forensics/heap-watch-thread.js'), {
      workerData: { limit: oldGenerationLimit() } satisfies HeapWatch,
      name: 'forktrace heap watch',
      // Nothing of the app's is preloaded there.
      execArgv: [],
      env: {},
      resourceLimits: MEGABYTES,
    });
    thread.on('error', () => {});
    thread.unref();
  } catch {
    // The permission model, or no memory for a thread: the process dies as it would have.
  }
  return () => {
    delete global[HEAP_END];
    void thread?.terminate();
  };
}
