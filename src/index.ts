/**
 * forktrace: tracing for Node.js processes that fork.
 *
 * @module
 */
export type * from './config/types.js';
export type { ClusterPhase } from './coordinator/cluster-state.js';
export type { LastExit } from './coordinator/death-record.js';
export type { ClusterHandle, ClusterStats, WorkerView } from './coordinator/handle.js';
export type { SlotPhase } from './coordinator/slot.js';
export { startClusterWithTracing } from './coordinator/start-cluster.js';
export { type ErrorCode, ForktraceError } from './errors.js';
export { requestLink, setRoute } from './http/active-request.js';
export { watchRoutes } from './http/routes/watch-routes.js';
export { type TraceableServer, traceServer } from './http/trace-server.js';
export type { HttpRequest, HttpResponse } from './http/types.js';
export type { WorkerStats } from './process/worker-messages.js';
export type { IpcChannel, MessageTarget, PortChannel } from './propagation/channel.js';
export { type TraceFields, traceFields } from './propagation/log-fields.js';
export { tracedFork, tracedSpawn, tracedWorker } from './propagation/traced-fork.js';
export { type MessageSource, onTracedMessage, sendTraced } from './propagation/traced-messages.js';
export type * from './sdk/types.js';
export type { LogRecordCounts, ShipperStats } from './shipper/shipper-messages.js';
export { type SpanDecorator, type SpanFunctionOptions, span } from './span/span.js';
export type { App, AppFactory, AppSource } from './worker/app-source.js';
export type { PipelineStats } from './worker/pipeline.js';
export type { WorkerTracing } from './worker/start-worker.js';

import type { TracingConfig } from './config/types.js';
import { endIfUncaught } from './process/failed-start.js';
import { isMainRealm, requireInMainRealm } from './process/main-realm.js';
import type { WorkerTracing } from './worker/start-worker.js';

const require = requireInMainRealm(import.meta.url);

/**
 * Starts tracing in this process: resource, tracer provider, span processors, exporter, context manager,
 * propagators, then instrumentations. It is for processes that forktrace does not fork: under throng, pm2,
 * another supervisor, or none. `startClusterWithTracing` does the same in each worker. A second call returns
 * the tracing of the first.
 *
 * Tracing is in place when the call returns. The result may be awaited; nothing is pending.
 *
 * @param config all options are optional; docs/configuration.md lists them
 *
 * @example
 * const tracing = startWorkerTracing({ serviceName: 'shop' });
 * // … serve …
 * await tracing.shutdown();
 *
 * @throws ForktraceError with code FORKTRACE_CONFIG_INVALID or FORKTRACE_ENV_INVALID for a wrong option or
 * variable
 */
// Loaded only when a process starts to trace: the coordinator imports this module too.
export function startWorkerTracing(config?: TracingConfig): WorkerTracing {
  const { startWorkerTracing: start } =
    require('./worker/start-worker.js') as typeof import('./worker/start-worker.js');
  const { warnOfClusterOptions, watchForUntracedServers } =
    require('./worker/misuse.js') as typeof import('./worker/misuse.js');
  try {
    const tracing = start(config);
    if (!isMainRealm) {
      const { joinRealm } = require('./worker/join-realm.js') as typeof import('./worker/join-realm.js');
      joinRealm(globalThis);
    }
    if (config !== undefined) warnOfClusterOptions(config);
    if (!tracing.config.disabled) watchForUntracedServers();
    return tracing;
  } catch (error) {
    endIfUncaught(error as Error, 1, true);
    throw error;
  }
}
