import { ProxyTracerProvider, type TracerProvider } from '@opentelemetry/api';
import { withinDeadline } from '../process/deadline.js';
import type { Pipeline } from './pipeline.js';

/** The parts of an SDK's provider that the API does not have. */
interface Flushable {
  forceFlush?(options?: { timeoutMillis?: number }): Promise<unknown>;
}

/**
 * A tracer provider that the user built and will shut down: we flush it and no more. Without one (tracing is
 * disabled), a provider that records nothing.
 */
export function borrowedPipeline(provider: (TracerProvider & Flushable) | undefined): Pipeline {
  const tracerProvider: TracerProvider & Flushable = provider ?? new ProxyTracerProvider();
  const forceFlush = async (timeoutMillis?: number) => {
    try {
      // A provider may say no by rejecting, as the SDK's do, or by false.
      return (await tracerProvider.forceFlush?.(timeoutMillis === undefined ? undefined : { timeoutMillis })) !== false;
    } catch {
      return false;
    }
  };
  return {
    tracerProvider,
    outlivesProcess: false,
    stats: () => ({ spansJournaled: 0, spansLost: 0 }),
    forceFlush: async (timeoutMs) => {
      let isFlushed = false;
      const flush = async () => {
        isFlushed = await forceFlush(timeoutMs);
      };
      return (await withinDeadline(flush(), timeoutMs)) && isFlushed;
    },
    async shutdown() {
      await forceFlush();
    },
    flushSync() {},
  };
}
