import { type SpanContext, TraceFlags } from '@opentelemetry/api';

/** W3C Trace Context Level 2, section 3.2.2.5, "Random Trace ID Flag". */
const RANDOM_TRACE_ID = 0x02;

/**
 * The flags of a span. Whoever continues a trace passes on what its first span said of the trace id (W3C
 * Trace Context Level 2, "Random Trace ID Flag"); all other flags of the caller's but the sampled one are
 * unknown, and an unknown flag is set to zero.
 *
 * @param parent of the same trace
 */
export function flagsOf(isSampled: boolean, parent: SpanContext | undefined): number {
  const inherited = parent === undefined ? 0 : parent.traceFlags & RANDOM_TRACE_ID;
  return isSampled ? TraceFlags.SAMPLED | inherited : inherited;
}

/** Whether a span with these flags is exported. */
export function isSampled(traceFlags: number): boolean {
  return (traceFlags & TraceFlags.SAMPLED) !== 0;
}
