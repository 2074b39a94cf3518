import { type TextOptions, type TextSpan, traceText } from '../text.js';
import type { ProcessResource } from './process-resource.js';
import type { Trace } from './trace.js';

/** A stored trace for terminals. */
export function storedTraceText(trace: Trace, options?: TextOptions): string {
  const spans: TextSpan[] = [];
  for (const span of trace.spans.values()) {
    const { spanId, parentSpanId, name, startMs, endMs, error, interrupted, httpStatus } = span;
    const process = processLabel(span.resource);
    spans.push({
      traceId: trace.id,
      spanId,
      parentSpanId,
      name,
      startMs,
      endMs,
      error,
      interrupted,
      process,
      httpStatus,
    });
  }
  return traceText(spans, options);
}

/** `shop · slot 1 · pid 4242`: who served it, as short as it is unmistakable. */
export function processLabel({ service, slot, pid }: ProcessResource): string {
  return [service, slot === undefined ? '' : `slot ${slot}`, pid === undefined ? '' : `pid ${pid}`]
    .filter(Boolean)
    .join(' · ');
}
