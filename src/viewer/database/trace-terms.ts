/**
 * What a trace is found by: terms of the full-text index, each a letter for its kind and the rest.
 *
 * @module
 */

import type { Outcome } from '../api-types/outcome.js';
import { isEntry, type StoredSpan, type Trace } from '../store/trace.js';
import { decodeSpan, spanText } from '../views/span-text.js';

/** Fields of which each distinct value is a term. */
export type Facet = 'resource' | 'route' | 'name' | 'method' | 'kind' | 'status' | 'key';

/** Gives the term of a value; undefined when there are too many values to have one each. */
export type TermOf = (facet: Facet, value: string) => string | undefined;

/** Of a trace. */
export const MAX_WORDS = 2000;
/** Two for each doubling. */
const PER_OCTAVE = 2;

export const outcomeTerm = (outcome: Outcome) => `o${outcome}`;
export const idTerm = (id: string) => `i${id}`;
export const wordTerm = (word: string) => `w${word}`;
/** Of what is linked to. */
export const linkTerm = (traceId: string) => `l${traceId}`;
export const MAX_SIZE_BIN = 100;
export const sizeBin = (value: number) =>
  Math.min(MAX_SIZE_BIN, Math.floor(Math.log2(Math.max(1, value)) * PER_OCTAVE));
/** Of a duration in microseconds, or of a number of spans. */
export const sizeTerm = (of: 'd' | 'n', bin: number) => `${of}${bin}`;

/** What no letter and no digit parts, in lower case. */
export function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}

/** Longer ones are no words: their beginning finds them. */
export const MAX_WORD_LENGTH = 64;

/** All terms of `trace`, separated by spaces. */
export function traceTerms(trace: Trace, termOf: TermOf): string {
  const terms = new Set<string>([
    idTerm(trace.id),
    outcomeTerm(trace.outcome),
    sizeTerm('d', sizeBin(trace.durationMs * 1000)),
    sizeTerm('n', sizeBin(trace.spans.size)),
  ]);
  const words = new Set<string>();
  const add = (facet: Facet, value: string) => {
    const term = termOf(facet, value);
    if (term !== undefined) terms.add(term);
  };
  for (const span of trace.spans.values()) {
    addFields(span, add);
    const decoded = decodeSpan(span);
    for (const { key = '' } of decoded.attributes ?? []) add('key', key);
    for (const { traceId } of decoded.links ?? []) if (traceId !== undefined) terms.add(linkTerm(traceId));
    if (words.size >= MAX_WORDS) continue;
    for (const word of wordsOf(spanText(decoded))) words.add(wordTerm(word.slice(0, MAX_WORD_LENGTH)));
  }
  return [...terms, ...words].join(' ');
}

function addFields(span: StoredSpan, add: (facet: Facet, value: string) => void): void {
  add('resource', span.resource.bytes.toString('base64'));
  add('name', span.name);
  add('kind', String(span.kind));
  const route = span.route || span.path;
  if (route !== '') add('route', route);
  if (span.method !== '') add('method', span.method);
  if (isEntry(span) && span.httpStatus !== 0) add('status', String(span.httpStatus));
}
