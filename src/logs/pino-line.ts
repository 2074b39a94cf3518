/**
 * Reads a line of pino as a log record. It reads the line, not the logged objects, because pino's
 * serializers, redaction and formatters have done their work in the line.
 *
 * @module
 */
import { severityOf } from '../wire/level.js';
import { exceptionAttributes } from './exception-attributes.js';
import type { LogEntry } from './log-entry.js';
import { severityOfLevel } from './severity.js';

const TEXTS: Readonly<Record<number, string>> = {
  10: 'trace',
  20: 'debug',
  30: 'info',
  40: 'warn',
  50: 'error',
  60: 'fatal',
};

/** Fields that a record need not repeat: the resource and the span have them. */
const ELSEWHERE = new Set(['pid', 'hostname', 'trace_id', 'span_id', 'trace_flags']);

/** Field names that a logger's options set. */
export interface PinoKeys {
  messageKey: string;
  errorKey: string;
}

/** Fills `entry`. Text that is no line of JSON becomes the body of the record. */
export function readPinoLine(line: string, { messageKey, errorKey }: PinoKeys, entry: LogEntry): void {
  entry.severityNumber = 0;
  entry.severityText = undefined;
  entry.exception = undefined;
  entry.attributes = undefined;
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line);
  } catch {
    entry.body = line.endsWith('\n') ? line.slice(0, -1) : line;
    return;
  }
  if (typeof fields !== 'object' || fields === null) {
    entry.body = fields;
    return;
  }
  entry.body = fields[messageKey];
  const { level, time } = fields;
  if (typeof level === 'number') {
    entry.severityNumber = severityOfLevel(level);
    entry.severityText = TEXTS[level];
  } else if (typeof level === 'string') {
    // A formatter has written the level as its label.
    entry.severityNumber = severityOf(level) ?? 0;
    entry.severityText = level;
  }
  const ms = typeof time === 'number' ? time : typeof time === 'string' ? Date.parse(time) : Number.NaN;
  if (ms >= 0 && ms < 9e15) {
    entry.seconds = Math.floor(ms / 1000);
    entry.nanos = Math.round((ms % 1000) * 1e6);
  }
  const error = fields[errorKey];
  if (typeof error === 'object' && error !== null) entry.exception = exceptionAttributes(error);
  let attributes: Record<string, unknown> | undefined;
  for (const key in fields) {
    if (key === messageKey || key === 'level' || key === 'time' || ELSEWHERE.has(key)) continue;
    if (key === errorKey && entry.exception !== undefined) continue;
    attributes ??= {};
    attributes[key] = fields[key];
  }
  entry.attributes = attributes;
}
