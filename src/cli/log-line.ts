import { printable } from '../printable.js';
import type { LogRowView } from '../viewer/api-types/logs.js';
import type { ProcessView } from '../viewer/api-types/process.js';
import { valueText } from '../wire/attribute-text.js';
import { levelOf } from '../wire/level.js';
import { colors as pc } from './colors.js';

const MOST_BODY_CHARACTERS = 4000;
const MOST_VALUE_CHARACTERS = 500;

/** What a line says of a log record. */
export interface LoggedLine
  extends Pick<LogRowView, 'timeMs' | 'severity' | 'severityText' | 'body' | 'attributes' | 'traceId'> {
  process: Pick<ProcessView, 'service' | 'slot' | 'pid'>;
}

/** `20:14:03.120 ERROR shop slot 2  payment failed  order=17  trace 4bf92f3577b34da6a3ce929d0e0e4736`. */
export function logLine({
  timeMs,
  severity,
  severityText,
  body,
  attributes,
  traceId,
  process: by,
}: LoggedLine): string {
  const level = (printable(severityText, 5).toUpperCase() || levelOf(severity).toUpperCase()).padEnd(5);
  const who = by.slot === undefined ? `${by.service} pid ${by.pid ?? '?'}` : `${by.service} slot ${by.slot}`;
  const facts = attributes.map(
    ({ key, value }) => `${printable(key ?? '', 100)}=${printable(valueText(value), MOST_VALUE_CHARACTERS)}`,
  );
  return [
    `${pc.dim(new Date(timeMs).toISOString().slice(11, 23))} ${levelColor(severity)(level)} ${printable(who)}`,
    printable(body, MOST_BODY_CHARACTERS),
    ...(facts.length > 0 ? [facts.join(' ')] : []),
    ...(traceId === '' ? [] : [pc.dim(`trace ${traceId}`)]),
  ].join('  ');
}

function levelColor(severity: number): (text: string) => string {
  if (severity >= 17) return pc.red;
  if (severity >= 13) return pc.yellow;
  return severity >= 9 ? pc.green : pc.dim;
}
