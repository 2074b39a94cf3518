/**
 * All that a journal directory holds, decoded by the official classes.
 *
 * @module
 */
import { listJournal } from '#src/journal/list-journal.js';
import { isUnsound } from '#src/journal/open-file.js';
import { openSegment } from '#src/journal/segment-reader.js';
import { type InFlightEntry, interruptedEntries, openTable } from '#src/journal/table-reader.js';
import { protocol } from '../endpoint/decode.js';
import { field, idOf } from './span-bytes.js';

export interface ReadBack {
  ended: { id: number; name: string; scope: string; writerId: string }[];
  inFlight: { id: number; name: string; scope: string; writerId: string }[];
  unsound: string[];
  segments: number;
  sealed: number;
}

export function readBack(dir: string): ReadBack {
  const result: ReadBack = { ended: [], inFlight: [], unsound: [], segments: 0, sealed: 0 };
  const committed = new Map<string, number>();
  for (const file of listJournal(dir)) {
    if (file.kind !== 'segment') continue;
    const segment = openSegment(file);
    if (isUnsound(segment)) {
      result.unsound.push(segment.unsound);
      continue;
    }
    const state = segment.state();
    committed.set(`${file.writerId}-${file.sequence}`, state.committed);
    result.segments++;
    if (state.sealed) result.sealed++;
    for (let from = 0; from < state.committed; ) {
      const { bytes, next, corrupt } = segment.read(from, state.committed, 100_000);
      result.ended.push(...spansOf(segment.header.resource, bytes, file.writerId));
      if (corrupt) {
        result.unsound.push('chunk');
        break;
      }
      from = next;
    }
    segment.close();
  }
  for (const file of listJournal(dir)) {
    if (file.kind !== 'in-flight') continue;
    const table = openTable(file);
    if (isUnsound(table)) {
      result.unsound.push(table.unsound);
      continue;
    }
    const { entries, unsound } = table.entries();
    if (unsound > 0) result.unsound.push('entry');
    const interrupted: InFlightEntry[] = interruptedEntries(entries, (sequence) =>
      committed.get(`${file.writerId}-${sequence}`),
    );
    for (const { scope, fields } of interrupted) {
      const chunk = field(2, Buffer.concat([scope, field(2, fields)]));
      result.inFlight.push(...spansOf(table.header.resource, chunk, file.writerId));
    }
    table.close();
  }
  return result;
}

function spansOf(resource: Uint8Array, chunks: Uint8Array, writerId: string): ReadBack['ended'] {
  const request = field(1, Buffer.concat([field(1, resource), chunks]));
  const { resourceSpans } = protocol.traces.request.decode(request);
  return resourceSpans[0].scopeSpans.flatMap(
    (scopeSpans: { scope?: { name: string }; spans: { spanId: Uint8Array; name: string }[] }) =>
      scopeSpans.spans.map((span) => ({
        id: idOf(span.spanId),
        name: span.name,
        scope: scopeSpans.scope?.name ?? '',
        writerId,
      })),
  );
}
