import { fstatSync } from 'node:fs';
import {
  ENTRY_DATA,
  ENTRY_LENGTH,
  ENTRY_MARK_END,
  ENTRY_MARK_SEGMENT,
  ENTRY_SCOPE_END,
  ENTRY_STARTED,
  ENTRY_STATE,
} from './format.js';
import type { JournalFile } from './list-journal.js';
import { OpenFile, openFile, readFully, type Unsound } from './open-file.js';

/** A local-root span that had started and not ended. */
export interface InFlightEntry {
  index: number;
  /** When it started, by the monotonic clock of the writer's machine, as a word; 0: not known. */
  started: number;
  /** `ScopeSpans.scope` field with tag and length; may be empty. */
  scope: Uint8Array;
  /**
   * Bare fields of the Span message. A later field wins over an earlier one of the same number, if it is not
   * repeated.
   */
  fields: Uint8Array;
  /**
   * The writer was about to end the span when it died: it has ended if the segment has that many committed
   * bytes, or is gone.
   */
  mark: { segment: number; end: number } | undefined;
}

/** One in-flight table, open for reading. */
export class TableReader extends OpenFile {
  /** All entries in use, sound ones only, marked ones too: see {@link interruptedEntries}. */
  entries(): { entries: InFlightEntry[]; unsound: number } {
    const { headerLength, bodyLength, entryBytes } = this.header;
    const available = Math.min(bodyLength, fstatSync(this.fd).size - headerLength, MAX_TABLE_BYTES);
    const bytes = Buffer.alloc(Math.max(0, available));
    const length = readFully(this.fd, bytes, headerLength);
    const entries: InFlightEntry[] = [];
    let unsound = 0;
    for (let at = 0, index = 0; at + entryBytes <= length; at += entryBytes, index++) {
      const state = bytes.readUInt32LE(at + ENTRY_STATE);
      if (state === 0) continue;
      const dataLength = bytes.readUInt32LE(at + ENTRY_LENGTH);
      const scopeEnd = bytes.readUInt32LE(at + ENTRY_SCOPE_END);
      if (state !== 1 || dataLength > entryBytes - ENTRY_DATA || scopeEnd > dataLength) {
        unsound++;
        continue;
      }
      const segment = bytes.readUInt32LE(at + ENTRY_MARK_SEGMENT);
      const data = at + ENTRY_DATA;
      entries.push({
        index,
        started: bytes.readUInt32LE(at + ENTRY_STARTED),
        scope: bytes.subarray(data, data + scopeEnd),
        fields: bytes.subarray(data + scopeEnd, data + dataLength),
        mark: segment === 0 ? undefined : { segment, end: bytes.readUInt32LE(at + ENTRY_MARK_END) },
      });
    }
    return { entries, unsound };
  }
}

/** No writer makes a larger one. */
const MAX_TABLE_BYTES = 64 * 1024 * 1024;

/**
 * The entries of a dead writer whose spans have not ended.
 *
 * Call this before the writer's unsealed segments are deleted: a segment that is not there counts as one that
 * was committed, shipped and deleted.
 *
 * @param committedOf committed length of the writer's segment with this sequence, `undefined` if there is
 * none
 */
export function interruptedEntries(
  entries: readonly InFlightEntry[],
  committedOf: (sequence: number) => number | undefined,
): InFlightEntry[] {
  return entries.filter(({ mark }) => {
    if (mark === undefined) return true;
    const committed = committedOf(mark.segment);
    return committed !== undefined && committed < mark.end;
  });
}

/** The caller closes what this returns. */
export function openTable(file: JournalFile, readOnly = true): TableReader | Unsound {
  return openFile(file, 'in-flight', TableReader, readOnly);
}
