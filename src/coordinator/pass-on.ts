/**
 * What comes from workers is written to this process's own standard streams.
 *
 * @module
 */
import type { Readable } from 'node:stream';
import { withinDeadline } from '../process/deadline.js';
import type { LinePrefix } from '../process/line-prefix.js';

/** What a reader of the coordinator's standard error may be behind, in bytes. */
const MOST_WAITING = 4 * 1024 * 1024;

const FLUSH_MS = 200;

let waitsForDrain = false;
let dropped = 0;
/** Workers' standard output that is held still, while the reader of ours is behind. */
const held = new Set<Readable>();

/**
 * To standard error. Where nobody reads that, no worker waits and nothing piles up; what is dropped is said.
 */
export function passOn(chunk: Uint8Array): void {
  if (chunk.length === 0) return;
  watch();
  const { stderr } = process;
  if (stderr.writableLength > MOST_WAITING) dropped += chunk.length;
  else stderr.write(chunk);
}

/**
 * A worker's standard output to this process's, which may be data: nothing is dropped, and a worker waits for
 * the reader as it would without this process between. Resolves when all has been read.
 */
export function passOnAll(output: Readable, prefix: LinePrefix | undefined): Promise<void> {
  watch();
  const { stdout } = process;
  output.on('data', (chunk: Buffer) => {
    // Once its reader is gone, it goes nowhere.
    if (stdout.destroyed || stdout.write(prefix ? prefix.bytes(chunk) : chunk)) return;
    output.pause();
    held.add(output);
  });
  output.on('error', () => {});
  return new Promise((resolve) => output.once('close', resolve));
}

function watch(): void {
  if (waitsForDrain) return;
  waitsForDrain = true;
  const { stdout, stderr } = process;
  // A pipe whose reader has gone.
  stderr.on('error', () => {});
  stderr.on('drain', sayDropped);
  stdout.on('error', release);
  stdout.on('drain', release);
}

function release(): void {
  for (const stream of held) stream.resume();
  held.clear();
}

function sayDropped(): void {
  if (dropped === 0) return;
  process.stderr.write(`forktrace: ${dropped} bytes of the workers' standard error were dropped: nobody read it\n`);
  dropped = 0;
}

/** Resolves when all is written, or nobody reads it: to be awaited before this process ends. */
export async function passedOn(): Promise<void> {
  const written = [process.stdout, process.stderr]
    .filter((stream) => stream.writableLength > 0 && !stream.destroyed)
    .map((stream) => new Promise((resolve) => stream.write('', resolve)));
  await withinDeadline(Promise.all(written), FLUSH_MS);
}
