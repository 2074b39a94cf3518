import { attributesText } from '../../wire/attribute-text.js';
import { decode } from '../../wire/decode.js';
import { Span } from '../../wire/otlp.js';
import type { OtlpSpan } from '../../wire/otlp-json.js';
import type { StoredSpan } from '../store/trace.js';

/**
 * Whether a span says `text` anywhere: ids, name, attributes as `key=value`, events, status; without regard
 * to case. Most spans are told apart by their bytes, where a text stands as it is, perhaps by chance across
 * two fields; decoding decides. What need not stand in the bytes, a number or a `key=value`, is looked for in
 * every span.
 */
export function spanMatcher(text: string): (span: StoredSpan) => boolean {
  const lower = text.toLowerCase();
  const inBytes = Buffer.from(lower, 'utf8').toString('latin1').toLowerCase();
  const everywhere = /=|^-?[\d.]+$|^(?:true|false)$/.test(lower);
  return (span) =>
    span.spanId.startsWith(lower) ||
    ((everywhere || span.bytes.toString('latin1').toLowerCase().includes(inBytes)) &&
      spanText(decodeSpan(span)).toLowerCase().includes(lower));
}

export function decodeSpan(span: StoredSpan): OtlpSpan {
  return decode(span.bytes, Span);
}

/** All that a span says, for search. */
export function spanText(span: OtlpSpan): string {
  const parts = [span.name ?? '', attributesText(span.attributes), span.status?.message ?? ''];
  for (const event of span.events ?? []) parts.push(event.name ?? '', attributesText(event.attributes));
  return parts.join('\n');
}
