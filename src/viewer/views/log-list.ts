import { attributesText, valueText } from '../../wire/attribute-text.js';
import { SEVERITIES_PER_LEVEL, severityOf } from '../../wire/level.js';
import type { LogListView, LogRowView } from '../api-types/logs.js';
import type { LogStore, StoredLog } from '../store/log-store.js';
import { comparison, negatedIn, textTest } from './condition-test.js';
import { type Condition, parseFilter } from './filter-language.js';
import { processView } from './process-view.js';

const DEFAULT_LIMIT = 200;
const MAX_LIMIT = 1000;

/** The log records that match, newest first, by pages; with `until` those that had arrived by then. */
export function logList(store: LogStore, query: URLSearchParams, now = Date.now()): LogListView {
  const limit = Math.min(MAX_LIMIT, Math.max(1, Number(query.get('limit')) || DEFAULT_LIMIT));
  const offset = Math.max(0, Math.floor(Number(query.get('offset'))) || 0);
  const until = Number(query.get('until')) || store.received;
  const matches = logFilter(query, now);
  const found: StoredLog[] = [];
  let newer = 0;
  for (const log of store.newestFirst()) {
    if (!matches(log)) continue;
    if (log.sequence > until) newer++;
    else found.push(log);
  }
  found.sort((a, b) => b.timeMs - a.timeMs || b.sequence - a.sequence);
  return {
    sinceMs: store.sinceMs,
    total: found.length,
    held: store.size,
    until,
    newer,
    offset,
    rows: found.slice(offset, offset + limit).map(logRow),
  };
}

export function logRow({ sequence, resource, bytes: _, ...record }: StoredLog): LogRowView {
  return { id: sequence, ...record, process: processView(resource) };
}

type LogTest = (log: StoredLog) => boolean;

function logFilter(query: URLSearchParams, now: number): LogTest {
  const number = (name: string) => Number(query.get(name)?.trim() || Number.NaN);
  const last = number('last');
  const from = Number.isFinite(number('from')) ? number('from') : now - last;
  const to = number('to');
  const tests: LogTest[] = [];
  if (Number.isFinite(from)) tests.push((log) => log.timeMs >= from);
  if (Number.isFinite(to)) tests.push((log) => log.timeMs <= to);
  for (const one of parseFilter(query.get('q') ?? '')) {
    const test = testOf(one);
    tests.push(negatedIn(one) ? (log) => !test(log) : test);
  }
  return (log) => tests.every((test) => test(log));
}

function testOf(condition: Condition): LogTest {
  const { field, value } = condition;
  const lower = value.toLowerCase();
  switch (field) {
    case '':
      return ({ body, attributes }) =>
        body.toLowerCase().includes(lower) || attributesText(attributes).toLowerCase().includes(lower);
    case 'level':
      return levelTest(condition);
    case 'trace':
      return (log) => log.traceId.startsWith(lower);
    case 'span':
      return (log) => log.spanId.startsWith(lower);
    case 'worker': {
      const holds = comparison(condition, Number(value));
      return ({ resource }) => resource.slot !== undefined && holds(resource.slot);
    }
    case 'pid': {
      const holds = comparison(condition, Number(value));
      return ({ resource }) => resource.pid !== undefined && holds(resource.pid);
    }
    default: {
      const holds = textTest(condition);
      if (field === 'service') return ({ resource }) => holds(resource.service);
      if (field === 'host') return ({ resource }) => holds(resource.host);
      if (field === 'scope') return ({ scope }) => holds(scope);
      if (field === 'body') return ({ body }) => holds(body);
      return (log) =>
        [log.attributes, log.resource.attributes].some((list) =>
          list.some((one) => one.key === field && holds(valueText(one.value))),
        );
    }
  }
}

/** `level:warn` is that level, `level>=warn` also what is graver. */
function levelTest(condition: Condition): LogTest {
  const least = severityOf(condition.value);
  if (least === undefined) {
    const holds = textTest(condition);
    return ({ severityText }) => holds(severityText);
  }
  const most = least + SEVERITIES_PER_LEVEL - 1;
  switch (condition.operator) {
    case '>':
      return ({ severity }) => severity > most;
    case '>=':
      return ({ severity }) => severity >= least;
    case '<':
      return ({ severity }) => severity !== 0 && severity < least;
    case '<=':
      return ({ severity }) => severity !== 0 && severity <= most;
    default:
      return ({ severity }) => severity >= least && severity <= most;
  }
}
