/**
 * Writes the workers' output to this process's own standard streams.
 *
 * @module
 */
import type { Readable } from 'node:stream';
import { withinDeadline } from '../process/deadline.js';
import type { LinePrefix } from '../process/line-prefix.js';

/** Most bytes that wait for the reader of the coordinator's standard error. */
const MOST_WAITING = 4 * 1024 * 1024;

const FLUSH_MS = 200;

let waitsForDrain = false;
let dropped = 0;
/** The workers' standard outputs that are paused while the reader of ours is slow. */
const held = new Set<Readable>();

/**
 * Writes to standard error. When nobody reads it, no worker waits and memory does not grow: bytes are
 * dropped, and the number is reported.
 */
export function passOn(chunk: Uint8Array): void {
  if (chunk.length === 0) return;
  watch();
  const { stderr } = process;
  if (stderr.writableLength > MOST_WAITING) dropped += chunk.length;
  else stderr.write(chunk);
}

/**
 * Writes a worker's standard output to this process's. It may be data, so nothing is dropped: a worker waits
 * for the reader, as it would without this process between them. Resolves when all has been read.
 */
export function passOnAll(output: Readable, prefix: LinePrefix | undefined): Promise<void> {
  watch();
  const { stdout } = process;
  output.on('data', (chunk: Buffer) => {
    // When the reader of standard output is gone, the bytes are dropped.
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
  // The reader of a pipe has gone.
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

/** Resolves when everything is written, or nobody reads it. Awaited before this process ends. */
export async function passedOn(): Promise<void> {
  const written = [process.stdout, process.stderr]
    .filter((stream) => stream.writableLength > 0 && !stream.destroyed)
    .map((stream) => new Promise((resolve) => stream.write('', resolve)));
  await withinDeadline(Promise.all(written), FLUSH_MS);
}
