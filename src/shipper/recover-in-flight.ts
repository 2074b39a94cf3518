/**
 * What a dead writer left in flight becomes a segment of interrupted spans, once, and its tables are deleted.
 *
 * The segment has a sequence that no writer reaches, and is complete when it gets its name. A shipper that
 * dies over it leaves either the tables, or the segment and perhaps some tables, which the next shipper then
 * deletes without reading them again.
 *
 * @module
 */
import { dirname } from 'node:path';
import { Encoder } from '../journal/encoder.js';
import type { JournalHeader } from '../journal/format.js';
import { type JournalFile, removeFile } from '../journal/list-journal.js';
import { isUnsound } from '../journal/open-file.js';
import { type InFlightEntry, interruptedEntries, openTable } from '../journal/table-reader.js';
import { isSound } from '../wire/check.js';
import { ResourceSpans } from '../wire/otlp.js';
import { type Death, encodeInterrupted, type Role, rolesOf } from './interrupted-span.js';
import { writeSegment } from './write-segment.js';

export const RECOVERY_SEQUENCE = 0xffff_ffff;

interface Recovery {
  /** In-flight tables of the writer, all of them. */
  tables: readonly JournalFile[];
  /** Committed length of the writer's segment with this sequence. */
  committedOf(sequence: number): number | undefined;
  /** Whether the segment of interrupted spans is there already. */
  recovered: boolean;
  death: Death;
  /** What the writer's newest segment says of its resource. */
  described: Pick<JournalHeader, 'resource' | 'schemaUrl'>;
  report(path: string, reason: string): void;
  /** Gets the spans that were in flight, and the role of each, where they are recovered now. */
  found?(entries: readonly InFlightEntry[], roles: readonly (Role | undefined)[]): void;
}

/**
 * Makes interrupted spans of what a dead writer had in flight.
 *
 * @returns how many spans were interrupted; unsound tables are left out, and reported
 * @throws what the file system says when the segment cannot be written: nothing has changed then
 */
export function recoverInFlight(recovery: Recovery): number {
  const { tables, committedOf, recovered, death, described, report } = recovery;
  let interrupted = 0;
  if (!recovered) {
    let header: JournalHeader | undefined;
    const entries: InFlightEntry[] = [];
    for (const file of tables) {
      const table = openTable(file, false);
      if (isUnsound(table)) {
        if (table.unsound === 'no-resources') throw new Error(`no descriptor is left to open ${file.path}`);
        if (table.unsound !== 'gone') report(table.path, table.unsound);
        continue;
      }
      try {
        table.endWriter();
        const found = table.entries();
        if (found.unsound > 0) report(file.path, `${found.unsound} unsound entries`);
        header = table.header;
        entries.push(...interruptedEntries(found.entries, committedOf));
      } finally {
        table.close();
      }
    }
    const roles = rolesOf(entries, death);
    recovery.found?.(entries, roles);
    const { body, spans } = encode(entries, roles, death);
    if (spans < entries.length) report(tables[0]!.path, `${entries.length - spans} entries are no spans`);
    if (header && spans > 0) {
      const { writer } = header;
      writeSegment(dirname(tables[0]!.path), {
        ...{ kind: 'segment', sequence: RECOVERY_SEQUENCE, writer, described },
        ...{ body: body.bytes.subarray(0, body.at), items: spans },
      });
    }
    interrupted = spans;
  }
  for (const { path } of tables) removeFile(path);
  return interrupted;
}

function encode(
  entries: readonly InFlightEntry[],
  roles: readonly (Role | undefined)[],
  death: Death,
): { body: Encoder; spans: number } {
  const body = new Encoder();
  let spans = 0;
  // Last words are long, and said once.
  const told = Math.max(0, roles.indexOf('culprit'));
  const others = { ...death, lastWords: undefined };
  for (const [index, entry] of entries.entries()) {
    const start = body.at;
    encodeInterrupted(body, entry, index === told ? death : others, roles[index]);
    if (isSound(body.bytes, ResourceSpans, start, body.at)) spans++;
    else body.at = start;
  }
  return { body, spans };
}
