import { trace } from '@opentelemetry/api';
import { activeRequest } from '../http/active-request.js';
import { requestThatThrew } from '../http/thrown-errors.js';
import type { ActiveSpan } from '../process/active-span.js';

/**
 * The active span of the calling code; undefined when there is none, or it is not recorded.
 *
 * @param error an uncaught error: once it has left a request's handler no span is active any more, and the
 * span of that request is returned
 */
export function activeSpan(error?: unknown): ActiveSpan | undefined {
  const request = activeRequest() ?? requestThatThrew(error);
  const span = trace.getActiveSpan() ?? request?.span;
  if (span === undefined) return undefined;
  const { traceId, spanId, traceFlags } = span.spanContext();
  if ((traceFlags & 1) === 0) return undefined;
  const { name } = span as { name?: unknown };
  return {
    traceId,
    spanId,
    rootSpanId: request?.span.spanContext().spanId,
    name: typeof name === 'string' ? name : undefined,
  };
}
