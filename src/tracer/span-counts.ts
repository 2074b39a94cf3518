/** `otel.span.parent.origin` of the semantic conventions, in the order of {@link SpanCounts.started}. */
export const PARENT_ORIGINS = ['none', 'local', 'remote'] as const;
/** `otel.span.sampling_result`, in the order of the SDK's SamplingDecision. */
export const SAMPLING_RESULTS = ['DROP', 'RECORD_ONLY', 'RECORD_AND_SAMPLE'] as const;

const NONE = 0;
const LOCAL = 1;
const REMOTE = 2;

/**
 * What a provider's tracers have started and ended: for the SDK's own metrics, which are read once in an
 * export interval. Numbers that are counted up cost a span about a nanosecond; the SDK calls a counter with
 * attributes, whether there is a meter or not.
 */
export class SpanCounts {
  /** By the index of the parent's origin × 3 + the sampling decision. */
  readonly started = new Float64Array(PARENT_ORIGINS.length * SAMPLING_RESULTS.length);
  /** By the sampling decision; of those that are not recorded nobody knows. */
  readonly ended = new Float64Array(SAMPLING_RESULTS.length);

  root(decision: number): void {
    this.started[NONE * 3 + decision]!++;
  }

  child(decision: number, isRemote: boolean): void {
    this.started[(isRemote ? REMOTE : LOCAL) * 3 + decision]!++;
  }
}
