import { decode } from '../otlp/decode.js';
import type { OtlpSpan } from '../otlp/json-types.js';
import { Span } from '../otlp/schema.js';
import type { StoredSpan } from '../store/trace.js';
import { attributesText } from './attribute-text.js';

/** Whether a span says `text` anywhere: ids, name, attributes, events, status; without regard to case. */
export function spanMatcher(text: string): (span: StoredSpan) => boolean {
  const lower = text.toLowerCase();
  const inBytes = Buffer.from(lower, 'utf8').toString('latin1').toLowerCase();
  // Numbers and booleans are not written as text in protobuf: only a search that could mean one has to decode.
  const needsDecoding = /\d|=|true|false/.test(lower);
  return (span) =>
    span.bytes.toString('latin1').toLowerCase().includes(inBytes) ||
    span.spanId.startsWith(lower) ||
    (needsDecoding && spanText(span).toLowerCase().includes(lower));
}

export function decodeSpan(span: StoredSpan): OtlpSpan {
  return decode<OtlpSpan>(span.bytes, Span);
}

function spanText(stored: StoredSpan): string {
  const span = decodeSpan(stored);
  const parts = [attributesText(span.attributes), span.status?.message ?? ''];
  for (const event of span.events ?? []) parts.push(event.name ?? '', attributesText(event.attributes));
  return parts.join('\n');
}
