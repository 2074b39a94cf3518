/**
 * A trace's row in the database: its key, and the line of a list that it is.
 *
 * @module
 */
import type { TraceRowView } from '../api-types/trace-list.js';
import type { Row } from './sqlite.js';

const LATEST_KEY = 2 ** 52;

/** The key of a trace that starts then, unless another has it. */
export function keyAt(startMs: number): number {
  return Math.min(LATEST_KEY, Math.max(0, Math.floor(startMs * 1000)));
}

export const startOf = (key: number) => key / 1000;

/** A line of a list. */
export function rowView(row: Row): TraceRowView {
  return {
    id: row.id as string,
    name: row.name as string,
    service: row.service as string,
    slots: row.slots === '' ? [] : String(row.slots).split(' ').map(Number),
    processes: row.processes as number,
    startMs: startOf(row.key as number),
    durationMs: row.duration as number,
    spans: row.spans as number,
    errors: row.errors as number,
    outcome: row.outcome as TraceRowView['outcome'],
    httpStatus: row.status as number,
  };
}
