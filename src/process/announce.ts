/**
 * What is said once at a start, for whoever looks at the terminal or the log: where the app serves, where
 * spans go.
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
 * Past `process.stderr`: that ends a process that has no listener for its errors, when its reader is gone or
 * the disk is full, and an app that writes nothing there has none.
 */
export function writeToStderr(text: string): void {
  try {
    writeSync(2, text);
  } catch {
    // Nobody reads it.
  }
}

const ONCE = ['destination', 'instrumentations'] as const;
const SAID = 'forktrace.said';

/**
 * What is said once for a process is said by whichever thread comes first, of those that start after this
 * call.
 */
export function shareWithThreads(): Int8Array {
  const shared = getEnvironmentData(SAID);
  if (shared instanceof SharedArrayBuffer) return new Int8Array(shared);
  const fresh = new SharedArrayBuffer(ONCE.length);
  setEnvironmentData(SAID, fresh as unknown as Serializable);
  return new Int8Array(fresh);
}

/** As {@link announce}, once for a process with its worker threads, however often tracing starts in it. */
export function announceOnce(what: (typeof ONCE)[number], line: string): void {
  if (Atomics.exchange(shareWithThreads(), ONCE.indexOf(what), 1) === 0) announce(line);
}

function isQuiet({ FORKTRACE_QUIET: quiet }: NodeJS.ProcessEnv): boolean {
  return quiet !== undefined && /^(1|true)$/i.test(quiet);
}
