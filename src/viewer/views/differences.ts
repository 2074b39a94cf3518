/**
 * What is different about the slow requests of a route, or the failing ones: attributes, spans and workers
 * that are more frequent among them than among its other requests.
 *
 * @module
 */

import { valueText } from '../../wire/attribute-text.js';
import type { DifferencesView, DifferenceView } from '../api-types/differences.js';
import type { StoredSpan, Trace } from '../store/trace.js';
import type { TraceStore } from '../store/trace-store.js';
import { percentile } from './percentile.js';
import { failedEntry, type Served, servedOf, windowOf } from './served.js';
import { decodeSpan } from './span-text.js';

/** The slowest tenth is slow. */
const SLOW_FROM = 0.9;
/** With fewer in a group chance decides. */
const LEAST_REQUESTS = 10;
/** Of each group, evenly: reading attributes takes decoding. */
const SAMPLED = 400;
const SPANS_OF_TRACE = 60;
const MAX_SHOWN = 12;
/** A longer value is no value that others have, too. */
const MAX_VALUE_LENGTH = 120;
/** Standard errors between two shares that are no chance; hundreds of attributes are looked at. */
const LEAST_DEVIATION = 3.5;
/** More distinct numbers are compared by size instead. */
const DISTINCT_NUMBERS = 12;

/** Say which process it was, not what it was like; its slot says the same, and stays. */
const IDENTITIES = /^(?:service\.instance\.id|process\.pid|process\.parent_pid|process\.creation\.time|thread\.id)$/;

interface Group {
  size: number;
  /** By key and value, in how many requests. */
  values: Map<string, Map<string, number>>;
  /** The highest of each request, by key. */
  numbers: Map<string, number[]>;
}

/** `service`, `method` and `route` as the Routes page has them; `which` is slow (the default) or failing. */
export function differences(store: TraceStore, query: URLSearchParams): DifferencesView {
  const asked = (name: string) => query.get(name) ?? '';
  const served = servedOf(store, windowOf(query), asked('service') || undefined, {
    method: asked('method'),
    route: asked('route'),
  });
  const sorted = Float64Array.from(served, durationOf).sort();
  const fromMs = sorted[Math.floor(sorted.length * SLOW_FROM)] ?? 0;
  const failing = asked('which') === 'failing';
  const isSelected = (one: Served) => (failing ? failedEntry(one.span) : durationOf(one) >= fromMs);
  const selected = served.filter(isSelected);
  const rest = served.filter((one) => !isSelected(one));
  const view: DifferencesView = { fromMs, selected: selected.length, rest: rest.length, differences: [] };
  if (selected.length < LEAST_REQUESTS || rest.length < LEAST_REQUESTS) return view;
  view.differences = compared(groupOf(selected), groupOf(rest));
  return view;
}

const durationOf = ({ span }: Served) => Math.max(0, span.endMs - span.startMs);

function groupOf(served: Served[]): Group {
  const group: Group = { size: 0, values: new Map(), numbers: new Map() };
  const step = Math.max(1, served.length / SAMPLED);
  for (let at = 0; at < served.length; at += step) {
    const { span, trace } = served[Math.floor(at)]!;
    group.size++;
    const { texts, numbers } = traitsOf(span, trace);
    for (const [key, values] of texts) {
      const counts = group.values.get(key) ?? new Map<string, number>();
      group.values.set(key, counts);
      for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    for (const [key, value] of numbers) {
      const all = group.numbers.get(key);
      if (all === undefined) group.numbers.set(key, [value]);
      else all.push(value);
    }
  }
  return group;
}

/** What a request was like: attributes of its spans and their processes, and which spans there were. */
function traitsOf(entry: StoredSpan, trace: Trace) {
  const texts = new Map<string, Set<string>>();
  const numbers = new Map<string, number>();
  const say = (key: string, value: string) => {
    if (value.length > MAX_VALUE_LENGTH || IDENTITIES.test(key)) return;
    const values = texts.get(key) ?? new Set();
    texts.set(key, values.add(value));
  };
  let seen = 0;
  for (const span of trace.spans.values()) {
    if (seen++ >= SPANS_OF_TRACE && span !== entry) continue;
    if (span !== entry) say('name', span.name);
    for (const { key = '', value } of decodeSpan(span).attributes ?? []) {
      const number = Number(value?.intValue ?? value?.doubleValue ?? Number.NaN);
      if (Number.isFinite(number)) numbers.set(key, Math.max(numbers.get(key) ?? Number.NEGATIVE_INFINITY, number));
      say(key, valueText(value));
    }
    for (const { key = '', value } of span.resource.attributes) say(key, valueText(value));
  }
  return { texts, numbers };
}

function compared(selected: Group, rest: Group): DifferenceView[] {
  const found: (DifferenceView & { deviation: number })[] = [];
  const consider = (key: string, operator: '=' | '>=', value: string, among: number, others: number) => {
    const [share, restShare] = [among / selected.size, others / rest.size];
    const pooled = (among + others) / (selected.size + rest.size);
    const error = Math.sqrt(pooled * (1 - pooled) * (1 / selected.size + 1 / rest.size));
    const deviation = error === 0 ? 0 : (share - restShare) / error;
    if (deviation >= LEAST_DEVIATION) found.push({ key, operator, value, share, restShare, deviation });
  };
  for (const [key, counts] of selected.values) {
    const numbers = selected.numbers.get(key);
    if (numbers !== undefined && new Set(numbers).size > DISTINCT_NUMBERS) {
      const others = rest.numbers.get(key) ?? [];
      const middle = percentile(Float64Array.from([...numbers, ...others]).sort(), 0.5);
      const atLeast = (all: number[]) => all.filter((number) => number >= middle).length;
      consider(key, '>=', String(middle), atLeast(numbers), atLeast(others));
      continue;
    }
    for (const [value, among] of counts) consider(key, '=', value, among, rest.values.get(key)?.get(value) ?? 0);
  }
  found.sort((a, b) => b.share - b.restShare - (a.share - a.restShare) || b.deviation - a.deviation);
  return found.slice(0, MAX_SHOWN).map(({ deviation: _deviation, ...difference }) => difference);
}
