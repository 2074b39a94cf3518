/**
 * Tells the shipper of a thread's journal how the thread has ended. A thread that is terminated or runs out
 * of memory cannot say so itself; only the thread that started it knows.
 *
 * @module
 */
import { errorMonitor } from 'node:events';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Worker } from 'node:worker_threads';
import { coordinatorsWorker } from './coordinators-worker.js';
import { processFile } from './run-path.js';

const require = createRequire(import.meta.url);

export function watchThread(worker: Worker): void {
  // Read now: an ended thread has no id any more.
  const { threadId } = worker;
  let cause: 'heap_out_of_memory' | undefined;
  worker.once(errorMonitor, (error: NodeJS.ErrnoException | undefined) => {
    if (error?.code === 'ERR_WORKER_OUT_OF_MEMORY') cause = 'heap_out_of_memory';
  });
  // Before the app's listener, which may end the process.
  worker.prependOnceListener('exit', (code) => {
    // Neither this process nor any thread of its is traced, which loads nothing then.
    if (coordinatorsWorker() === undefined && !existsSync(processFile(process.pid))) return;
    const { enteredProcess } = require('./run-directory.js') as typeof import('./run-directory.js');
    const dir = enteredProcess()?.journalDir;
    if (dir === undefined) return;
    const { tellExit } = require('./told-exit.js') as typeof import('./told-exit.js');
    tellExit(dir, process.pid, { code, signal: null, cause }, threadId);
  });
}
