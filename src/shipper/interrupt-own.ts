/**
 * What PID 1 of a container has in flight when it ends. Nobody is left after it who could make interrupted
 * spans of that, so it does so itself, before the last delivery.
 *
 * @module
 */
import { causeOfDeath } from '../forensics/cause-of-death.js';
import { ownEnd } from '../forensics/own-end.js';
import { postMortemId } from '../forensics/post-mortem.js';
import { vitalsOf } from '../forensics/vitals-table.js';
import type { JournalHeader } from '../journal/format.js';
import { type JournalFile, listJournal } from '../journal/list-journal.js';
import { monotonicAt } from '../journal/monotonic.js';
import { isUnsound } from '../journal/open-file.js';
import { openSegment, type SegmentReader } from '../journal/segment-reader.js';
import { openTable } from '../journal/table-reader.js';
import { readVitals } from '../journal/vitals.js';
import type { Death } from './interrupted-span.js';
import { recoverInFlight } from './recover-in-flight.js';
import { keepPostMortemOf } from './writer-post-mortem.js';

/** This process's journal has been closed, and its page says how the process ends. Never throws. */
export function interruptOwn(dir: string, writerId: string): void {
  const readers: { file: JournalFile; reader: SegmentReader }[] = [];
  try {
    const files = listJournal(dir).filter((file) => file.writerId === writerId);
    const tables = files.filter(({ kind }) => kind === 'in-flight');
    for (const file of files.filter(({ kind }) => kind === 'segment')) {
      const reader = openSegment(file, true);
      if (!isUnsound(reader)) readers.push({ file, reader });
    }
    const newest = readers.map(({ reader }) => reader.header).sort((a, b) => b.sequence - a.sequence)[0];
    const described = newest ?? headerOf(tables[0]);
    if (described !== undefined) interrupt(dir, described, tables, readers);
  } catch {
    // No room, for one: the entries stay, for a shipper that finds the directory later.
  } finally {
    for (const { reader } of readers) reader.close();
  }
}

function headerOf(file: JournalFile | undefined): JournalHeader | undefined {
  const table = file && openTable(file);
  if (table === undefined || isUnsound(table)) return undefined;
  table.close();
  return table.header;
}

function interrupt(
  dir: string,
  described: JournalHeader,
  tables: readonly JournalFile[],
  readers: readonly { file: JournalFile; reader: SegmentReader }[],
): void {
  const { id } = described.writer;
  const page = readVitals(dir, id);
  const record = page?.exit;
  const vitals = page && vitalsOf(page.numbers);
  const told = { code: record?.code ?? null, signal: null };
  const cause = causeOfDeath({ told, record, vitals, orphaned: false });
  const death: Death = {
    id: postMortemId(id),
    atMs: Date.now(),
    monotonicMs: monotonicAt(performance.now()),
    ...cause,
    record,
    block: ownEnd(record, cause.cause),
  };
  const committed = new Map(readers.map(({ reader }) => [reader.header.sequence, reader.state().committed]));
  const writer = { identity: described.writer, resource: described.resource, segments: readers };
  recoverInFlight({
    ...{ tables, death, described, recovered: false },
    committedOf: (sequence) => committed.get(sequence),
    report() {},
    found: (entries, roles) =>
      keepPostMortemOf(dir, writer, death, { vitals, entries, roles, lastWords: undefined, lastLogs: [] }),
  });
}
