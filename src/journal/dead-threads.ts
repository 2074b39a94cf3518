/**
 * What a worker thread that has ended leaves mapped in its process: nobody can reach it, and it would stay as
 * long as the process. The thread's files are the shipper's business, as those of a dead process are.
 *
 * @module
 */
import type { Worker } from 'node:worker_threads';
import { hear } from '../process/process-events.js';
import { decodeHeader, headerLengthOf, PAGE_BYTES } from './format.js';
import { hasEnded } from './identity.js';
import { bytesAt, type MappedRange, mappedFiles, unmap } from './mapped-memory.js';

/** A journal's file, under any of its names, deleted or not. */
const JOURNAL_FILE = /\/[0-9a-f]{32}-\d+\.\w+(?:\.\w+)?(?: \(deleted\))?$/;

let isWatching = false;

/**
 * Unmaps what each worker thread of this thread leaves behind, when it has ended. Files can be mapped here.
 */
export function watchThreads(): void {
  if (isWatching) return;
  isWatching = true;
  hear('worker', (worker: Worker) => worker.once('exit', unmapDead));
}

function unmapDead(): void {
  for (const range of mappedFiles()) if (isLeftBehind(range)) unmap(range);
}

function isLeftBehind(range: MappedRange): boolean {
  if (!JOURNAL_FILE.test(range.path)) return false;
  const length = headerLengthOf(bytesAt(range, PAGE_BYTES));
  if (typeof length === 'string' || length > range.length) return false;
  const header = decodeHeader(bytesAt(range, length));
  return typeof header !== 'string' && header.writer.pid === process.pid && hasEnded(header.writer);
}
