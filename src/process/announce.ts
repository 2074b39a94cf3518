/**
 * What is said once at a start, for whoever looks at the terminal or the log: where the app serves, where
 * spans go.
 *
 * @module
 */

import { getEnvironmentData, setEnvironmentData } from 'node:worker_threads';

/** Writes one line to stderr, unless `FORKTRACE_QUIET` is 1 or true. */
export function announce(line: string, env: NodeJS.ProcessEnv = process.env): void {
  if (isQuiet(env)) return;
  process.stderr.write(`forktrace: ${line}\n`);
}

/** As {@link announce}, once for a process: neither at a second start nor in the worker threads that start afterwards. */
export function announceOnce(line: string): void {
  const said = `forktrace: ${line}`;
  if (getEnvironmentData(said) === true) return;
  setEnvironmentData(said, true);
  announce(line);
}

function isQuiet({ FORKTRACE_QUIET: quiet }: NodeJS.ProcessEnv): boolean {
  return quiet !== undefined && /^(1|true)$/i.test(quiet);
}
