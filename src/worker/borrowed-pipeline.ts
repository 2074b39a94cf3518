import { ProxyTracerProvider, type TracerProvider } from '@opentelemetry/api';
import { withinDeadline } from '../process/deadline.js';
import type { Pipeline } from './pipeline.js';

/** The methods of an SDK's provider that the API does not have. */
interface Flushable {
  forceFlush?(options?: { timeoutMillis?: number }): Promise<unknown>;
}

/**
 * A tracer provider that the user has built and will shut down. It is only flushed. Without one (tracing is
 * disabled) the provider records nothing.
 */
export function borrowedPipeline(provider: (TracerProvider & Flushable) | undefined): Pipeline {
  const tracerProvider: TracerProvider & Flushable = provider ?? new ProxyTracerProvider();
  const forceFlush = async (timeoutMillis?: number) => {
    try {
      // A provider reports a failure by rejecting, as the SDK's do, or with false.
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
