/**
 * The meaning of the numbers in a vitals page. Their places are fixed, so that readers of all versions find
 * them: places are added, never moved. See docs/journal-format.md, "Vitals page".
 *
 * @module
 */
import { type Check, isNumber, isObjectOf } from '../process/message-parser.js';

/** The newest sample: the place of each number in the page. */
export const VITAL = {
  /** When the sample was taken, in milliseconds since the epoch; 0 before the first. */
  atMs: 0,
  /** Bytes of V8's heap. */
  heapUsed: 1,
  heapLimit: 2,
  /** Bytes of the process in memory (resident set size). */
  rss: 3,
  /** Bytes outside of V8's heap that its objects hold, such as buffers. */
  external: 4,
  /** Bytes that the control group uses and may use; 0 when there is no group, or no limit. */
  cgroupUsed: 5,
  cgroupLimit: 6,
  /** Event-loop utilisation since the sample before, from 0 to 1. */
  utilization: 7,
  /** The longest delay of the event loop since the sample before, in milliseconds. */
  delayMs: 8,
  /** Time in garbage collection since the sample before, in milliseconds. */
  gcMs: 9,
  /** Collections of the old generation since the start. */
  majorGcs: 10,
  /** Requests in flight, and served since the start. */
  inFlight: 11,
  served: 12,
  /** Spans in the journal since the start. */
  spans: 13,
  /** Open handles: sockets, files, timers. */
  handles: 14,
  /** Processor time since the start, in milliseconds. */
  cpuMs: 15,
  /** Samples taken since the start: the newest one is in the ring at `(taken - 1) % SECONDS`. */
  taken: 16,
} as const;

/** The ring of the last minute begins here. Each second has one number for each of {@link HISTORY}. */
const RING = 32;
export const SECONDS = 60;
const HISTORY = ['atMs', 'heapUsed', 'rss', 'utilization', 'delayMs', 'gcMs', 'inFlight', 'served'] as const;

/** The newest sample of a process. Units as in {@link VITAL}. */
export type Sample = Record<keyof typeof VITAL, number>;
/** One second of the last minute. */
export type PastSecond = Record<(typeof HISTORY)[number], number>;

/** The newest sample of a process, and the minute before. */
export interface LastVitals {
  last: Sample;
  /** The oldest first; at most 60. */
  minute: PastSecond[];
}

export const isSample: Check = isObjectOf<Sample>(
  Object.fromEntries(Object.keys(VITAL).map((name) => [name, isNumber])) as Record<keyof Sample, Check>,
);

/**
 * Stores a sample: the newest numbers, and its second of the ring. It stores `taken` last, so that a reader
 * that sees it finds the rest.
 */
export function storeSample(
  set: (index: number, value: number) => void,
  sample: Omit<Sample, 'taken'>,
  taken: number,
): void {
  const ring = RING + (taken % SECONDS) * HISTORY.length;
  for (const [offset, name] of HISTORY.entries()) set(ring + offset, sample[name]);
  for (const [name, value] of Object.entries(sample)) set(VITAL[name as keyof typeof VITAL], value);
  set(VITAL.taken, taken + 1);
}

/** @returns undefined for a page without a sample, or with numbers that no process writes */
export function vitalsOf(numbers: Float64Array): LastVitals | undefined {
  const names = Object.keys(VITAL) as (keyof Sample)[];
  const last = Object.fromEntries(names.map((name) => [name, numbers[VITAL[name]]])) as Sample;
  if (!(last.taken > 0) || !names.every((name) => Number.isFinite(last[name]))) return undefined;
  const minute: PastSecond[] = [];
  for (let second = Math.max(0, last.taken - SECONDS); second < last.taken; second++) {
    const ring = RING + (second % SECONDS) * HISTORY.length;
    const past = Object.fromEntries(HISTORY.map((name, offset) => [name, numbers[ring + offset]])) as PastSecond;
    if (Object.values(past).every(Number.isFinite)) minute.push(past);
  }
  return { last, minute };
}
