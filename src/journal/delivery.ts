import { setTimeout as sleep } from 'node:timers/promises';
import type { Journal } from './journal.js';
import { isUnsound, listJournal, openSegment, type SegmentReader } from './reader.js';

/**
 * How often the shipped lengths are read, in milliseconds: one read of a few bytes for each segment that is
 * not shipped.
 */
const POLL_MS = 20;

/** Of spans, or of log records. */
type SegmentKind = 'segment' | 'logs';

/** What has to be shipped of one segment. */
interface Awaited {
  reader: SegmentReader;
  name: string;
  committed: number;
}

/**
 * Waits until a shipper has exported every span that `journal` holds when this is called: the shipped lengths
 * in the headers of its segments say so. Does not reject, and keeps the process alive while it waits.
 *
 * @param timeoutMs 0 looks once
 * @param everyone all that is in the directory, whoever has written it
 * @param kind `logs`: every log record in place of every span
 * @returns false at the deadline, or where spans were lost meanwhile
 */
export async function delivered(
  journal: Journal,
  timeoutMs: number,
  everyone = false,
  kind: SegmentKind = 'segment',
): Promise<boolean> {
  const deadline = performance.now() + timeoutMs;
  journal.flush();
  const lost = lostOf(journal, kind);
  let awaited = segmentsOf(journal, everyone, kind);
  try {
    for (;;) {
      awaited = awaited.filter((segment) => !isShipped(segment, journal.dir));
      if (awaited.length === 0) return lostOf(journal, kind) === lost;
      const left = deadline - performance.now();
      if (left <= 0) return false;
      await sleep(Math.min(POLL_MS, left));
    }
  } finally {
    for (const { reader } of awaited) reader.close();
  }
}

/** {@link delivered} for an exit: nothing else runs in this process meanwhile. */
export function deliveredNow(journal: Journal, timeoutMs: number, everyone = false): boolean {
  const deadline = performance.now() + timeoutMs;
  journal.flush();
  const pause = new Int32Array(new SharedArrayBuffer(4));
  let awaited = segmentsOf(journal, everyone);
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
  for (const { reader } of segmentsOf(journal)) {
    spans += reader.countUnshipped();
    reader.close();
  }
  return spans;
}

function lostOf(journal: Journal, kind: SegmentKind): number {
  const { lost, logRecordsLost } = journal.stats();
  return (kind === 'logs' ? logRecordsLost : lost).total;
}

function segmentsOf({ dir, writerId }: Journal, everyone = false, kind: SegmentKind = 'segment'): Awaited[] {
  const segments: Awaited[] = [];
  for (const file of listSafely(dir)) {
    if (file.kind !== kind || (file.writerId !== writerId && !everyone)) continue;
    const reader = openSegment(file, true);
    // One that is gone by now has been shipped.
    if (!isUnsound(reader)) segments.push({ reader, name: file.name, committed: reader.state().committed });
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
