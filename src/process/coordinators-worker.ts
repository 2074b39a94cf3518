/**
 * What a worker of a coordinator tells its threads.
 *
 * @module
 */
import { getEnvironmentData, type Serializable, setEnvironmentData } from 'node:worker_threads';
import type { TracedProcess } from './run-directory.js';

/** Where a worker of a coordinator, which is not entered here, tells its threads what it is. */
const WORKER = 'forktrace.worker';

/** Tells this process's threads, and whoever reports their ends, which worker of a coordinator this is. */
export function tellThreads(worker: TracedProcess): void {
  setEnvironmentData(WORKER, worker as unknown as Serializable);
}

/** The coordinator's worker that this thread belongs to; undefined when it belongs to none. */
export function coordinatorsWorker(): TracedProcess | undefined {
  return getEnvironmentData(WORKER) as TracedProcess | undefined;
}
