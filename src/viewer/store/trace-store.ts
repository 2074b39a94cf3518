import { decode } from '../../wire/decode.js';
import { Scope } from '../../wire/otlp.js';
import { Interned } from './interned.js';
import { type ProcessResource, processResource } from './process-resource.js';
import { scanSpans } from './scan-spans.js';
import { SlowestShare } from './slowest-share.js';
import { type StoredScope, type StoredSpan, Trace } from './trace.js';

/** What the store may hold. */
export interface StoreLimits {
  /** Bytes of spans and their bookkeeping. @default 67108864 (64 MiB) */
  maxBytes: number;
  /** @default 250000 */
  maxSpans: number;
  /** @default 50000 */
  maxTraces: number;
  /** Spans of one trace; more are dropped. @default 50000 */
  maxSpansPerTrace: number;
}

export const DEFAULT_LIMITS: StoreLimits = {
  maxBytes: 64 * 1024 * 1024,
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

/**
 * Traces in memory, bounded in bytes, spans and traces. When it is full the oldest goes first, but traces
 * with an error, an interrupted span or an unusual duration go last.
 */
export class TraceStore {
  /** Oldest first, by their first span to arrive. */
  readonly traces = new Map<string, Trace>();
  readonly limits: StoreLimits;
  readonly counters: StoreCounters = { received: 0, duplicates: 0, evictedSpans: 0, evictedTraces: 0, overflow: 0 };
  spanCount = 0;
  byteCount = 0;
  /** Of the trace that came last. */
  lastSequence = 0;
  /** Grows with every change. */
  version = 0;
  /** Together all of `traces`, each by arrival. */
  /** There have been traces before those that are held. */
  #incomplete = false;
  readonly #ordinary = new Set<Trace>();
  readonly #notable = new Set<Trace>();
  readonly #durations = new SlowestShare();
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
      trace = new Trace(traceId, ++this.lastSequence);
      trace.bytes = TRACE_OVERHEAD_BYTES;
      this.byteCount += TRACE_OVERHEAD_BYTES;
      this.traces.set(traceId, trace);
      this.#ordinary.add(trace);
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
    if (this.#notable.has(trace)) setApart(span);
    else if (this.#isNotable(trace, span)) {
      this.#ordinary.delete(trace);
      this.#notable.add(trace);
      for (const one of trace.spans.values()) setApart(one);
    }
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

  /** What one looks for afterwards: what failed, was cut off, or took longer than nearly all others. */
  #isNotable(trace: Trace, span: StoredSpan): boolean {
    if (span.error || span.interrupted) return true;
    if (span.parentSpanId !== '') return false;
    return this.#durations.isSlow(trace.durationMs);
  }

  /** Older traces are elsewhere. */
  isPart(): void {
    this.#incomplete = true;
  }

  /**
   * From when on all traces are held that have ended since; 0 when none had to go. Of those before, only what
   * goes last is still here, and counting it would tell nothing of a rate.
   */
  get completeSinceMs(): number {
    return this.#incomplete ? (this.#ordinary.values().next().value?.endMs ?? 0) : 0;
  }

  get #full(): boolean {
    const { maxBytes, maxSpans, maxTraces } = this.limits;
    return this.byteCount > maxBytes || this.spanCount > maxSpans || this.traces.size > maxTraces;
  }

  /**
   * The oldest of the ordinary goes first; of the notable when they are more than half of all traces, or when
   * of the ordinary there is only what came last.
   */
  #evict(): void {
    while (this.#full) {
      const notableGo = this.#notable.size > this.#ordinary.size || this.#isLast(this.#ordinary.values().next().value);
      const [first, second] = notableGo ? [this.#notable, this.#ordinary] : [this.#ordinary, this.#notable];
      const from = first.size > 0 ? first : second;
      const oldest = from.values().next().value;
      if (oldest === undefined) return;
      from.delete(oldest);
      this.#incomplete = true;
      this.traces.delete(oldest.id);
      this.byteCount -= oldest.bytes;
      this.spanCount -= oldest.spans.size;
      this.counters.evictedSpans += oldest.spans.size;
      this.counters.evictedTraces++;
    }
  }

  #isLast(trace: Trace | undefined): boolean {
    return trace === undefined || trace.sequence === this.lastSequence;
  }

  /** By arrival. */
  newestFirst(): Trace[] {
    return [...this.traces.values()].reverse();
  }

  /** All of it is gone; counters stay. */
  clear(): void {
    this.traces.clear();
    this.#ordinary.clear();
    this.#notable.clear();
    this.#incomplete = false;
    this.byteCount = 0;
    this.spanCount = 0;
    this.version++;
  }
}

/**
 * Node.js has small buffers share one of 8 KiB. A span that stays longer than those that arrived with it
 * would keep the bytes of all of them.
 */
function setApart(span: StoredSpan): void {
  const bytes = Buffer.allocUnsafeSlow(span.bytes.length);
  span.bytes.copy(bytes);
  span.bytes = bytes;
}
