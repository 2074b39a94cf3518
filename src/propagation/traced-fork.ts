import { type ChildProcess, type ForkOptions, fork } from 'node:child_process';
import { SHARE_ENV, Worker, type WorkerOptions } from 'node:worker_threads';
import { environmentWithContext } from './environment.js';

/**
 * `child_process.fork` with the active context in the child's environment (TRACEPARENT, TRACESTATE, BAGGAGE):
 * the first span of the child becomes a child of the span that is active here.
 *
 * @example
 * const child = tracedFork('report.js', ['--month', '5']);
 */
export function tracedFork(modulePath: string | URL, options?: ForkOptions): ChildProcess;
export function tracedFork(modulePath: string | URL, args?: readonly string[], options?: ForkOptions): ChildProcess;
export function tracedFork(
  modulePath: string | URL,
  second?: readonly string[] | ForkOptions,
  third?: ForkOptions,
): ChildProcess {
  const args = Array.isArray(second) ? second : [];
  const options = third ?? (Array.isArray(second) ? {} : ((second ?? {}) as ForkOptions));
  return fork(modulePath, args, { ...options, env: environmentWithContext(options.env) });
}

/**
 * A `worker_threads` Worker with the active context in its environment: the first span of the thread becomes
 * a child of the span that is active here. With `env: SHARE_ENV` there is no environment of its own, and no
 * context in it.
 *
 * @example
 * const thread = tracedWorker(new URL('./resize.js', import.meta.url), { workerData: image });
 */
export function tracedWorker(filename: string | URL, options: WorkerOptions = {}): Worker {
  if (options.env === SHARE_ENV) return new Worker(filename, options);
  return new Worker(filename, { ...options, env: environmentWithContext(options.env as NodeJS.ProcessEnv) });
}
