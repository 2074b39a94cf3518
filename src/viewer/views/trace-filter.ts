import { valueText } from '../../wire/attribute-text.js';
import type { StoredSpan, Trace } from '../store/trace.js';
import { isEntry } from '../store/trace.js';
import { comparison, negatedIn, textTest } from './condition-test.js';
import { type Condition, durationMs, parseFilter } from './filter-language.js';
import { decodeSpan, spanMatcher } from './span-text.js';

type TraceTest = (trace: Trace) => boolean;
type SpanTest = (span: StoredSpan) => boolean;

/**
 * The filter of the trace list, as it stands in the page's address: `q` in the language of
 * filter-language.ts, and the start of {@link startsBetween}.
 */
export function traceFilter(query: URLSearchParams, now = Date.now()): TraceTest {
  const { from, to } = startsBetween(query, now);
  const matches = conditionsTest(parseFilter(query.get('q') ?? ''));
  return (trace) => trace.startMs >= from && trace.startMs <= to && matches(trace);
}

/** `from` and `to`, or `last` milliseconds; endless where nothing is said. */
export function startsBetween(query: URLSearchParams, now = Date.now()): { from: number; to: number } {
  const number = (name: string) => {
    const value = Number(query.get(name)?.trim() || Number.NaN);
    return Number.isFinite(value) ? value : undefined;
  };
  const last = number('last');
  return {
    from: number('from') ?? (last === undefined ? Number.NEGATIVE_INFINITY : now - last),
    to: number('to') ?? Number.POSITIVE_INFINITY,
  };
}

/** Whether all of `conditions` hold. */
export function conditionsTest(conditions: readonly Condition[]): TraceTest {
  // What is cheap to tell first: most traces are told apart by it.
  const tests = conditions
    .toSorted((a, b) => cost(a) - cost(b))
    .map((one): TraceTest => {
      const test = testOf(one);
      // A span of which something is not: none of which it is.
      return negatedIn(one) ? (trace) => !test(trace) : test;
    });
  return (trace) => tests.every((test) => test(trace));
}

const TRACE_FIELDS = new Set(['duration', 'spans', 'trace', 'status']);
const cost = ({ field }: Condition) => (TRACE_FIELDS.has(field) ? 0 : field === '' ? 2 : field.includes('.') ? 2 : 1);

function anySpan(test: SpanTest): TraceTest {
  return (trace) => {
    for (const span of trace.spans.values()) if (test(span)) return true;
    return false;
  };
}

const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

function testOf(condition: Condition): TraceTest {
  const { field, value } = condition;
  switch (field) {
    case '': {
      const matches = spanMatcher(value);
      const id = value.toLowerCase();
      const any = anySpan(matches);
      return (trace) => trace.id.startsWith(id) || any(trace);
    }
    case 'duration': {
      const holds = comparison(condition, durationMs(value));
      return (trace) => holds(trace.durationMs);
    }
    case 'spans': {
      const holds = comparison(condition, Number(value));
      return (trace) => holds(trace.spans.size);
    }
    case 'trace':
      return (trace) => trace.id.startsWith(value.toLowerCase());
    case 'status':
      return statusTest(condition);
    case 'route': {
      const holds = textTest(condition);
      return anySpan((span) => (span.route === '' ? span.path !== '' && holds(span.path) : holds(span.route)));
    }
    case 'service': {
      const holds = textTest(condition);
      return anySpan((span) => holds(span.resource.service));
    }
    case 'host': {
      const holds = textTest(condition);
      return anySpan((span) => holds(span.resource.host));
    }
    case 'name': {
      const holds = textTest(condition);
      return anySpan((span) => holds(span.name));
    }
    case 'method': {
      const holds = textTest(condition);
      return anySpan((span) => span.method !== '' && holds(span.method));
    }
    case 'kind':
      return anySpan((span) => KINDS[span.kind] === value.toLowerCase());
    case 'worker': {
      const holds = comparison(condition, Number(value));
      return anySpan((span) => span.resource.slot !== undefined && holds(span.resource.slot));
    }
    case 'pid': {
      const holds = comparison(condition, Number(value));
      return anySpan((span) => span.resource.pid !== undefined && holds(span.resource.pid));
    }
    default:
      return anySpan(attributeTest(condition));
  }
}

function statusTest(condition: Condition): TraceTest {
  const { value } = condition;
  if (value === 'ok') return (trace) => trace.errors === 0 && trace.interrupted === 0;
  if (value === 'error') return (trace) => trace.errors > 0 || trace.interrupted > 0;
  if (value === 'interrupted') return (trace) => trace.interrupted > 0;
  const hundreds = /^([1-5])xx$/i.exec(value)?.[1];
  const holds =
    hundreds === undefined
      ? comparison(condition, Number(value))
      : comparison({ ...condition, value: hundreds }, Number(hundreds));
  const of = hundreds === undefined ? (code: number) => code : (code: number) => Math.floor(code / 100);
  return anySpan((span) => isEntry(span) && span.httpStatus !== 0 && holds(of(span.httpStatus)));
}

function attributeTest(condition: Condition): SpanTest {
  const { field: key, value } = condition;
  const wanted = Number(value);
  const numeric = value !== '' && Number.isFinite(wanted);
  const asText = textTest(condition);
  const asNumber = comparison(condition, wanted);
  const ordered = /[<>]/.test(condition.operator);
  const holds = (attributes: { key?: string; value?: Parameters<typeof valueText>[0] }[]) =>
    attributes.some((one) => {
      if (one.key !== key) return false;
      const text = valueText(one.value);
      return ordered && numeric ? text !== '' && asNumber(Number(text)) : asText(text);
    });
  return (span) =>
    holds(span.resource.attributes) || (span.bytes.includes(key) && holds(decodeSpan(span).attributes ?? []));
}
