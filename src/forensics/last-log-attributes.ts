import type { Attributes } from '@opentelemetry/api';
import {
  LAST_LOG_ATTRIBUTES,
  LAST_LOG_BODY,
  LAST_LOG_SEVERITY,
  LAST_LOG_SPAN_ID,
  LAST_LOG_TRACE_ID,
} from '../wire/conventions.js';
import { levelOf } from '../wire/level.js';
import type { LogInBrief } from './in-brief.js';

/** The attributes of a log record as an event of the span `worker.exit`. */
export function lastLogAttributes({ severity, body, attributes, traceId, spanId }: LogInBrief): Attributes {
  return {
    [LAST_LOG_BODY]: body,
    ...(severity > 0 && { [LAST_LOG_SEVERITY]: levelOf(severity) }),
    ...(attributes !== '' && { [LAST_LOG_ATTRIBUTES]: attributes }),
    ...(traceId !== '' && { [LAST_LOG_TRACE_ID]: traceId, [LAST_LOG_SPAN_ID]: spanId }),
  };
}
