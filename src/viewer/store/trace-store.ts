import { decode } from '../../wire/decode.js';
import { Scope } from '../../wire/otlp.js';
import { Interned } from './interned.js';
import { type ProcessResource, processResource } from './process-resource.js';
import { scanSpans } from './scan-spans.js';
import { type StoredScope, type StoredSpan, Trace } from './trace.js';

/** What the store may hold; the oldest trace goes first. */
export interface StoreLimits {
  /** Bytes of spans and their bookkeeping. @default 134217728 (128 MiB) */
  maxBytes: number;
  /** @default 250000 */
  maxSpans: number;
  /** @default 50000 */
  maxTraces: number;
  /** Spans of one trace; more are dropped. @default 50000 */
  maxSpansPerTrace: number;
}

export const DEFAULT_LIMITS: StoreLimits = {
  maxBytes: 128 * 1024 * 1024,
  maxSpans: 250_000,
  maxTraces: 50_000,
  maxSpansPerTrace: 50_000,
};

/** Measured on Node 20: heap of a stored span beside its own OTLP bytes, and of a trace beside its spans. */
const SPAN_OVERHEAD_BYTES = 640;
const TRACE_OVERHEAD_BYTES = 560;

/** Service names that the filter offers. */
const MAX_SERVICES = 200;

/** Counters since the viewer started. */
export interface StoreCounters {
  received: number;
  /** The same span again: exporters deliver at least once. */
  duplicates: number;
  /** Pushed out by newer traces. */
  evictedSpans: number;
  evictedTraces: number;
  /** Beyond `maxSpansPerTrace`. */
  overflow: number;
}

/** Traces in memory, bounded in bytes, spans and traces. */
export class TraceStore {
  /** Oldest first, by their first span to arrive. */
  readonly traces = new Map<string, Trace>();
  readonly limits: StoreLimits;
  readonly counters: StoreCounters = { received: 0, duplicates: 0, evictedSpans: 0, evictedTraces: 0, overflow: 0 };
  spanCount = 0;
  byteCount = 0;
  /** Grows with every change. */
  version = 0;
  /** Names seen so far, for the filter. */
  readonly #services = new Set<string>();
  readonly #listeners: ((span: StoredSpan, trace: Trace) => void)[] = [];
  readonly #resources = new Interned<ProcessResource>(processResource, 4096);
  readonly #scopes = new Interned<StoredScope>((bytes) => ({ bytes, scope: decode(bytes, Scope) }), 4096);

  constructor(limits: Partial<StoreLimits> = {}) {
    this.limits = { ...DEFAULT_LIMITS, ...limits };
  }

  /** Has `listener` called with each span that is new. */
  onSpan(listener: (span: StoredSpan, trace: Trace) => void): void {
    this.#listeners.push(listener);
  }

  get services(): string[] {
    return [...this.#services].sort();
  }

  /**
   * Takes an `ExportTraceServiceRequest`: all of it or, when it is malformed, nothing.
   *
   * @returns how many spans it had
   * @throws MalformedProtobuf
   */
  ingest(request: Buffer): number {
    const spans: { traceId: string; span: StoredSpan }[] = [];
    scanSpans(request, (scanned, message, resource, scope) => {
      spans.push({
        traceId: scanned.traceId,
        // Written out: a spread here takes a third of the whole time.
        span: {
          spanId: scanned.spanId,
          parentSpanId: scanned.parentSpanId,
          name: scanned.name,
          kind: scanned.kind,
          startMs: scanned.startMs,
          endMs: scanned.endMs,
          error: scanned.error,
          interrupted: scanned.interrupted,
          method: scanned.method,
          route: scanned.route,
          path: scanned.path,
          httpStatus: scanned.httpStatus,
          eventCount: scanned.eventCount,
          bytes: Buffer.from(message.bytes.subarray(message.from, message.to)),
          resource: this.#resources.get(resource.bytes, resource.from, resource.to),
          scope: this.#scopes.get(scope.bytes, scope.from, scope.to),
        },
      });
    });
    for (const { traceId, span } of spans) this.#add(traceId, span);
    this.#evict();
    if (spans.length > 0) this.version++;
    return spans.length;
  }

  #add(traceId: string, span: StoredSpan): void {
    this.counters.received++;
    let trace = this.traces.get(traceId);
    if (trace === undefined) {
      trace = new Trace(traceId);
      trace.bytes = TRACE_OVERHEAD_BYTES;
      this.byteCount += TRACE_OVERHEAD_BYTES;
      this.traces.set(traceId, trace);
    }
    const known = trace.spans.get(span.spanId);
    if (known !== undefined) {
      this.counters.duplicates++;
      // A span that has ended after all says more than one that was taken for interrupted.
      if (!known.interrupted || span.interrupted) return;
      this.#forget(trace, known);
    } else if (trace.spans.size >= this.limits.maxSpansPerTrace) {
      this.counters.overflow++;
      return;
    }
    const size = span.bytes.length + SPAN_OVERHEAD_BYTES;
    trace.add(span);
    trace.bytes += size;
    this.byteCount += size;
    this.spanCount++;
    if (this.#services.size < MAX_SERVICES) this.#services.add(span.resource.service);
    for (const listener of this.#listeners) listener(span, trace);
  }

  #forget(trace: Trace, span: StoredSpan): void {
    const size = span.bytes.length + SPAN_OVERHEAD_BYTES;
    trace.remove(span);
    trace.bytes -= size;
    this.byteCount -= size;
    this.spanCount--;
  }

  #evict(): void {
    const { maxBytes, maxSpans, maxTraces } = this.limits;
    if (this.byteCount <= maxBytes && this.spanCount <= maxSpans && this.traces.size <= maxTraces) return;
    for (const [id, trace] of this.traces) {
      if (this.byteCount <= maxBytes && this.spanCount <= maxSpans && this.traces.size <= maxTraces) return;
      this.traces.delete(id);
      this.byteCount -= trace.bytes;
      this.spanCount -= trace.spans.size;
      this.counters.evictedSpans += trace.spans.size;
      this.counters.evictedTraces++;
    }
  }
}
