import type { OtlpScope } from '../../wire/otlp-json.js';
import type { Outcome } from '../api-types/outcome.js';
import type { ProcessResource } from './process-resource.js';
import type { ScannedSpan } from './scan-spans.js';

/** One span as held: what lists show, and its OTLP bytes for the rest. */
export interface StoredSpan extends Omit<ScannedSpan, 'traceId'> {
  /** The Span message as received. */
  bytes: Buffer;
  resource: ProcessResource;
  scope: StoredScope;
}

export interface StoredScope {
  bytes: Buffer;
  scope: OtlpScope;
}

const KIND_SERVER = 2;
const KIND_CONSUMER = 5;

/** A request as a worker served it. */
export function isEntry(span: StoredSpan): boolean {
  return span.kind === KIND_SERVER || span.kind === KIND_CONSUMER;
}

/** The spans of one trace id that have arrived so far, in any order. */
export class Trace {
  readonly spans = new Map<string, StoredSpan>();
  startMs = Number.POSITIVE_INFINITY;
  endMs = 0;
  errors = 0;
  interrupted = 0;
  /** What it counts against the store's bound. */
  bytes = 0;
  #root: StoredSpan | undefined;

  /** @param sequence the how manieth to arrive */
  constructor(
    readonly id: string,
    readonly sequence: number,
  ) {}

  add(span: StoredSpan): void {
    this.spans.set(span.spanId, span);
    if (span.startMs < this.startMs) this.startMs = span.startMs;
    if (span.endMs > this.endMs) this.endMs = span.endMs;
    if (span.error) this.errors++;
    if (span.interrupted) this.interrupted++;
    this.#root = undefined;
  }

  remove(span: StoredSpan): void {
    this.spans.delete(span.spanId);
    if (span.error) this.errors--;
    if (span.interrupted) this.interrupted--;
    this.#root = undefined;
  }

  /**
   * The span that stands for the trace: the earliest without a parent, else the earliest whose parent is not
   * here.
   */
  get root(): StoredSpan {
    if (this.#root !== undefined) return this.#root;
    let best: StoredSpan | undefined;
    for (const span of this.spans.values()) {
      if (span.parentSpanId !== '' && this.spans.has(span.parentSpanId)) continue;
      if (best === undefined || precedes(span, best)) best = span;
    }
    // A trace whose spans are each other's parents has no root; the first stands in.
    best ??= this.spans.values().next().value as StoredSpan;
    this.#root = best;
    return best;
  }

  get name(): string {
    return this.root.name;
  }

  get outcome(): Outcome {
    return this.interrupted > 0 ? 'interrupted' : this.errors > 0 ? 'error' : 'ok';
  }

  get durationMs(): number {
    return Math.max(0, this.endMs - this.startMs);
  }
}

function precedes(a: StoredSpan, b: StoredSpan): boolean {
  if ((a.parentSpanId === '') !== (b.parentSpanId === '')) return a.parentSpanId === '';
  return a.startMs < b.startMs;
}
