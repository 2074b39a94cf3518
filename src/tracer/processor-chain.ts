import type { SpanProcessorParts } from '../config/types.js';
import type { SpanProcessor } from '../sdk/types.js';

/** What {@link TracingConfig} takes as `spanProcessors`. */
export type SpanProcessorsFactory = (parts: SpanProcessorParts) => readonly SpanProcessor[];

/**
 * The user's span processors, then `last`, which hands spans on to journal or exporter; `last` is not added
 * where they have asked for it, and so have put it among theirs.
 *
 * @returns empty where the user has none
 */
export function completeChain(
  given: SpanProcessorsFactory | undefined,
  last: SpanProcessor | undefined,
): readonly SpanProcessor[] {
  let isPlaced = false;
  const parts: SpanProcessorParts = {
    get pipeline() {
      isPlaced = true;
      return last ?? NO_PROCESSOR;
    },
  };
  const processors = given?.(parts) ?? [];
  if (isPlaced || processors.length === 0 || last === undefined) return processors;
  return [...processors, last];
}

const NO_PROCESSOR: SpanProcessor = {
  onStart() {},
  onEnd() {},
  async forceFlush() {},
  async shutdown() {},
};
