import { withinDeadline } from '../process/deadline.js';

/** What a reader of the coordinator's standard error may be behind, in bytes. */
const MOST_WAITING = 4 * 1024 * 1024;

const FLUSH_MS = 200;

let waitsForDrain = false;
let dropped = 0;

/**
 * Writes what comes from a worker to this process's standard error, unchanged. Where nobody reads that, no
 * worker waits and nothing piles up: what is dropped is counted, and said when it flows again.
 */
export function passOn(chunk: Uint8Array): void {
  if (chunk.length === 0) return;
  const { stderr } = process;
  if (!waitsForDrain) {
    waitsForDrain = true;
    // A pipe whose reader has gone.
    stderr.on('error', () => {});
    stderr.on('drain', sayDropped);
  }
  if (stderr.writableLength > MOST_WAITING) dropped += chunk.length;
  else stderr.write(chunk);
}

function sayDropped(): void {
  if (dropped === 0) return;
  process.stderr.write(`forktrace: ${dropped} bytes of the workers' standard error were dropped: nobody read it\n`);
  dropped = 0;
}

/** Resolves when all is written, or nobody reads it: to be awaited before this process ends. */
export async function passedOn(): Promise<void> {
  const { stderr } = process;
  if (stderr.writableLength === 0 || stderr.destroyed) return;
  await withinDeadline(new Promise((resolve) => stderr.write('', resolve)), FLUSH_MS);
}
