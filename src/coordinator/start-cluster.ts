/**
 * `startClusterWithTracing`: one call that forks in the primary and serves in a worker.
 *
 * @module
 */
import cluster from 'node:cluster';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TracingConfig } from '../config/types.js';
import { ForktraceError } from '../errors.js';
import { endIfUncaught } from '../process/failed-start.js';
import type { AppSource } from '../worker/app-source.js';
import type { ClusterHandle } from './handle.js';
import { processRole } from './role.js';

/**
 * Runs the app on N workers, and starts tracing in each of them after the fork. In one file called by `node
 * server.js` the same call forks in the primary and serves in a worker. Under pm2 it serves without forking.
 *
 * In the primary it resolves when every worker is ready for the first time. It takes over SIGTERM, SIGINT and
 * SIGHUP (reload), and keeps the workers alive. No OpenTelemetry SDK is loaded there.
 *
 * @param app makes the app in each worker, or names the module that does
 * @param config all options are optional; docs/configuration.md lists them
 * @returns the handle of the cluster
 *
 * @example
 * await startClusterWithTracing(() => (request, response) => response.end('hello'), { serviceName: 'shop' });
 *
 * @throws ForktraceError with code FORKTRACE_CONFIG_INVALID or FORKTRACE_ENV_INVALID for a wrong option or
 * variable; FORKTRACE_STARTED_TWICE at a second call; in the primary FORKTRACE_WORKER_START when a worker
 * does not start at first boot. The other workers are then stopped, and a process that does not catch the
 * error exits with the exit code of the worker that did not start
 */
export async function startClusterWithTracing(app: AppSource, config: TracingConfig = {}): Promise<ClusterHandle> {
  if (started) throw await startedTwice();
  started = true;
  try {
    return await start(app, config);
  } catch (error) {
    started = false;
    if (processRole() === 'coordinator' && error instanceof Error) endIfUncaught(error, 1, true);
    throw error;
  }
}

let started = false;

async function start(app: AppSource, config: TracingConfig): Promise<ClusterHandle> {
  if (processRole() === 'coordinator') {
    const { Coordinator } = await import('./coordinator.js');
    return Coordinator.start(config);
  }
  // This loads the SDK, which the coordinator must not do.
  const { serveApp } = await import('../worker/serve.js');
  const worker = await serveApp(app, config);
  const elsewhere = () => Promise.reject(new ForktraceError('FORKTRACE_NOT_COORDINATOR', []));
  return {
    role: 'worker',
    workers: () => [],
    stats: () => undefined,
    reload: elsewhere,
    scale: elsewhere,
    shutdown: () => worker.stop('shutdown'),
  };
}

/**
 * Milliseconds. The coordinator makes the same second call: its message is enough, and its workers end with
 * it.
 */
const COORDINATOR_ENDS_WITHIN_MS = 2000;

async function startedTwice(): Promise<Error> {
  const error = new ForktraceError('FORKTRACE_STARTED_TWICE', []);
  if (processRole() === 'worker' && cluster.isWorker) await sleep(COORDINATOR_ENDS_WITHIN_MS);
  endIfUncaught(error, 1, true);
  return error;
}
