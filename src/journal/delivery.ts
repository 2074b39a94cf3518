import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal } from './journal.js';
import { isUnsound, listJournal, openSegment, type SegmentReader } from './reader.js';

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
  reader: SegmentReader;
  name: string;
  kind: 'segment' | 'logs';
  committed: number;
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
      awaited = awaited.filter((segment) => !isShipped(segment, journal.dir));
      if (awaited.length === 0) return lostOf(journal, kept) === lost;
      const now = performance.now();
      const before = shipped;
      shipped = awaited.reduce((sum, { reader }) => sum + reader.state().shipped, 0);
      if (shipped !== before || awaited.some(({ kind }) => kind === 'segment')) movedAt = now;
      const left = Math.min(deadline, kept === 'both' ? movedAt + LOGS_STAND_STILL_MS : deadline) - now;
      if (left <= 0) return false;
      await sleep(Math.min(POLL_MS, left));
    }
  } finally {
    for (const { reader } of awaited) reader.close();
  }
}

/** {@link delivered} for an exit, of spans and log records: nothing else runs in this process meanwhile. */
export function deliveredNow(journal: Journal, timeoutMs: number, everyone = false): boolean {
  const deadline = performance.now() + timeoutMs;
  journal.flush();
  const pause = new Int32Array(new SharedArrayBuffer(4));
  let awaited = segmentsOf(journal, 'both', everyone);
  for (;;) {
    awaited = awaited.filter((segment) => !isShipped(segment, journal.dir));
    if (awaited.length === 0 || performance.now() > deadline) break;
    Atomics.wait(pause, 0, 0, POLL_MS);
  }
  for (const { reader } of awaited) reader.close();
  return awaited.length === 0;
}

/** How many spans `journal` holds that have not been shipped. Reads its segments, so not for a hot path. */
export function undelivered(journal: Journal): number {
  journal.flush();
  let spans = 0;
  for (const { reader } of segmentsOf(journal, 'spans')) {
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

function segmentsOf({ dir, writerId }: Journal, kept: Kept, everyone = false): Awaited[] {
  const segments: Awaited[] = [];
  for (const file of listSafely(dir)) {
    const { kind } = file;
    if (kind !== 'segment' && kind !== 'logs') continue;
    if ((kept !== 'both' && kept !== KEPT[kind]) || (file.writerId !== writerId && !everyone)) continue;
    const reader = openSegment(file, true);
    // One that is gone by now has been shipped.
    if (!isUnsound(reader)) segments.push({ reader, name: file.name, kind, committed: reader.state().committed });
  }
  return segments;
}

function isShipped({ reader, name, committed }: Awaited, dir: string): boolean {
  const isDone = reader.state().shipped >= committed || !listSafely(dir).some((file) => file.name === name);
  if (isDone) reader.close();
  return isDone;
}

/**
 * Empty where the directory cannot be read: nobody will ship anything from there either, and the writer says
 * so.
 */
function listSafely(dir: string) {
  try {
    return listJournal(dir);
  } catch {
    return [];
  }
}
