import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ResolvedConfig } from './resolved.js';
import type { TracingConfig } from './types.js';

/** User config and environment, validated and defaulted. Config beats environment. */
export function resolveConfig(config: TracingConfig, env: NodeJS.ProcessEnv): ResolvedConfig {
  const serviceName = config.serviceName ?? env.OTEL_SERVICE_NAME ?? 'unknown_service:node';
  const to = config.export?.to ?? (env.NODE_ENV === 'production' ? 'otlp-grpc' : 'viewer');
  return Object.freeze<ResolvedConfig>({
    disabled: config.disabled ?? env.OTEL_SDK_DISABLED === 'true',
    serviceName,
    serviceVersion: config.serviceVersion,
    resource: config.resource,
    environmentResource: {},
    workers: config.workers ?? Number(env.WEB_CONCURRENCY ?? availableParallelism()),
    listen: typeof config.listen === 'object' ? config.listen : { port: config.listen ?? Number(env.PORT ?? 3000) },
    pipeline: config.pipeline ?? (config.exporter ? 'batch' : 'journal'),
    export: {
      to,
      url: config.export?.url ?? env.OTEL_EXPORTER_OTLP_ENDPOINT,
      headers: config.export?.headers ?? {},
      compression: config.export?.compression ?? 'none',
      timeoutMs: config.export?.timeoutMs ?? 10_000,
      tls: config.export?.tls ?? {},
    },
    exporter: config.exporter,
    journal: {
      dir: join(config.journal?.dir ?? join(tmpdir(), `forktrace-${process.getuid?.() ?? 'user'}`), serviceName),
      maxBytes: config.journal?.maxBytes ?? 268_435_456,
      mode: config.journal?.mode ?? 'auto',
      segmentBytes: config.journal?.segmentBytes ?? 4_194_304,
      inFlight: config.journal?.inFlight ?? 1024,
    },
    ship: config.ship ?? 'process',
    sampler: config.sampler ?? { name: 'parentbased_always_on', ratio: 1 },
    spanLimits: {
      attributeValueLengthLimit: Number.POSITIVE_INFINITY,
      attributeCountLimit: 128,
      linkCountLimit: 128,
      eventCountLimit: 128,
      attributePerEventCountLimit: 128,
      attributePerLinkCountLimit: 128,
      ...config.spanLimits,
    },
    batch: { maxQueueSize: 2048, maxExportBatchSize: 512, scheduledDelayMillis: 5000, exportTimeoutMillis: 30_000 },
    idGenerator: config.idGenerator,
    propagators: config.propagators ?? ['tracecontext', 'baggage'],
    spanProcessors: config.spanProcessors,
    tracerProvider: config.tracerProvider,
    meterProvider: config.meterProvider,
    meter: config.meter,
    metrics: undefined,
    instrumentations: config.instrumentations,
    outgoing: config.outgoing ?? false,
    http: config.http ?? {},
    hooks: { timeoutMs: 5000, ...config.hooks },
    supervise: {
      shutdownTimeoutMs: 10_000,
      readyTimeoutMs: 30_000,
      backoffMinMs: 100,
      backoffMaxMs: 10_000,
      breakerDeaths: 5,
      breakerWindowMs: 30_000,
      breakerOpenMs: 30_000,
      heartbeatTimeoutMs: 10_000,
      maxRequests: 0,
      maxMemory: 0,
      reloadOnSighup: true,
      ...config.supervise,
    },
    viewer: undefined,
  });
}
