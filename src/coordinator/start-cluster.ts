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
 * Runs the app on N workers, each with tracing that was built after the fork. In one file called by
 * `node server.js` the same call forks in the primary, serves in a worker, and under pm2 serves without
 * forking.
 *
 * In the primary it resolves when every worker is ready for the first time, takes over SIGTERM, SIGINT and
 * SIGHUP (reload), and keeps the workers alive; no OpenTelemetry SDK is loaded there.
 *
 * @example
 * await startClusterWithTracing(() => (request, response) => response.end('hello'), { serviceName: 'shop' });
 *
 * @throws ForktraceError with code FORKTRACE_CONFIG_INVALID or FORKTRACE_ENV_INVALID, FORKTRACE_STARTED_TWICE
 * at a second call, and in the primary FORKTRACE_WORKER_START when a worker does not start at first boot: the
 * others are stopped, and a process that does not catch it exits with the worker's code
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
  // Loads the SDK, which the coordinator must never do.
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

/** The coordinator runs the same second call: what it says is enough, and its workers end with it. */
const COORDINATOR_ENDS_WITHIN_MS = 2000;

async function startedTwice(): Promise<Error> {
  const error = new ForktraceError('FORKTRACE_STARTED_TWICE', []);
  if (processRole() === 'worker' && cluster.isWorker) await sleep(COORDINATOR_ENDS_WITHIN_MS);
  endIfUncaught(error, 1, true);
  return error;
}
