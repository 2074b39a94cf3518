import type { MeterProvider } from '@opentelemetry/api';
import type { ResolvedConfig } from '../config/resolved.js';
import { withinDeadline } from '../process/deadline.js';
import { BatchSpanProcessor, NodeTracerProvider } from '../sdk/trace.js';
import type { Resource } from '../sdk/types.js';
import { completeChain } from '../tracer/processor-chain.js';
import { createExporter } from './exporter.js';
import type { Pipeline } from './pipeline.js';
import { createSampler } from './sampler.js';
import { TrackedExporter } from './tracked-exporter.js';

/**
 * OpenTelemetry's own pipeline: NodeTracerProvider, BatchSpanProcessor and any SpanExporter, all created in
 * the worker.
 *
 * @param meterProvider for the SDK's own metrics, `otel.sdk.*`
 */
export function createBatchPipeline(
  config: ResolvedConfig,
  resource: Resource,
  meterProvider: MeterProvider | undefined,
): Pipeline {
  const exporter = createExporter(config, meterProvider);
  const tracked = exporter && new TrackedExporter(exporter);
  // The SDK's types do not have the option yet.
  const options: object = { ...config.batch, selfObsMeterProvider: meterProvider };
  const batching = tracked && new BatchSpanProcessor(tracked, options);
  const chain = completeChain(config.spanProcessors, batching);
  const spanProcessors = chain.length > 0 || batching === undefined ? [...chain] : [batching];
  const tracerProvider = new NodeTracerProvider({
    resource,
    spanProcessors,
    sampler: createSampler(config.sampler),
    spanLimits: config.spanLimits,
    idGenerator: config.idGenerator,
    meterProvider,
  });
  return {
    tracerProvider,
    outlivesProcess: false,
    stats: () => ({ spansJournaled: tracked?.exported ?? 0, spansLost: tracked?.lost.total ?? 0 }),
    async forceFlush(timeoutMs) {
      const lost = tracked?.lost.total ?? 0;
      const flush = async () => {
        await tracerProvider.forceFlush().catch(reported);
        await tracked?.idle();
      };
      return (await withinDeadline(flush(), timeoutMs)) && (tracked?.lost.total ?? 0) === lost;
    },
    async shutdown() {
      await tracerProvider.shutdown().catch(reported);
    },
    flushSync() {
      // Does nothing: an export is a network call, and an exiting process makes none. Only `pipeline:
      // 'journal'` keeps these spans.
    },
  };
}

/** The tracked exporter has counted and reported what was lost. */
function reported(): void {}
