import type { ResolvedSpanLimits } from '../config/resolved.js';
import type { Scope } from '../journal/encoder.js';
import type { SpanLog } from '../journal/span-log.js';
import type { IdGenerator, ReadableSpan, Sampler, SpanProcessor } from '../sdk/types.js';
import type { Memory } from '../wire/memory.js';
import type { ExceptionLog } from './exception-log.js';
import type { JournalProcessor } from './journal-processor.js';
import type { SpanCounts } from './span-counts.js';

/** What all tracers and spans of a provider share. */
export interface SpanPipeline {
  readonly resource: ReadableSpan['resource'];
  readonly limits: ResolvedSpanLimits;
  /** A string of so many UTF-16 units is kept whole. */
  readonly uncutLength: number;
  /** undefined: parent-based, always on at the root, decided without a call. */
  readonly sampler: Sampler | undefined;
  /** undefined: random ids from the pool. */
  readonly idGenerator: IdGenerator | undefined;
  /** undefined when there are none: spans then go to {@link spanLog} and nobody else sees them. */
  readonly processors: readonly SpanProcessor[] | undefined;
  /** The one among {@link processors} that writes to {@link spanLog}. */
  readonly journalProcessor: JournalProcessor | undefined;
  readonly spanLog: SpanLog | undefined;
  readonly counts: SpanCounts;
  /** undefined: exceptions are events of their spans, and nothing else. */
  exceptions: ExceptionLog | undefined;
}

/** What a span knows of the tracer that started it. */
export interface TracerScope {
  readonly pipeline: SpanPipeline;
  readonly instrumentationScope: Scope;
  /** What a ScopeSpans message of this tracer begins with. */
  readonly scopeFields: Memory;
}

/**
 * Fields of a span that are the tracer's and not data of the span. Symbols, because `JSON.stringify` and
 * `structuredClone` leave them out, where spread and `Object.assign` copy them.
 */
export const SCOPE: unique symbol = Symbol('forktrace.scope');
export const ANCHOR: unique symbol = Symbol('forktrace.anchor');
