/**
 * Finds out which code runs when V8 is out of heap memory. A thread watches the heap. While the heap is
 * nearly full the thread debugs the main thread, and V8 then pauses at the allocation that exceeds the limit.
 *
 * It works inside this process and opens no port, so it works under every manager, and while the event loop
 * is blocked.
 *
 * @module
 */
import { isMainThread, Worker } from 'node:worker_threads';
import { ownFile } from '../own-files.js';
import { oldGenerationLimit } from './heap-limit.js';
import { HEAP_END, type Snapshot } from './snapshot.js';

/** The data that the thread gets. */
export interface HeapWatch {
  /** Heap size in bytes at which V8 gives up. */
  limit: number;
}

const MEGABYTES = { maxOldGenerationSizeMb: 32, maxYoungGenerationSizeMb: 2 };

/**
 * @param ended gets what ran when the heap was full, just before the process ends; V8 may find memory after
 * all, and the process lives on
 * @returns a function that stops watching
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
      // Nothing of the app is preloaded in the thread.
      execArgv: [],
      env: {},
      resourceLimits: MEGABYTES,
    });
    thread.on('error', () => {});
    thread.unref();
  } catch {
    // The permission model forbids threads, or no memory is left for one. The process then runs out of memory
    // as it would without this.
  }
  return () => {
    delete global[HEAP_END];
    void thread?.terminate();
  };
}
