import { printable } from '../printable.js';
import type { TraceView } from '../viewer/api-types/trace.js';
import { formatDuration } from '../viewer/format.js';

const MOST_SPANS = 300;

/**
 * A trace as an indented list of its spans, for a program that reads text: ids, durations, outcomes, events.
 */
export function traceLines({ id, startMs, durationMs, outcome, processes, rows }: TraceView): string {
  const lines = rows.slice(0, MOST_SPANS).map((row) => {
    const { service, slot, pid } = processes[row.process]!;
    const who = slot === undefined ? `${service} pid ${pid ?? '?'}` : `${service} slot ${slot}`;
    const facts = [
      formatDuration(row.durationMs),
      `self ${formatDuration(row.selfMs)}`,
      row.outcome,
      ...(row.httpStatus > 0 ? [`HTTP ${row.httpStatus}`] : []),
      ...(row.critical ? ['critical path'] : []),
      ...row.events.map(([atMs, name]) => `event ${printable(name, 60)} at ${formatDuration(atMs)}`),
    ];
    return `${'  '.repeat(row.depth)}${printable(row.name, 120)}  [${facts.join(', ')}]  ${printable(who)}  span ${row.id}`;
  });
  const more = rows.length - lines.length;
  return [
    `trace ${id}: ${formatDuration(durationMs)}, ${outcome}, started ${new Date(startMs).toISOString()}, ${rows.length} spans`,
    ...lines,
    ...(more > 0 ? [`${more} more spans`] : []),
  ].join('\n');
}
