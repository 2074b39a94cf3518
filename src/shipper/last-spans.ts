/**
 * The last spans that a dead writer had ended, from its newest segment, whether they have been shipped or
 * not.
 *
 * @module
 */
import type { SpanInBrief } from '../forensics/in-brief.js';
import type { SegmentReader } from '../journal/segment-reader.js';
import { decode } from '../wire/decode.js';
import { ResourceSpans } from '../wire/otlp.js';
import type { OtlpSpan } from '../wire/otlp-json.js';

const SHOWN = 10;
const READ_BYTES = 256 * 1024;
/** The end of a segment is enough: a death's last seconds. */
const SHOWN_BYTES = 1024 * 1024;

export interface LastSpans {
  /** The newest first. */
  lastSpans: SpanInBrief[];
  slowestSpans: SpanInBrief[];
}

export function lastSpansOf(segment: SegmentReader | undefined): LastSpans {
  const spans: SpanInBrief[] = [];
  try {
    const committed = segment?.state().committed ?? 0;
    for (let from = 0; segment !== undefined && from < committed; ) {
      const { bytes, next } = segment.read(from, committed, READ_BYTES);
      if (next === from) break;
      from = next;
      // A span of so many bytes is no line on a screen, and its attributes could be millions.
      if (next < committed - SHOWN_BYTES || bytes.length > READ_BYTES) continue;
      // A body is whole scope_spans fields of one ResourceSpans message.
      for (const { spans: some = [] } of decode(bytes, ResourceSpans).scopeSpans ?? []) {
        for (const span of some) spans.push(inBrief(span));
      }
    }
  } catch {
    // Not sound from here on: what was read stands.
  }
  return {
    lastSpans: spans.slice(-SHOWN).reverse(),
    slowestSpans: spans.sort((a, b) => b.durationMs - a.durationMs).slice(0, SHOWN),
  };
}

/** @param endMs for a span that has not ended */
export function inBrief(span: Partial<OtlpSpan>, endMs?: number): SpanInBrief {
  const startMs = Number(span.startTimeUnixNano ?? 0) / 1e6;
  return {
    name: span.name ?? '',
    traceId: span.traceId ?? '',
    spanId: span.spanId ?? '',
    startMs,
    durationMs: Math.max(0, (endMs ?? Number(span.endTimeUnixNano ?? 0) / 1e6) - startMs),
    error: span.status?.code === 2,
  };
}
