/**
 * Tells whoever ships a thread's journal how the thread has ended: one that is terminated, or runs out of
 * memory, cannot say so itself, and the thread that has started it alone knows.
 *
 * @module
 */
import { errorMonitor } from 'node:events';
import { createRequire } from 'node:module';
import type { Worker } from 'node:worker_threads';

const require = createRequire(import.meta.url);

export function watchThread(worker: Worker): void {
  // It has none any more once it has ended.
  const { threadId } = worker;
  let cause: 'heap_out_of_memory' | undefined;
  worker.once(errorMonitor, (error: NodeJS.ErrnoException | undefined) => {
    if (error?.code === 'ERR_WORKER_OUT_OF_MEMORY') cause = 'heap_out_of_memory';
  });
  // Before the app's, which may end the process.
  worker.prependOnceListener('exit', (code) => {
    const { enteredProcess } = require('./run-directory.js') as typeof import('./run-directory.js');
    const dir = enteredProcess()?.journalDir;
    if (dir === undefined) return;
    const { tellExit } = require('./told-exit.js') as typeof import('./told-exit.js');
    tellExit(dir, process.pid, { code, signal: null, cause }, threadId);
  });
}
