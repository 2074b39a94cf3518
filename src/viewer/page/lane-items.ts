import type { LaneView } from '../api-types/cluster.ts';
import { counted, formatDuration } from '../format.ts';
import { condition } from '../views/filter-language.ts';

/** What can be pointed at in a lane: a request, or the requests of a stretch of time. */
export interface LaneItem {
  startMs: number;
  endMs: number;
  outcome: 'ok' | 'error' | 'interrupted';
  name: string;
  said: string;
  href: string;
}

const OUTCOMES = ['ok', 'error', 'interrupted'] as const;

/** By start. */
export function laneItems({ requests, columns, service, slot }: LaneView): LaneItem[] {
  if (requests !== undefined) {
    return requests.startMs.map((startMs, index) => ({
      startMs,
      endMs: startMs + requests.durationMs[index]!,
      outcome: OUTCOMES[requests.outcome[index]!]!,
      name: requests.name[index]!,
      said: formatDuration(requests.durationMs[index]!),
      href: `/traces/${requests.traceId[index]}`,
    }));
  }
  if (columns === undefined) return [];
  return columns.startMs.map((startMs, index) => {
    const [errors, interrupted] = [columns.errors[index]!, columns.interrupted[index]!];
    const said = [
      errors > 0 ? counted(errors, 'error') : '',
      interrupted > 0 ? `${interrupted} interrupted` : '',
      `p50 ${formatDuration(columns.p50Ms[index]!)}`,
      `p95 ${formatDuration(columns.p95Ms[index]!)}`,
    ];
    const conditions = [condition('service', '=', service)];
    if (slot !== undefined) conditions.push(condition('worker', ':', String(slot)));
    const query = new URLSearchParams({
      q: conditions.join(' '),
      from: String(startMs),
      to: String(startMs + columns.stepMs),
    });
    return {
      startMs,
      endMs: startMs + columns.stepMs,
      outcome: interrupted > 0 ? 'interrupted' : errors > 0 ? 'error' : 'ok',
      name: counted(columns.requests[index]!, 'request'),
      said: said.filter(Boolean).join(', '),
      href: `/traces?${query}`,
    };
  });
}
