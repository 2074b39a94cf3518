/**
 * The filter of lists as one writes it:
 * `status>=500 route:/checkout duration>100ms -user.agent:curl "card declined"`. Conditions and words stand
 * in any order, and all must hold. Page and server read it alike.
 *
 * @module
 */
import { HOST_NAME, SERVICE_NAME } from '../../wire/conventions.js';

export type Operator = ':' | '=' | '!=' | '>' | '>=' | '<' | '<=';

export interface Condition {
  /** What must not hold. */
  negated: boolean;
  /** A field, or the key of an attribute; '' for a word that may stand anywhere. */
  field: string;
  operator: Operator;
  value: string;
}

export const OPERATORS: readonly { operator: Operator; says: string }[] = [
  { operator: ':', says: 'has' },
  { operator: '=', says: 'is' },
  { operator: '!=', says: 'is not' },
  { operator: '>', says: 'above' },
  { operator: '>=', says: 'at least' },
  { operator: '<', says: 'below' },
  { operator: '<=', says: 'at most' },
];

/**
 * A value of several words stands in quotation marks, in which a backslash takes the next character as it is.
 */
const TERM = /(-?)(?:([\p{L}_@][\p{L}\p{N}_.@/-]*)(!=|>=|<=|[:=><]))?("(?:[^"\\]|\\.)*"?|[^\s"]+)|\S+/gu;

/** @returns the conditions of `text`; what is no condition is a word */
export function parseFilter(text: string): Condition[] {
  const conditions: Condition[] = [];
  for (const [all, minus = '', field = '', operator, value] of text.matchAll(TERM)) {
    if (value === undefined) conditions.push({ negated: false, field: '', operator: ':', value: all });
    else
      conditions.push({
        negated: minus === '-',
        field,
        operator: (operator as Operator) ?? ':',
        value: unquoted(value),
      });
  }
  return conditions.filter(({ value }) => value !== '');
}

/** The other way round. */
export function writeFilter(conditions: readonly Condition[]): string {
  return conditions
    .map(({ negated, field, operator, value }) => {
      const plain = /^[^\s"]+$/.test(value) && (field !== '' || !/^-|[:=<>]/.test(value));
      return `${negated ? '-' : ''}${field === '' ? '' : field + operator}${plain ? value : quoted(value)}`;
    })
    .join(' ');
}

/** One condition as it is written. */
export function condition(field: string, operator: Operator, value: string, negated = false): string {
  return writeFilter([{ negated, field, operator, value }]);
}

function quoted(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}

function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  return text.slice(1, text.length > 1 && text.endsWith('"') ? -1 : undefined).replace(/\\(.)/g, '$1');
}

const UNITS: Record<string, number> = { us: 0.001, µs: 0.001, ms: 1, s: 1000, m: 60_000, min: 60_000, h: 3_600_000 };

/** `100ms`, `1.5s`, `20us`; a number alone is milliseconds. NaN when it is none of these. */
export function durationMs(text: string): number {
  const [, number, unit = 'ms'] = /^([\d.]+)\s*(us|µs|ms|s|m|min|h)?$/i.exec(text) ?? [];
  return number === undefined ? Number.NaN : Number(number) * UNITS[unit.toLowerCase()]!;
}

export interface FilterField {
  field: string;
  says: string;
  example: string;
}

// Of both.
const BY_SERVICE: FilterField = { field: 'service', says: SERVICE_NAME, example: 'service=shop' };
const BY_WORKER: FilterField = { field: 'worker', says: 'slot of a worker', example: 'worker:2' };
const BY_PID: FilterField = { field: 'pid', says: 'process id', example: 'pid:4242' };
const BY_HOST: FilterField = { field: 'host', says: HOST_NAME, example: 'host:web-1' };
const BY_TRACE: FilterField = { field: 'trace', says: 'trace id', example: 'trace:4bf9' };

/** Fields of log records that are no attributes. */
export const LOG_FIELDS: readonly FilterField[] = [
  { field: 'level', says: 'trace, debug, info, warn, error, fatal', example: 'level>=warn' },
  BY_SERVICE,
  BY_WORKER,
  { field: 'body', says: 'the message', example: 'body:declined' },
  { field: 'scope', says: 'the logger', example: 'scope:pino' },
  BY_PID,
  BY_HOST,
  BY_TRACE,
  { field: 'span', says: 'span id', example: 'span:00f0' },
];

/** Fields of traces that are no attributes. */
export const FIELDS: readonly FilterField[] = [
  { field: 'status', says: 'HTTP status, or ok, error, interrupted, 5xx', example: 'status>=500' },
  { field: 'duration', says: 'of the whole trace', example: 'duration>100ms' },
  { field: 'route', says: 'of a server span', example: 'route:/checkout' },
  BY_SERVICE,
  BY_WORKER,
  { field: 'name', says: 'of a span', example: 'name:SELECT' },
  { field: 'method', says: 'of a request', example: 'method:POST' },
  { field: 'spans', says: 'how many', example: 'spans>50' },
  { field: 'kind', says: 'server, client, internal, producer, consumer', example: 'kind:client' },
  BY_PID,
  BY_HOST,
  BY_TRACE,
];
