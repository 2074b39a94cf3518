import { trace } from '@opentelemetry/api';
import { activeRequest } from '../http/active-request.js';
import { requestThatThrew } from '../http/thrown-errors.js';
import type { ActiveSpan } from '../process/active-span.js';

/**
 * The span that is active where the calling code is; undefined where there is none, or it is not recorded.
 *
 * @param error that nobody has caught: where it left a request's handler, no span is active any more, and it
 * is that request's
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
