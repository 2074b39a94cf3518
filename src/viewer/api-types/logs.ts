/**
 * Log records.
 *
 * JSON between the viewer's server and its page. Times are milliseconds since 1970, durations milliseconds.
 *
 * @module
 */
import type { LogInBrief } from '../../forensics/in-brief.js';
import type { KeyValue } from '../../wire/otlp-json.js';
import type { ProcessView } from './process.js';

/** A log record, as it is held and shown. */
export interface LogRecordView extends Omit<LogInBrief, 'attributes'> {
  attributes: KeyValue[];
  scope: string;
}

/** One line of the list of log records. */
export interface LogRowView extends LogRecordView {
  id: number;
  process: ProcessView;
}

/** `GET /api/logs`: newest first, by pages, as `TraceListView`. */
export interface LogListView {
  /** Time of the oldest that is held, when older ones had to go. */
  sinceMs?: number | undefined;
  total: number;
  held: number;
  until: number;
  newer: number;
  offset: number;
  rows: LogRowView[];
}
