import { heapSnapshotsIn } from '../forensics/heap-snapshots.js';
import type { LogInBrief } from '../forensics/in-brief.js';
import { isOrdinary, keepPostMortem } from '../forensics/post-mortem.js';
import type { LastVitals } from '../forensics/vitals-table.js';
import type { InFlightEntry } from '../journal/table-reader.js';
import { SERVICE_NAME } from '../wire/conventions.js';
import { decode } from '../wire/decode.js';
import { Span } from '../wire/otlp.js';
import type { OtlpSpan } from '../wire/otlp-json.js';
import type { Death, Role } from './interrupted-span.js';
import { inBrief, lastSpansOf } from './last-spans.js';
import { attributeOf } from './resource-attribute.js';
import type { TailedSegment } from './tailed-segment.js';
import type { TailedWriter } from './tailed-writer.js';

/** Requests in flight that a post-mortem names. */
const SHOWN_IN_FLIGHT = 100;

interface DeadWriter extends Pick<TailedWriter, 'identity' | 'resource'> {
  /** Of spans: a map or an array. */
  segments: { values(): Iterable<Pick<TailedSegment, 'file' | 'reader'>> };
}

/** What recovery has found of a dead writer. */
interface Found {
  vitals: LastVitals | undefined;
  entries: readonly InFlightEntry[];
  roles: readonly (Role | undefined)[];
  lastWords: string | undefined;
  lastLogs: LogInBrief[];
}

/**
 * Keeps on one page what is known of a death, before the writer's segments are given back; nothing of an
 * ordinary end.
 */
export function keepPostMortemOf(
  dir: string,
  { identity, resource, segments }: DeadWriter,
  { id = '', atMs, cause = 'unknown', code = null, signal = null, record, block }: Death,
  { vitals, entries, roles, lastWords, lastLogs }: Found,
): void {
  if (isOrdinary({ cause, code }, entries.length)) return;
  const newest = [...segments.values()].sort((a, b) => b.file.sequence - a.file.sequence)[0];
  keepPostMortem(dir, {
    id,
    atMs,
    service: attributeOf(resource, SERVICE_NAME) ?? '',
    pid: identity.pid,
    slot: identity.slot,
    cause,
    code,
    signal,
    record,
    block,
    lastWords,
    lastLogs,
    heapSnapshots: heapSnapshotsIn(lastWords),
    vitals,
    inFlight: entries.slice(0, SHOWN_IN_FLIGHT).map(({ fields }, i) => ({
      ...inBrief(decodedSpan(fields), atMs),
      role: roles[i],
    })),
    inFlightTotal: entries.length,
    ...lastSpansOf(newest?.reader),
  });
}

function decodedSpan(fields: Uint8Array): Partial<OtlpSpan> {
  try {
    return decode(fields, Span);
  } catch {
    return {};
  }
}
