/**
 * One configuration out of the user's and the environment. docs/configuration.md lists every option and variable.
 *
 * Loaded in the coordinator: nothing here imports the OpenTelemetry SDK.
 *
 * @module
 */
import { availableParallelism, tmpdir } from 'node:os';
import { join, resolve as resolvePath } from 'node:path';
import { ForktraceError } from '../errors.js';
import { Environment } from './environment.js';
import { resolveExport, resolveMetrics } from './export.js';
import type {
  NamedSampler,
  PropagatorName,
  ResolvedBatch,
  ResolvedConfig,
  ResolvedJournal,
  ResolvedSpanLimits,
} from './resolved.js';
import { resolveService } from './service.js';
import type { PipelineName, TracingConfig, ViewerConfig } from './types.js';
import { validateConfig } from './validate.js';

const MAX_TIMEOUT_MS = 2_147_483_647;

/**
 * User config and environment, validated, defaulted and frozen. Config beats environment.
 *
 * @throws ForktraceError with code FORKTRACE_CONFIG_INVALID or FORKTRACE_ENV_INVALID, which names what is wrong
 */
export function resolveConfig(config: TracingConfig, env: NodeJS.ProcessEnv): ResolvedConfig {
  validateConfig(config);
  const environment = new Environment(env);
  const environmentResource = environment.pairs('OTEL_RESOURCE_ATTRIBUTES');
  const service = resolveService(config, environment, environmentResource);
  const exported = resolveExport(config, environment, env.NODE_ENV === 'production');
  return Object.freeze<ResolvedConfig>({
    // All variables are read, whether or not config beats them: a wrong one is an error in any case.
    ...over(
      {
        disabled: environment.boolean('OTEL_SDK_DISABLED') ?? false,
        workers: resolveWorkers(environment),
        ship: environment.oneOf('FORKTRACE_SHIP', ['process', 'inline']) ?? 'process',
        outgoing: environment.boolean('FORKTRACE_OUTGOING') ?? false,
      },
      config,
    ),
    serviceName: service.name,
    serviceVersion: service.version,
    resource: config.resource,
    environmentResource: Object.freeze(environmentResource),
    listen: resolveListen(config, environment),
    pipeline: resolvePipeline(config, environment),
    export: exported,
    exporter: config.exporter,
    journal: resolveJournal(config, environment, service.name),
    sampler: resolveSampler(config, environment),
    spanLimits: resolveSpanLimits(config, environment),
    batch: resolveBatch(environment),
    idGenerator: config.idGenerator,
    propagators: resolvePropagators(config, environment),
    spanProcessors: config.spanProcessors,
    tracerProvider: config.tracerProvider,
    meterProvider: config.meterProvider,
    meter: config.meter,
    metrics: resolveMetrics(config, environment, exported),
    instrumentations: config.instrumentations,
    http: Object.freeze({ ...config.http }),
    hooks: Object.freeze(over({ ...config.hooks, timeoutMs: 5000 }, config.hooks)),
    supervise: resolveSupervise(config, environment),
    viewer: resolveViewer(config, environment, exported.to === 'viewer'),
    logLevel: environment.oneOf('OTEL_LOG_LEVEL', ['none', 'error', 'warn', 'info', 'debug', 'verbose', 'all']),
  });
}

/** `defaults`, with the value of each of its names that `given` has set. */
function over<Defaults extends object>(defaults: Defaults, given: object | undefined): Defaults {
  const names = Object.keys(defaults) as (keyof Defaults)[];
  return Object.fromEntries(names.map((name) => [name, (given as Defaults)?.[name] ?? defaults[name]])) as Defaults;
}

function resolveWorkers(environment: Environment): number {
  const own = environment.whole('FORKTRACE_WORKERS', 1, 1024);
  return own ?? environment.whole('WEB_CONCURRENCY', 1, 1024) ?? availableParallelism();
}

function resolveListen({ listen }: TracingConfig, environment: Environment): ResolvedConfig['listen'] {
  const port = environment.whole('PORT', 0, 65_535) ?? 3000;
  if (typeof listen !== 'object') return Object.freeze({ port: listen ?? port });
  const placed = listen.port !== undefined || listen.path !== undefined;
  return Object.freeze(placed ? { ...listen } : { ...listen, port });
}

function resolvePipeline(config: TracingConfig, environment: Environment): PipelineName {
  const named = environment.oneOf('FORKTRACE_PIPELINE', ['journal', 'batch']);
  if (config.exporter && config.pipeline === 'journal') {
    const expected = "'batch' with an exporter of your own: the journal is shipped by another process";
    throw new ForktraceError('FORKTRACE_CONFIG_INVALID', ['pipeline', "'journal'", expected]);
  }
  return config.pipeline ?? (config.exporter ? 'batch' : (named ?? 'journal'));
}

function resolveJournal({ journal }: TracingConfig, environment: Environment, serviceName: string): ResolvedJournal {
  const { dir, ...rest } = over(
    {
      dir: environment.text('FORKTRACE_JOURNAL_DIR') ?? join(tmpdir(), `forktrace-${process.getuid?.() ?? 'user'}`),
      maxBytes: environment.whole('FORKTRACE_JOURNAL_MAX_BYTES', 65_536) ?? 268_435_456,
      mode: environment.oneOf('FORKTRACE_JOURNAL_MODE', ['auto', 'mmap', 'write']) ?? 'auto',
      segmentBytes: 1_048_576,
      inFlight: 1024,
    },
    journal,
  );
  if (rest.maxBytes < rest.segmentBytes) {
    const expected = `at least one segment, ${rest.segmentBytes} (journal.segmentBytes)`;
    if (journal?.maxBytes === undefined && environment.text('FORKTRACE_JOURNAL_MAX_BYTES') !== undefined) {
      throw new ForktraceError('FORKTRACE_ENV_INVALID', [
        'FORKTRACE_JOURNAL_MAX_BYTES',
        String(rest.maxBytes),
        expected,
      ]);
    }
    throw new ForktraceError('FORKTRACE_CONFIG_INVALID', ['journal.maxBytes', String(rest.maxBytes), expected]);
  }
  return Object.freeze({ ...rest, dir: join(resolvePath(dir), directoryName(serviceName)) });
}

/** A service's name as one path segment: `@shop/cart` must not become two, and `..` must not leave the directory. */
function directoryName(serviceName: string): string {
  return serviceName
    .replace(/[^\w.-]/g, '_')
    .replace(/^\.+/, '_')
    .slice(0, 100);
}

function resolveSampler({ sampler }: TracingConfig, environment: Environment): ResolvedConfig['sampler'] {
  const name: NamedSampler['name'] =
    environment.oneOf('OTEL_TRACES_SAMPLER', [
      'always_on',
      'always_off',
      'traceidratio',
      'parentbased_always_on',
      'parentbased_always_off',
      'parentbased_traceidratio',
    ]) ?? 'parentbased_always_on';
  const ratio = name.endsWith('traceidratio') ? (environment.ratio('OTEL_TRACES_SAMPLER_ARG') ?? 1) : 1;
  return sampler ?? Object.freeze({ name, ratio });
}

function resolvePropagators({ propagators }: TracingConfig, environment: Environment): ResolvedConfig['propagators'] {
  const named = environment.list('OTEL_PROPAGATORS', ['tracecontext', 'baggage', 'b3', 'b3multi', 'jaeger', 'none']);
  const fallback = (named ?? ['tracecontext', 'baggage']).filter((name): name is PropagatorName => name !== 'none');
  if (named?.includes('none') && fallback.length > 0) {
    throw new ForktraceError('FORKTRACE_ENV_INVALID', ['OTEL_PROPAGATORS', `none and ${fallback}`, 'none by itself']);
  }
  return Object.freeze(propagators ? [...propagators] : fallback);
}

function resolveSpanLimits({ spanLimits }: TracingConfig, environment: Environment): ResolvedSpanLimits {
  // The general limit is for what has no limit of its own: OpenTelemetry specification, "Attribute Limits".
  const generalLength = environment.whole('OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT', 0);
  const generalCount = environment.whole('OTEL_ATTRIBUTE_COUNT_LIMIT', 0);
  return Object.freeze(
    over(
      {
        attributeValueLengthLimit:
          environment.whole('OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT', 0) ?? generalLength ?? Number.POSITIVE_INFINITY,
        attributeCountLimit: environment.whole('OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT', 0) ?? generalCount ?? 128,
        linkCountLimit: environment.whole('OTEL_SPAN_LINK_COUNT_LIMIT', 0) ?? 128,
        eventCountLimit: environment.whole('OTEL_SPAN_EVENT_COUNT_LIMIT', 0) ?? 128,
        attributePerEventCountLimit: environment.whole('OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT', 0) ?? 128,
        attributePerLinkCountLimit: environment.whole('OTEL_LINK_ATTRIBUTE_COUNT_LIMIT', 0) ?? 128,
      },
      spanLimits,
    ),
  );
}

function resolveBatch(environment: Environment): ResolvedBatch {
  const maxQueueSize = environment.whole('OTEL_BSP_MAX_QUEUE_SIZE', 1) ?? 2048;
  return Object.freeze({
    maxQueueSize,
    maxExportBatchSize:
      environment.whole('OTEL_BSP_MAX_EXPORT_BATCH_SIZE', 1, maxQueueSize) ?? Math.min(512, maxQueueSize),
    scheduledDelayMillis: environment.whole('OTEL_BSP_SCHEDULE_DELAY', 0, MAX_TIMEOUT_MS) ?? 5000,
    exportTimeoutMillis: environment.whole('OTEL_BSP_EXPORT_TIMEOUT', 1, MAX_TIMEOUT_MS) ?? 30_000,
  });
}

function resolveSupervise(config: TracingConfig, environment: Environment): ResolvedConfig['supervise'] {
  const workers = config.workers ?? resolveWorkers(environment);
  const supervise = over(
    {
      shutdownTimeoutMs: environment.whole('FORKTRACE_SHUTDOWN_TIMEOUT', 1, MAX_TIMEOUT_MS) ?? 10_000,
      readyTimeoutMs: environment.whole('FORKTRACE_READY_TIMEOUT', 1, MAX_TIMEOUT_MS) ?? 30_000,
      backoffMinMs: 100,
      backoffMaxMs: 10_000,
      breakerDeaths: 5 * workers,
      breakerWindowMs: 30_000,
      breakerOpenMs: 30_000,
      heartbeatTimeoutMs: environment.whole('FORKTRACE_HEARTBEAT_TIMEOUT', 0, MAX_TIMEOUT_MS) ?? 10_000,
      maxRequests: environment.whole('FORKTRACE_MAX_REQUESTS', 0) ?? 0,
      maxMemory: environment.whole('FORKTRACE_MAX_MEMORY', 0) ?? 0,
      reloadOnSighup: true,
    },
    config.supervise,
  );
  if (supervise.backoffMaxMs < supervise.backoffMinMs) {
    const expected = `at least supervise.backoffMinMs, ${supervise.backoffMinMs}`;
    throw new ForktraceError('FORKTRACE_CONFIG_INVALID', [
      'supervise.backoffMaxMs',
      String(supervise.backoffMaxMs),
      expected,
    ]);
  }
  return Object.freeze(supervise);
}

function resolveViewer(
  { viewer }: TracingConfig,
  environment: Environment,
  isDestination: boolean,
): ResolvedConfig['viewer'] {
  const ports: Required<ViewerConfig> = {
    httpPort: environment.whole('FORKTRACE_VIEWER_HTTP_PORT', 0, 65_535) ?? 4318,
    grpcPort: environment.whole('FORKTRACE_VIEWER_GRPC_PORT', 0, 65_535) ?? 4317,
  };
  const wanted = viewer ?? environment.boolean('FORKTRACE_VIEWER') ?? false;
  if (!wanted && !isDestination) return undefined;
  return Object.freeze(over(ports, typeof viewer === 'object' ? viewer : undefined));
}
