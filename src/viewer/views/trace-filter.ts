import type { StoredSpan, Trace } from '../store/trace.js';
import { isEntry } from '../store/trace.js';
import { valueText } from './attribute-text.js';
import { decodeSpan, spanMatcher } from './span-text.js';

/**
 * The filter of the trace list, as it stands in the page's address: `q` text anywhere, `route`, `status` (ok, error,
 * interrupted, 4xx, 503 …), `min` and `max` duration in milliseconds, `service`, `slot`, `attr` as `key` or `key=value`,
 * `from` and `to` start times. All given ones must hold.
 */
export function traceFilter(query: URLSearchParams): (trace: Trace) => boolean {
  const tests: ((trace: Trace) => boolean)[] = [];
  const given = (name: string) => query.get(name)?.trim() || undefined;
  const number = (name: string) => {
    const value = Number(given(name) ?? Number.NaN);
    return Number.isFinite(value) ? value : undefined;
  };
  const anySpan = (test: (span: StoredSpan) => boolean) =>
    tests.push((trace) => {
      for (const span of trace.spans.values()) if (test(span)) return true;
      return false;
    });

  const from = number('from');
  if (from !== undefined) tests.push((trace) => trace.startMs >= from);
  const to = number('to');
  if (to !== undefined) tests.push((trace) => trace.startMs <= to);
  const min = number('min');
  if (min !== undefined) tests.push((trace) => trace.durationMs >= min);
  const max = number('max');
  if (max !== undefined) tests.push((trace) => trace.durationMs <= max);
  const status = given('status');
  if (status !== undefined) tests.push(statusTest(status));
  const service = given('service');
  if (service !== undefined) anySpan((span) => span.resource.service === service);
  const slot = number('slot');
  if (slot !== undefined) anySpan((span) => span.resource.slot === slot);
  const route = given('route');
  if (route !== undefined) anySpan((span) => span.route === route || (span.route === '' && span.path === route));
  const attribute = given('attr');
  if (attribute !== undefined) anySpan(attributeTest(attribute));
  const text = given('q');
  if (text !== undefined) {
    const matches = spanMatcher(text);
    const id = text.toLowerCase();
    tests.push((trace) => {
      if (trace.id.startsWith(id)) return true;
      for (const span of trace.spans.values()) if (matches(span)) return true;
      return false;
    });
  }
  return (trace) => tests.every((test) => test(trace));
}

function statusTest(status: string): (trace: Trace) => boolean {
  if (status === 'ok') return (trace) => trace.errors === 0 && trace.interrupted === 0;
  if (status === 'error') return (trace) => trace.errors > 0 || trace.interrupted > 0;
  if (status === 'interrupted') return (trace) => trace.interrupted > 0;
  const hundreds = /^([1-5])xx$/i.exec(status)?.[1];
  const matches =
    hundreds === undefined
      ? (code: number) => code === Number(status)
      : (code: number) => Math.floor(code / 100) === Number(hundreds);
  return (trace) => {
    for (const span of trace.spans.values()) if (isEntry(span) && matches(span.httpStatus)) return true;
    return false;
  };
}

function attributeTest(wanted: string): (span: StoredSpan) => boolean {
  const equals = wanted.indexOf('=');
  const key = equals === -1 ? wanted : wanted.slice(0, equals).trim();
  const value = equals === -1 ? undefined : wanted.slice(equals + 1).trim();
  const holds = (attributes: { key?: string; value?: Parameters<typeof valueText>[0] }[]) =>
    attributes.some((one) => one.key === key && (value === undefined || valueText(one.value) === value));
  return (span) =>
    holds(span.resource.attributes) || (span.bytes.includes(key) && holds(decodeSpan(span).attributes ?? []));
}
