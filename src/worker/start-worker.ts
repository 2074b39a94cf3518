/**
 * Starts tracing in one worker: everything that must be created after the fork.
 *
 * @module
 */
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import {
  type Attributes,
  type Meter,
  type MeterProvider,
  metrics,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';
import { resolveConfig, type StartedAs } from '../config/index.js';
import type { ResolvedConfig } from '../config/resolved.js';
import type { TracingConfig, WorkerIdentity } from '../config/types.js';
import { ForktraceError } from '../errors.js';
import { watchFastifyInstances } from '../http/routes/fastify-instances.js';
import { watchNext } from '../http/routes/next.js';
import { setWorkerHttp } from '../http/worker-http.js';
import { enabledAutomatically } from '../instrumentation/enabled.js';
import type { Instrumentations } from '../instrumentation/instrumentation.js';
import { standInForLogs } from '../logs/logs-api.js';
import type { WorkerLogs } from '../logs/start-logs.js';
import { version } from '../own-files.js';
import { unpackPm2Environment } from '../pm2/environment.js';
import { announceOnce } from '../process/announce.js';
import { coordinatorsWorker, tellThreads } from '../process/coordinators-worker.js';
import { withinDeadline } from '../process/deadline.js';
import { describeDestination } from '../process/destination.js';
import { endsContainer } from '../process/pid-namespace.js';
import { allowListeners } from '../process/process-events.js';
import { enterTracedProcess, type TracedProcess } from '../process/run-directory.js';
import { isSingleExecutable } from '../process/single-executable.js';
import { watchChildren } from '../process/watch-children.js';
import { traceChildren } from '../propagation/child-span.js';
import { takeParentFromEnvironment } from '../propagation/environment.js';
import { withFirstSpanParent } from '../propagation/first-span-parent.js';
import { warn } from '../warn.js';
import { registerApiGlobals } from './api-globals.js';
import { workerIdentity } from './identity.js';
import { listenLastToExit } from './last-exit-listener.js';
import { setLogLevel } from './log-level.js';
import { serveEarlyLoggers } from './loggers-of-api.js';
import type { WorkerMeterProvider } from './meter-provider.js';
import { tellActiveSpan } from './peekable.js';
import type { Pipeline, PipelineStats } from './pipeline.js';
import { createPropagator } from './propagators.js';
import { createResource, resourceAttributes } from './resource.js';
import { warnOfUnknownDetectors } from './resource-detectors.js';
import { mayStartProcesses } from './shipping.js';
import { isStderrRead } from './standard-streams.js';
import { ownStderrFile } from './stderr-file.js';
import { keepTickObject } from './tick-object.js';

/** Tracing that runs in this process. */
export interface WorkerTracing {
  /** Which process this is among its siblings: manager, slot, incarnation. */
  readonly identity: WorkerIdentity;
  /** The tracer provider that is registered with the OpenTelemetry API. */
  readonly tracerProvider: TracerProvider;
  /** The tracer of the scope `forktrace`. */
  readonly tracer: Tracer;
  /** The meter of the scope `forktrace`. It records nothing without a meter provider. */
  readonly meter: Meter;
  /** How many spans this process has kept and lost since tracing started. */
  stats(): PipelineStats;
  /**
   * Waits until all ended spans are exported. With the journal that is when the shipper has delivered them;
   * with `batch` it includes a batch in flight. Does not reject.
   *
   * @param timeout in milliseconds, or `{ timeoutMillis }` as the SDK takes it; 0 flushes and does not wait.
   * @default 5000
   * @returns false at the deadline, or when spans could not be exported
   */
  forceFlush(timeout?: number | { timeoutMillis?: number }): Promise<boolean>;
  /**
   * Does a {@link forceFlush}, then stops tracing in this process. Does not reject. A second call returns the
   * result of the first.
   *
   * @param timeoutMs milliseconds @default 5000
   * @returns false at the deadline, or when spans could not be exported
   */
  shutdown(timeoutMs?: number): Promise<boolean>;
}

/** {@link WorkerTracing}, and what other parts of forktrace need of it. */
export interface StartedTracing extends WorkerTracing {
  readonly config: ResolvedConfig;
}

const DEFAULT_TIMEOUT_MS = 5000;

/**
 * Parts that only some configurations need are loaded synchronously when they are needed, so that tracing is
 * in place when the call returns.
 */
const require = createRequire(import.meta.url);

let started: StartedTracing | undefined;
let isStarting = false;
let mustFlush = false;

/**
 * Starts tracing in this process: resource, tracer provider, span processors, exporter, context manager,
 * propagators, then instrumentations. It is for processes that forktrace does not fork: under throng, pm2,
 * another supervisor, or none. `startClusterWithTracing` calls it in each worker. A second call returns the
 * tracing of the first.
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
export function startWorkerTracing(config: TracingConfig = {}, as: StartedAs = 'traces'): StartedTracing {
  if (started !== undefined) return started;
  isStarting = true;
  try {
    started = start(config, as);
    return started;
  } finally {
    isStarting = false;
  }
}

/**
 * Whether this process must flush before it ends. With the journal only for metrics, and where a container
 * ends with it.
 */
export function mustFlushAtEnd(): boolean {
  return mustFlush;
}

/** Whether {@link startWorkerTracing} has been called and its tracing has not been shut down. */
export function isTracingStarted(): boolean {
  return started !== undefined;
}

/** Whether a {@link startWorkerTracing} runs, further out in this call. */
export function isTracingStarting(): boolean {
  return isStarting;
}

function start(userConfig: TracingConfig, as: StartedAs): StartedTracing {
  keepTickObject();
  allowListeners();
  watchFastifyInstances();
  unpackPm2Environment(process.env);
  const resolved = resolveConfig(userConfig, process.env, as);
  // Last, because it removes the slot from the environment: a worker with a slot leaves warnings to its
  // coordinator.
  const identity = workerIdentity();
  const config = shippingHere(resolved, identity);
  setLogLevel(config);
  ownStderrFile(config, identity);
  const isWorker = identity.manager === 'cluster' && identity.slot !== undefined;
  const traced = tracedProcess(config, identity);
  if (isWorker && !config.disabled) tellThreads(traced);
  // A coordinator announces once for all of its workers, and their threads.
  const isSpokenFor = isWorker || coordinatorsWorker() !== undefined;
  if (!isSpokenFor) {
    announceOnce('destination', describeDestination(config));
    if (!config.disabled) enterTracedProcess(traced);
  }
  if (!config.disabled) watchChildren();
  if (config.logs && !config.disabled) {
    standInForLogs();
    serveEarlyLoggers();
  }
  traceChildren(config.outgoing);
  const instrumentations = config.disabled ? undefined : instrumentationsOf(config);
  const isFirst = !identity.slot && !identity.incarnation && (isWorker || !isSpokenFor);
  if (instrumentations?.description && isFirst) announceOnce('instrumentations', instrumentations.description);
  if (identity.manager !== 'cluster' || !identity.slot) warnOfUnknownDetectors();
  const attributes = resourceAttributes(config, identity);
  const meterProvider: WorkerMeterProvider | undefined =
    config.metrics && !config.disabled
      ? (require('./meter-provider.js') as typeof import('./meter-provider.js')).createMeterProvider(
          config.metrics,
          createResource(config, attributes),
        )
      : undefined;
  /** The user's meter provider, or forktrace's own. */
  const measuring = config.disabled ? undefined : (config.meterProvider ?? meterProvider);
  const pipeline = createPipeline(config, identity, attributes, measuring);

  const propagator = createPropagator(config.propagators);
  const parent = takeParentFromEnvironment(process.env, propagator);
  if (!config.tracerProvider) watchNext(pipeline.tracerProvider);
  const tracerProvider = parent ? withFirstSpanParent(pipeline.tracerProvider, parent) : pipeline.tracerProvider;
  const unregister = config.disabled ? () => {} : registerApiGlobals({ tracerProvider, propagator, meterProvider });
  const logs = config.disabled ? undefined : logsOf(config, pipeline);
  instrumentations?.start({ tracerProvider, meterProvider });
  if (measuring && !config.tracerProvider) {
    const { observePipeline } = require('./pipeline-metrics.js') as typeof import('./pipeline-metrics.js');
    observePipeline(measuring, pipeline, config.export);
  }
  const stopRuntimeMetrics =
    meterProvider && config.metrics?.runtime
      ? (require('./runtime-metrics.js') as typeof import('./runtime-metrics.js')).startRuntimeMetrics(
          meterProvider.getMeter('forktrace', version),
        )
      : undefined;
  if (!config.disabled) setWorkerHttp({ ...userConfig.http });
  if (!config.disabled) tellActiveSpan();
  mustFlush = !config.disabled && (!pipeline.outlivesProcess || meterProvider !== undefined || endsContainer());
  const endRootSpan =
    config.rootSpan && as === 'traces' && !config.disabled
      ? (require('./root-span.js') as typeof import('./root-span.js')).openRootSpan(
          tracerProvider.getTracer('forktrace', version),
        )
      : undefined;
  let endedWith: number | undefined;
  const stopListening = listenLastToExit((code, isLast) => {
    if (code !== endedWith) endRootSpan?.(code);
    endedWith = code;
    pipeline.flushSync(code, isLast);
  });

  let stopped: Promise<boolean> | undefined;
  const stop = async (timeoutMs: number) => {
    endRootSpan?.();
    instrumentations?.stop();
    stopRuntimeMetrics?.();
    await Promise.all([pipeline.shutdown(timeoutMs), meterProvider?.shutdown().catch(() => {})]);
  };
  const letGo = () => {
    stopListening();
    logs?.stop();
    unregister();
    setWorkerHttp({});
    started = undefined;
  };
  return {
    identity,
    config,
    tracerProvider,
    tracer: tracerProvider.getTracer('forktrace', version),
    meter: config.meter ?? (config.meterProvider ?? meterProvider ?? metrics).getMeter('forktrace', version),
    stats: () => pipeline.stats(),
    async forceFlush(timeout) {
      const timeoutMs = (typeof timeout === 'object' ? timeout?.timeoutMillis : timeout) ?? DEFAULT_TIMEOUT_MS;
      const metrics = withinDeadline(Promise.resolve(meterProvider?.forceFlush()), timeoutMs);
      return (await pipeline.forceFlush(timeoutMs)) && (await metrics);
    },
    shutdown: (timeoutMs = DEFAULT_TIMEOUT_MS) => {
      stopped ??= withinDeadline(stop(timeoutMs), timeoutMs).finally(letGo);
      return stopped;
    },
  };
}

/**
 * Under the permission model, and as a single executable application, this process may not be able to start
 * another. It then ships its journal itself.
 */
function shippingHere(config: ResolvedConfig, { manager, slot }: WorkerIdentity): ResolvedConfig {
  // The coordinator of such an application cannot start a shipper either.
  const isShipped = manager === 'cluster' && slot !== undefined && !isSingleExecutable();
  if (mayStartProcesses() || isShipped) return config;
  if (config.ship === 'inline' || config.pipeline !== 'journal' || config.disabled) return config;
  const why = isSingleExecutable()
    ? 'A single executable application can start no program but itself'
    : "Node's permission model does not let this process start others (--allow-child-process is missing)";
  warn('FORKTRACE_SHIPS_INLINE', `${why}, so it ships its journal itself, as with ship: 'inline'.`);
  return { ...config, ship: 'inline' };
}

function tracedProcess(
  { serviceName, pipeline, journal }: ResolvedConfig,
  { manager, slot }: WorkerIdentity,
): TracedProcess {
  const journalDir = pipeline === 'journal' ? resolve(journal.dir) : undefined;
  return { pid: process.pid, serviceName, manager, slot, startedAtMs: performance.timeOrigin, journalDir };
}

/** Undefined when there is nothing to instrument; nothing is loaded then. */
function instrumentationsOf(config: ResolvedConfig): Instrumentations | undefined {
  const { instrumentations = 'none', outgoing } = config;
  if (instrumentations === 'none' && !outgoing && enabledAutomatically() === undefined) return undefined;
  const { prepareInstrumentations } =
    require('../instrumentation/prepare.js') as typeof import('../instrumentation/prepare.js');
  return prepareInstrumentations(config);
}

/** Undefined when logs are off; nothing is loaded then. */
function logsOf(
  { logs, exceptionSignal, pipeline: name }: ResolvedConfig,
  { journal, tracerProvider }: Pipeline,
): WorkerLogs | undefined {
  if (logs === undefined) return undefined;
  if (journal === undefined) {
    // A journal that could not be opened has been reported.
    if (name !== 'batch') return undefined;
    warn(
      'FORKTRACE_LOGS_NEED_JOURNAL',
      "Logs are on, but pipeline 'batch' has no journal for them: log records are not exported.",
    );
    return undefined;
  }
  const { startLogs } = require('../logs/start-logs.js') as typeof import('../logs/start-logs.js');
  return startLogs(logs, journal, isStderrRead(), exceptionSignal && { signal: exceptionSignal, of: tracerProvider });
}

function createPipeline(
  config: ResolvedConfig,
  identity: WorkerIdentity,
  attributes: Attributes,
  meterProvider: MeterProvider | undefined,
): Pipeline {
  if (config.disabled || config.tracerProvider) {
    const { borrowedPipeline } = require('./borrowed-pipeline.js') as typeof import('./borrowed-pipeline.js');
    return borrowedPipeline(config.tracerProvider);
  }
  const batch = () => {
    const { createBatchPipeline } = require('./batch-pipeline.js') as typeof import('./batch-pipeline.js');
    return createBatchPipeline(config, createResource(config, attributes), meterProvider);
  };
  if (config.pipeline === 'batch') return batch();
  const { createJournalPipeline } = require('./journal-pipeline.js') as typeof import('./journal-pipeline.js');
  try {
    return createJournalPipeline(config, identity, attributes);
  } catch (error) {
    if (!(error instanceof ForktraceError) || error.code !== 'FORKTRACE_JOURNAL_DIR') throw error;
    warn('FORKTRACE_JOURNAL_DIR', `${error.message} Spans are exported by this process (pipeline: 'batch') instead.`);
    return batch();
  }
}
