import { ProxyTracerProvider, type TracerProvider } from '@opentelemetry/api';
import type { Pipeline } from './pipeline.js';

/** The parts of an SDK's provider that the API does not have. */
interface Flushable {
  forceFlush?(): Promise<void>;
}

/**
 * A tracer provider that the user built and will shut down: we flush it and no more. Without one (tracing is disabled),
 * a provider that records nothing.
 */
export function borrowedPipeline(provider: (TracerProvider & Flushable) | undefined): Pipeline {
  const tracerProvider: TracerProvider & Flushable = provider ?? new ProxyTracerProvider();
  const forceFlush = async () => {
    // A user's provider may reject; what it lost is its own to report.
    await tracerProvider.forceFlush?.().catch(() => {});
  };
  return {
    tracerProvider,
    writerId: undefined,
    stats: () => ({ spansJournaled: 0, spansLost: 0 }),
    forceFlush,
    shutdown: forceFlush,
    flushSync() {},
  };
}
