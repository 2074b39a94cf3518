/**
 * The conditions of a filter as a search of the database: what its terms tell, what the columns of a trace's
 * row tell, and what only its spans tell.
 *
 * @module
 */
import { comparison, negatedIn } from '../views/condition-test.js';
import { type Condition, durationMs } from '../views/filter-language.js';
import { conditionsTest } from '../views/trace-filter.js';
import type { FacetValues } from './facet-values.js';
import {
  type Facet,
  idTerm,
  MAX_SIZE_BIN,
  MAX_WORD_LENGTH,
  outcomeTerm,
  sizeBin,
  sizeTerm,
  wordsOf,
  wordTerm,
} from './trace-terms.js';

export interface TraceSearch {
  /** In the language of FTS5; '' matches all. */
  match: string;
  /** Conditions on columns, all of which must hold. */
  rows: { sql: string; value: number }[];
  /** What has to be read to be told. */
  rest: Condition[];
}

/** More alternatives than this narrow nothing. */
const MAX_ALTERNATIVES = 1000;
const NEVER = '"never"';
const ANY = any(['ok', 'error', 'interrupted'].map((outcome) => quoted(outcomeTerm(outcome as 'ok'))));

/** Facets of the fields that are one, as the filter tests them. */
const FACETS: Record<string, Facet> = {
  route: 'route',
  name: 'name',
  method: 'method',
  kind: 'kind',
  service: 'resource',
  host: 'resource',
  worker: 'resource',
  pid: 'resource',
};

/** What a search asks of the database. */
export interface Terms {
  values: FacetValues;
  /** The terms that begin so; undefined when there are too many to be named. */
  beginningWith(prefix: string): string[] | undefined;
  /** Whether so much begins so that the index takes longer than reading what is newest. */
  beginsMuch(prefix: string): boolean;
}

export function traceSearch(conditions: readonly Condition[], terms: Terms): TraceSearch {
  const all: string[] = [];
  const none: string[] = [];
  const search: TraceSearch = { match: '', rows: [], rest: [] };
  for (const condition of conditions) {
    const number = condition.field === 'duration' || condition.field === 'spans';
    if (number) {
      search.rows.push(rowCondition(condition));
      if (!negatedIn(condition)) all.push(sizes(condition));
      continue;
    }
    const { match, decided } = matchOf(condition, terms);
    if (!decided) search.rest.push(condition);
    if (match === undefined) continue;
    if (!negatedIn(condition)) all.push(match);
    else if (decided) none.push(match);
  }
  if (none.length > 0) search.match = `(${all.length > 0 ? every(all) : ANY}) NOT ${any(none)}`;
  else if (all.length > 0) search.match = every(all);
  return search;
}

interface Match {
  /** Undefined when no terms narrow it. */
  match?: string;
  /** Whether what matches is what fulfils the condition. */
  decided: boolean;
}

/** Of a condition, were it not negated. */
function matchOf(condition: Condition, terms: Terms): Match {
  const { field, value } = condition;
  if (field === '') return wordsMatch(value, terms);
  if (field === 'trace') {
    // Anything else would be several words to the index, which knows no phrases.
    const isId = /^[0-9a-f]+$/i.test(value);
    return { match: isId ? prefix(idTerm(value.toLowerCase())) : any([]), decided: true };
  }
  if (field === 'status') {
    if (value === 'ok') return { match: quoted(outcomeTerm('ok')), decided: true };
    const interrupted = quoted(outcomeTerm('interrupted'));
    if (value === 'interrupted') return { match: interrupted, decided: true };
    if (value === 'error') return { match: any([interrupted, quoted(outcomeTerm('error'))]), decided: true };
    return facetMatch('status', condition, terms);
  }
  const facet = Object.hasOwn(FACETS, field) ? FACETS[field] : undefined;
  return facet === undefined ? attributeMatch(condition, terms) : facetMatch(facet, condition, terms);
}

function facetMatch(facet: Facet, condition: Condition, { values }: Terms): Match {
  const terms = values.terms(facet, testOf(condition));
  if (terms === undefined || terms.length > MAX_ALTERNATIVES) return { decided: false };
  return { match: any(terms.map(quoted)), decided: true };
}

/** An attribute of a resource, or one of a span: then its key is there, and the words of its value are. */
function attributeMatch(condition: Condition, terms: Terms): Match {
  const { field, operator, value } = condition;
  const resources = terms.values.terms('resource', testOf(condition));
  const keys = terms.values.terms('key', (trace) => trace.name === field);
  if (resources === undefined || keys === undefined || resources.length > MAX_ALTERNATIVES) return { decided: false };
  const alternatives = resources.map(quoted);
  if (keys.length > 0) {
    const { parts } = eachWord(/[<>]/.test(operator) ? [] : wordsOf(value), operator === ':', terms);
    alternatives.push(`(${every([quoted(keys[0]!), ...parts])})`);
  }
  return { match: any(alternatives), decided: keys.length === 0 };
}

function wordsMatch(text: string, terms: Terms): Match {
  const words = wordsOf(text);
  const { parts, whole } = eachWord(words, true, terms);
  if (parts.length === 0) return { decided: false };
  const match = every(parts);
  const one = words.length === 1 && words[0] === text.toLowerCase();
  const id = one && /^[0-9a-f]{4,32}$/.test(words[0]!);
  return { match: id ? any([prefix(idTerm(words[0]!)), match]) : match, decided: one && whole };
}

/**
 * @param begun whether the last may be the beginning of a longer one
 * @returns what narrows the search, and whether that is each of the words
 */
function eachWord(words: string[], begun: boolean, terms: Terms): { parts: string[]; whole: boolean } {
  const parts: string[] = [];
  for (const [at, word] of words.entries()) {
    const term = wordTerm(word.slice(0, MAX_WORD_LENGTH));
    if (!begun || at < words.length - 1) parts.push(quoted(term));
    else {
      // Named, they are read as far as the list needs; a prefix is read whole.
      const longer = terms.beginningWith(term);
      if (longer !== undefined) parts.push(any(longer.map(quoted)));
      else if (!terms.beginsMuch(term)) parts.push(prefix(term));
    }
  }
  return { parts, whole: parts.length === words.length };
}

const COLUMNS: Record<string, string> = { duration: 'duration', spans: 'spans' };
const wantedOf = ({ field, value }: Condition) => (field === 'duration' ? durationMs(value) : Number(value));

function rowCondition(condition: Condition): TraceSearch['rows'][number] {
  const { field, operator } = condition;
  const wanted = wantedOf(condition);
  const sql = `${COLUMNS[field]} ${/[<>]/.test(operator) ? operator : '='} ?`;
  // As NaN, which is compared with nothing.
  const value = Number.isNaN(wanted) ? -1 : wanted;
  const never = Number.isNaN(wanted) ? ' AND 0' : '';
  return { sql: negatedIn(condition) ? `NOT (${sql}${never})` : `${sql}${never}`, value };
}

/** The sizes that can fulfil it. */
function sizes(condition: Condition): string {
  const duration = condition.field === 'duration';
  const wanted = wantedOf(condition);
  const holds = comparison(condition, sizeBin(duration ? wanted * 1000 : wanted));
  const bins: number[] = [];
  for (let bin = 0; bin <= MAX_SIZE_BIN; bin++) {
    // The bin itself has both what fulfils it and what does not.
    if (holds(bin) || bin === sizeBin(duration ? wanted * 1000 : wanted)) bins.push(bin);
  }
  return any(bins.map((bin) => quoted(sizeTerm(duration ? 'd' : 'n', bin))));
}

function testOf(condition: Condition) {
  // As `=`: what is turned round is turned round by NOT.
  return conditionsTest([
    { ...condition, negated: false, operator: condition.operator === '!=' ? '=' : condition.operator },
  ]);
}

function quoted(term: string): string {
  return `"${term.replaceAll('"', '')}"`;
}

function prefix(term: string): string {
  return `${quoted(term)} *`;
}

function any(alternatives: readonly string[]): string {
  return alternatives.length === 0 ? NEVER : `(${alternatives.join(' OR ')})`;
}

function every(parts: readonly string[]): string {
  return parts.join(' AND ');
}
