import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal } from './journal.js';
import { type JournalFile, listJournal, readJournalDirectory } from './list-journal.js';
import { isUnsound } from './open-file.js';
import { openSegment } from './segment-reader.js';

/**
 * How often the shipped lengths are read, in milliseconds: one read of a few bytes for each segment that is
 * not shipped.
 */
const POLL_MS = 20;
/**
 * How long log records that do not get on are waited for once the spans are there, in milliseconds: an
 * endpoint may have no logs service. It takes a shipper about a second to start.
 */
const LOGS_STAND_STILL_MS = 2000;

/** Whose delivery is awaited. */
type Kept = 'spans' | 'logs' | 'both';

/** What has to be shipped of one segment. */
interface Awaited {
  kind: 'segment' | 'logs';
  committed: number;
  shipped(): number;
  /** Whether the file is there no more: a segment is deleted once it has been shipped. */
  isGone(): boolean;
  close(): void;
}

/**
 * Waits until a shipper has exported all that `journal` holds when this is called: the shipped lengths in the
 * headers of its segments say so. Does not reject, and keeps the process alive while it waits.
 *
 * @param timeoutMs 0 looks once
 * @param everyone all that is in the directory, whoever has written it
 * @returns false at the deadline, or where some of it was lost meanwhile
 */
export async function delivered(journal: Journal, timeoutMs: number, kept: Kept, everyone = false): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  journal.flush();
  const lost = lostOf(journal, kept);
  let awaited = segmentsOf(journal, kept, everyone);
  let shipped = 0;
  let movedAt = performance.now();
  try {
    for (;;) {
      awaited = awaited.filter((segment) => !isShipped(segment));
      if (awaited.length === 0) return lostOf(journal, kept) === lost;
      const now = performance.now();
      const before = shipped;
      shipped = awaited.reduce((sum, segment) => sum + segment.shipped(), 0);
      if (shipped !== before || awaited.some(({ kind }) => kind === 'segment')) movedAt = now;
      const left = Math.min(deadline, kept === 'both' ? movedAt + LOGS_STAND_STILL_MS : deadline) - now;
      if (left <= 0) return false;
      await sleep(Math.min(POLL_MS, left));
    }
  } finally {
    for (const segment of awaited) segment.close();
  }
}

/**
 * {@link delivered} for an exit, of spans and log records: nothing else runs in this process meanwhile.
 *
 * @param shipper whether it runs by now, and how long to wait for that; `timeoutMs` counts from then on
 */
export function deliveredNow(
  journal: Journal,
  timeoutMs: number,
  everyone = false,
  shipper: { runs(): boolean; startMs: number } = { runs: () => true, startMs: 0 },
): boolean {
  let runs = false;
  let deadline = performance.now() + shipper.startMs;
  journal.flush();
  const pause = new Int32Array(new SharedArrayBuffer(4));
  let awaited = segmentsOf(journal, 'both', everyone);
  for (;;) {
    awaited = awaited.filter((segment) => !isShipped(segment));
    if (!runs && shipper.runs()) {
      runs = true;
      deadline = performance.now() + timeoutMs;
    }
    if (awaited.length === 0 || performance.now() > deadline) break;
    Atomics.wait(pause, 0, 0, POLL_MS);
  }
  for (const segment of awaited) segment.close();
  return awaited.length === 0;
}

/** Whether something in the segments that `journal` writes to has not been shipped. */
export const isBehind = (journal: Journal): boolean =>
  journal.openSegments().some(({ committed, shipped }) => committed > shipped());

/** How many spans `journal` holds that have not been shipped. Reads its segments, so not for a hot path. */
export function undelivered(journal: Journal): number {
  journal.flush();
  let spans = 0;
  for (const file of filesOf(journal, 'spans', false) ?? []) {
    const reader = openSegment(file, true);
    if (isUnsound(reader)) continue;
    spans += reader.countUnshipped();
    reader.close();
  }
  return spans;
}

/** Likewise, of all that wait in a directory. Never throws. `withinMs`: what takes longer is not counted. */
export function undeliveredIn(dir: string, withinMs: number): number {
  const until = performance.now() + withinMs;
  let spans = 0;
  for (const file of listJournal(dir)) {
    if (file.kind !== 'segment') continue;
    if (performance.now() > until) break;
    const reader = openSegment(file, true);
    if (isUnsound(reader)) continue;
    spans += reader.countUnshipped();
    reader.close();
  }
  return spans;
}

function lostOf(journal: Journal, kept: Kept): number {
  const { lost, logRecordsLost } = journal.stats();
  return (kept === 'logs' ? 0 : lost.total) + (kept === 'spans' ? 0 : logRecordsLost.total);
}

/** Of files with what is to be delivered. */
const KEPT = { segment: 'spans', logs: 'logs' } as const;

function segmentsOf(journal: Journal, kept: Kept, everyone = false): Awaited[] {
  const files = filesOf(journal, kept, everyone);
  if (files === undefined) {
    return journal
      .openSegments()
      .filter(({ kind }) => isKept(kind, kept))
      .map((segment) => ({ ...segment, isGone: () => false, close() {} }));
  }
  return files.flatMap((file) => {
    const reader = openSegment(file, true);
    // One that is gone by now has been shipped.
    if (isUnsound(reader)) return [];
    return {
      kind: file.kind as 'segment' | 'logs',
      committed: reader.state().committed,
      shipped: () => reader.state().shipped,
      isGone: () => listed(journal.dir)?.some(({ name }) => name === file.name) === false,
      close: () => reader.close(),
    };
  });
}

const isKept = (kind: JournalFile['kind'], kept: Kept): boolean =>
  (kind === 'segment' || kind === 'logs') && (kept === 'both' || kept === KEPT[kind]);

/** @returns undefined for the directory of another user: this process has changed its own */
function filesOf({ dir, writerId }: Journal, kept: Kept, everyone: boolean): JournalFile[] | undefined {
  return listed(dir)?.filter((file) => isKept(file.kind, kept) && (file.writerId === writerId || everyone));
}

function isShipped(segment: Awaited): boolean {
  const isDone = segment.shipped() >= segment.committed || segment.isGone();
  if (isDone) segment.close();
  return isDone;
}

/**
 * Empty where there is no such directory: nobody will ship anything from there, and the writer says so.
 * undefined where this process may not look.
 */
function listed(dir: string): JournalFile[] | undefined {
  try {
    return readJournalDirectory(dir);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EACCES' ? undefined : [];
  }
}
