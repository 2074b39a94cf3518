import { context, isSpanContextValid, trace } from '@opentelemetry/api';

/** The active span, by the field names that OpenTelemetry gives logs outside OTLP. */
export interface TraceFields {
  /** 32 hex digits. */
  trace_id: string;
  /** 16 hex digits. */
  span_id: string;
  /** Two hex digits; `01` is sampled. */
  trace_flags: string;
}

/**
 * Fields for a log line; none when no span is active. (OpenTelemetry specification, "Trace Context in
 * non-OTLP Log Formats")
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
