/**
 * One worker's life: tracing first, then the app, then serving, then a graceful end.
 *
 * @module
 */
import cluster from 'node:cluster';
import type { ListenOptions, Server } from 'node:net';
import type { StopReason, TracingConfig, WorkerContext } from '../config/types.js';
import { watchRoutes } from '../http/routes/watch-routes.js';
import { instrumentServer, type TraceableServer } from '../http/trace-server.js';
import { pm2ShutdownTimeoutMs } from '../pm2/environment.js';
import { tellPm2 } from '../pm2/ready.js';
import { withinDeadline } from '../process/deadline.js';
import { endIfUncaught } from '../process/failed-start.js';
import { runHook } from '../process/hook.js';
import { SLOT_VARIABLE } from '../process/slot-variables.js';
import { TerminationSignals } from '../process/termination-signals.js';
import { parseCoordinatorMessage, type WorkerMessage } from '../process/worker-messages.js';
import { warn } from '../warn.js';
import { type AppServer, serverAddress, toAppServer } from './app-server.js';
import { AppServers, startedResources } from './app-servers.js';
import { type AppSource, loadFactory, moduleOf } from './app-source.js';
import { Heartbeat } from './heartbeat.js';
import { httpOptions } from './http-options.js';
import { workerIdentity } from './identity.js';
import { prefixOutput } from './line-prefix.js';
import { listenError } from './listen-error.js';
import { takePeekArguments } from './peekable.js';
import { keepStreamsAsTheyWere } from './standard-streams.js';
import { describeFailure, tellUncaught } from './start-failure.js';
import { type StartedTracing, startWorkerTracing } from './start-worker.js';

/** A worker that serves. */
export interface ServingWorker {
  readonly tracing: StartedTracing;
  readonly context: WorkerContext;
  /** URL `http://host:port`, or the path of a Unix socket. */
  readonly address: string | undefined;
  /** Stops accepting, drains, runs shutdown functions and hooks, flushes. Does not end the process. */
  stop(reason: StopReason, deadlineMs?: number): Promise<void>;
}

/**
 * Starts tracing, then loads, traces and serves the app in this process. A worker of the coordinator reports
 * to it by IPC. When the worker cannot start, it reports why, and this rejects.
 */
export async function serveApp(source: AppSource, config: TracingConfig = {}): Promise<ServingWorker> {
  const isTold = isSupervised();
  const tell = (error: unknown) => send({ forktrace: 'failed', ...describeFailure(error, moduleOf(source)) });
  const untell = isTold ? tellUncaught(tell) : () => {};
  try {
    return await serve(source, config);
  } catch (error) {
    untell();
    const failure = error instanceof Error ? error : new Error(String(error));
    if (isTold) await tell(failure);
    // The coordinator prints the error, with the slot.
    endIfUncaught(failure, 1, !isTold);
    throw failure;
  } finally {
    untell();
  }
}

async function serve(source: AppSource, userConfig: TracingConfig): Promise<ServingWorker> {
  takePeekArguments();
  const read = keepStreamsAsTheyWere(process.env);
  const tracing = startWorkerTracing(userConfig, 'serves');
  const { config } = tracing;
  const { hooks, supervise } = config;

  const aborter = new AbortController();
  const shutdownFunctions: (() => void | Promise<void>)[] = [];
  const context: WorkerContext = {
    ...tracing.identity,
    tracer: tracing.tracer,
    meter: tracing.meter,
    signal: aborter.signal,
    onShutdown: (fn) => void shutdownFunctions.push(fn),
  };

  let appServer: AppServer | undefined;
  const servers = new AppServers((server) => {
    if (!config.disabled) instrumentServer(server as TraceableServer, () => httpOptions(tracing));
  });
  const heartbeat = new Heartbeat(
    tracing,
    (stats, inspector, peekable) => void send({ forktrace: 'heartbeat', stats, inspector, peekable }),
  );

  let stopping: Promise<void> | undefined;
  // pm2 kills a process that is not gone in time, whatever the config says.
  const defaultDeadlineMs =
    tracing.identity.manager === 'pm2'
      ? Math.min(supervise.shutdownTimeoutMs, pm2ShutdownTimeoutMs(process.env))
      : supervise.shutdownTimeoutMs;
  const stop = (reason: StopReason, deadlineMs = defaultDeadlineMs) => {
    stopping ??= stopWithin(reason, deadlineMs);
    return stopping;
  };
  const stopWithin = async (reason: StopReason, deadlineMs: number) => {
    const endsAt = performance.now() + deadlineMs;
    const left = () => Math.max(0, endsAt - performance.now());
    await send({ forktrace: 'stopping', reason });
    aborter.abort(reason);
    await runHook('workerStopping', hooks.workerStopping, Math.min(hooks.timeoutMs, left()), context, reason);
    // A part of the deadline is kept for flushing, even when a connection never ends.
    const flushMs = Math.min(1000, deadlineMs / 4);
    const drainMs = Math.max(0, left() - flushMs);
    await withinDeadline(servers.drain(drainMs), drainMs);
    for (const fn of shutdownFunctions.reverse()) await runHook('onShutdown', fn, Math.max(0, left() - flushMs));
    await runHook('close', appServer?.close, Math.max(0, left() - flushMs));
    await runHook('workerExit', hooks.workerExit, Math.min(hooks.timeoutMs, left()), context);
    heartbeat.stop();
    await tracing.shutdown(Math.max(flushMs, left()));
  };

  // The terminal sends SIGHUP to the whole process group when it closes.
  const signals = new TerminationSignals(['SIGTERM', 'SIGINT', 'SIGHUP'], {
    async stop(signal) {
      await stop('signal');
      signals.reraise(signal);
    },
  });
  listenToCoordinator(stop);
  heartbeat.start();
  // Under another manager, such as pm2, each process has a log of its own.
  if (supervise.prefix && isSupervised()) {
    const own = (['stdout', 'stderr'] as const).filter((name) => !read.has(name));
    prefixOutput(
      context.slot ?? 0,
      own.map((name) => process[name]),
    );
  }

  await runHook('postFork', hooks.postFork, hooks.timeoutMs, context);
  const started = startedResources();
  const factory = await loadFactory(source, () => servers.firstListening(started));
  const app = await factory(context);
  if (!config.disabled) watchRoutes(app);
  appServer = await toAppServer(app, servers.listening);
  const { server } = appServer;
  const listensItself = servers.listening.has(server);
  servers.add(server);
  try {
    // A copy: Fastify writes into the object it is given.
    await appServer.listen({ ...config.listen });
  } catch (error) {
    throw listensItself ? error : listenError(error, config.listen);
  }
  // The warning is given once for the cluster, not by each worker.
  if (listensItself && userConfig.listen !== undefined && !context.slot) warnOfOtherAddress(server, config.listen);
  await runHook('workerReady', hooks.workerReady, hooks.timeoutMs, context);
  const address = serverAddress(server);
  await send({ forktrace: 'ready', address });
  tellPm2(tracing.identity);
  return { tracing, context, address, stop };
}

/** Obeys the coordinator. When the coordinator dies, drains and ends. */
function listenToCoordinator(stop: (reason: StopReason, deadlineMs?: number) => Promise<void>): void {
  process.on('message', async (message) => {
    // Sent by pm2 on Windows, and with shutdown_with_message.
    if (message === 'shutdown') {
      await stop('signal');
      process.exit();
    }
    const request = parseCoordinatorMessage(message);
    if (!request) return;
    await stop(request.reason, request.deadlineMs);
    process.exit();
  });
  if (!process.connected) return;
  const planned = () => cluster.worker?.exitedAfterDisconnect === true;
  process.prependOnceListener('disconnect', async () => {
    const wasPlanned = planned();
    const reason: StopReason = wasPlanned ? 'disconnect' : 'coordinator-died';
    // node:cluster ends a worker at once when its primary is gone (lib/internal/cluster/child.js). The worker
    // must drain first.
    if (cluster.worker) cluster.worker.exitedAfterDisconnect = true;
    await stop(reason);
    // The exit codes that node:cluster would give.
    process.exit(wasPlanned ? undefined : 0);
  });
}

function warnOfOtherAddress(server: Server, { host, port, path }: ListenOptions): void {
  const bound = server.address();
  if (bound === null || (typeof bound === 'string' ? bound === path : bound.port === port)) return;
  const wanted = path ?? `${host ?? 'port'} ${port ?? ''}`.trim();
  warn(
    'FORKTRACE_LISTEN_IGNORED',
    `The app listens by itself, on ${serverAddress(server)}: option listen (${wanted}) has no effect. Remove one of the two.`,
  );
}

/**
 * Whether our coordinator runs this process and understands its messages. Another parent may do anything with
 * a message.
 */
function isSupervised(): boolean {
  return cluster.isWorker && process.connected === true && process.send !== undefined && hasSlot();
}

/**
 * Whether this worker has a slot, so that its coordinator gives the warnings. The slot is in the environment
 * until tracing starts.
 */
function hasSlot(): boolean {
  if (process.env[SLOT_VARIABLE] !== undefined) return true;
  const { manager, slot } = workerIdentity();
  return manager === 'cluster' && slot !== undefined;
}

/** Resolves when the message is handed over, so that an exit right after it does not lose it. */
function send(message: WorkerMessage): Promise<void> {
  if (!isSupervised()) return Promise.resolve();
  return new Promise((resolve) => {
    // The coordinator may die at any moment. An error means that no process is left to receive the message.
    process.send!(message, undefined, undefined, () => resolve());
  });
}
