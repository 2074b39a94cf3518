/**
 * Lines that a start writes once, for whoever looks at the terminal or the log: where the app serves, and
 * where spans go.
 *
 * @module
 */

import { writeSync } from 'node:fs';
import { getEnvironmentData, type Serializable, setEnvironmentData } from 'node:worker_threads';

/** Writes one line to stderr, unless `FORKTRACE_QUIET` is 1 or true. */
export function announce(line: string, env: NodeJS.ProcessEnv = process.env): void {
  if (isQuiet(env)) return;
  writeToStderr(`forktrace: ${line}\n`);
}

/**
 * Writes to file descriptor 2, not through `process.stderr`. A write to `process.stderr` emits an `error`
 * event when its reader is gone or the disk is full. In an app without a listener for that event, the process
 * would end.
 */
export function writeToStderr(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nobody reads standard error: the line is dropped.
  }
}

const ONCE = ['destination', 'instrumentations'] as const;
const SAID = 'forktrace.said';

/**
 * The memory that remembers which lines have been written. Worker threads that start after this call share
 * it, so that each line is written once for the process, by whichever thread comes first.
 */
export function shareWithThreads(): Int8Array {
  const shared = getEnvironmentData(SAID);
  if (shared instanceof SharedArrayBuffer) return new Int8Array(shared);
  const fresh = new SharedArrayBuffer(ONCE.length);
  setEnvironmentData(SAID, fresh as unknown as Serializable);
  return new Int8Array(fresh);
}

/**
 * As {@link announce}, but once for a process with its worker threads, however often tracing starts in it.
 */
export function announceOnce(what: (typeof ONCE)[number], line: string): void {
  if (Atomics.exchange(shareWithThreads(), ONCE.indexOf(what), 1) === 0) announce(line);
}

function isQuiet({ FORKTRACE_QUIET: quiet }: NodeJS.ProcessEnv): boolean {
  return quiet !== undefined && /^(1|true)$/i.test(quiet);
}
