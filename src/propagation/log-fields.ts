import { context, isSpanContextValid, trace } from '@opentelemetry/api';

/** The active span, with the field names that OpenTelemetry uses for logs outside OTLP. */
export interface TraceFields {
  /** 32 hex digits. */
  trace_id: string;
  /** 16 hex digits. */
  span_id: string;
  /** Two hex digits; `01` is sampled. */
  trace_flags: string;
}

/**
 * The ids of the active span as fields for a log line; an empty object when no span is active. The names
 * follow the OpenTelemetry specification, "Trace Context in non-OTLP Log Formats".
 *
 * @example
 * const logger = pino({ mixin: traceFields });
 */
export function traceFields(): TraceFields | Record<string, never> {
  const span = trace.getSpanContext(context.active());
  if (span === undefined || !isSpanContextValid(span)) return {};
  return {
    trace_id: span.traceId,
    span_id: span.spanId,
    trace_flags: span.traceFlags.toString(16).padStart(2, '0'),
  };
}
