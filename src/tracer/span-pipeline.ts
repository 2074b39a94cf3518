import type { ResolvedSpanLimits } from '../config/resolved.js';
import type { SpanLog } from '../journal/span-log.js';
import type { IdGenerator, ReadableSpan, Sampler, SpanProcessor } from '../sdk/types.js';

/** What all tracers and spans of a provider share. */
export interface SpanPipeline {
  readonly resource: ReadableSpan['resource'];
  readonly limits: ResolvedSpanLimits;
  /** undefined: parent-based, always on at the root, decided without a call. */
  readonly sampler: Sampler | undefined;
  /** undefined: random ids from the pool. */
  readonly idGenerator: IdGenerator | undefined;
  /** undefined when there are none, which is then one check per span. */
  readonly processors: readonly SpanProcessor[] | undefined;
  readonly spanLog: SpanLog | undefined;
}
