/**
 * How many of a writer's spans an endpoint has refused for good: a file of the shipper's beside the writer's
 * own, for its metrics. There is none as long as nothing was refused.
 *
 * @module
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { replacePrivate } from '../process/private-file.js';

/** Spans by the `error.type` of their refusal. */
export type RefusedCounts = Record<string, number>;

/** The file's name ends so, after the writer's id. */
export const REFUSED = '.refused';

const pathOf = (dir: string, writerId: string) => join(dir, `${writerId}${REFUSED}`);

/** Counted since the writer's start. Never throws: the shipper has said the refusal in any case. */
export function addRefused(dir: string, writerId: string, errorType: string, spans: number): void {
  const path = pathOf(dir, writerId);
  const counts = readRefused(dir, writerId);
  counts[errorType] = (counts[errorType] ?? 0) + spans;
  try {
    replacePrivate(path, JSON.stringify(counts));
  } catch {
    // The directory is gone, or may not be written.
  }
}

/** Never throws. */
export function readRefused(dir: string, writerId: string): RefusedCounts {
  try {
    const counts: unknown = JSON.parse(readFileSync(pathOf(dir, writerId), 'utf8'));
    if (typeof counts !== 'object' || counts === null) return {};
    return Object.fromEntries(Object.entries(counts).filter(([, spans]) => Number.isSafeInteger(spans) && spans > 0));
  } catch {
    return {};
  }
}
