import { valueText } from '../../wire/attribute-text.js';
import type { CompletionView } from '../api-types/completions.js';
import type { StoredSpan } from '../store/trace.js';
import type { TraceStore } from '../store/trace-store.js';
import { decodeSpan } from './span-text.js';

/** Traces of which attributes are read, evenly of all: reading them takes decoding. */
const SAMPLED_TRACES = 300;
const SAMPLED_SPANS = 600;
const MAX_OFFERED = 40;
/** A longer value is no value to choose from a list. */
const MAX_VALUE_LENGTH = 100;

/**
 * What a filter may go on with: keys of attributes that a sample of the spans has, and values of the field
 * `field`.
 */
export function completions(store: TraceStore, query: URLSearchParams): CompletionView {
  const field = query.get('field') ?? '';
  const keys = new Map<string, number>();
  const values = new Map<string, number>();
  const count = (map: Map<string, number>, text: string) => map.set(text, (map.get(text) ?? 0) + 1);
  for (const trace of store.traces.values()) {
    for (const span of trace.spans.values()) {
      const known = knownField(span, field);
      if (known !== undefined) count(values, known);
    }
  }
  for (const span of sampledSpans(store)) {
    for (const { key = '', value } of [...(decodeSpan(span).attributes ?? []), ...span.resource.attributes]) {
      count(keys, key);
      if (key === field) count(values, valueText(value));
    }
  }
  return { keys: mostFrequent(keys), values: mostFrequent(values) };
}

function* sampledSpans(store: TraceStore): Generator<StoredSpan> {
  const traces = store.newestFirst();
  const step = Math.max(1, Math.floor(traces.length / SAMPLED_TRACES));
  let seen = 0;
  for (let index = 0; index < traces.length; index += step) {
    for (const span of traces[index]!.spans.values()) {
      if (seen++ >= SAMPLED_SPANS) return;
      yield span;
    }
  }
}

function knownField(span: StoredSpan, field: string): string | undefined {
  switch (field) {
    case 'route':
      return span.route || undefined;
    case 'service':
      return span.resource.service;
    case 'host':
      return span.resource.host || undefined;
    case 'name':
      return span.name;
    case 'method':
      return span.method || undefined;
    case 'worker':
      return span.resource.slot === undefined ? undefined : String(span.resource.slot);
    case 'pid':
      return span.resource.pid === undefined ? undefined : String(span.resource.pid);
    case 'status':
      return span.httpStatus === 0 ? undefined : String(span.httpStatus);
    default:
      return undefined;
  }
}

function mostFrequent(counts: Map<string, number>): string[] {
  return [...counts]
    .filter(([text]) => text !== '' && text.length <= MAX_VALUE_LENGTH)
    .sort((a, b) => b[1] - a[1])
    .slice(0, MAX_OFFERED)
    .map(([text]) => text);
}
