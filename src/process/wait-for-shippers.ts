/**
 * The end of a container whose last process traces nothing itself, but has started processes that do: the
 * kernel kills their shippers with it.
 *
 * @module
 */
import { readdirSync, readFileSync } from 'node:fs';

/** Names of shippers and their launchers that run. The kernel keeps 15 characters of a name: prctl(2). */
const RUNNING = /^\d+ \(forktrace (?:shipp|launc)\) [^ZX] /;
const LOOK_MS = 20;
/** As the option `journal.endTimeoutMs`, which is not loaded here. */
const DEFAULT_MS = 5000;

/**
 * Waits, synchronously, until the shippers of this pid namespace have left, which they do within two seconds
 * once everything is delivered; at most as long as `FORKTRACE_JOURNAL_END_TIMEOUT` says.
 *
 * @public
 */
export function waitForShippers({ FORKTRACE_JOURNAL_END_TIMEOUT: most }: NodeJS.ProcessEnv = process.env): void {
  const until = performance.now() + (most && Number(most) >= 0 ? Number(most) : DEFAULT_MS);
  const pause = new Int32Array(new SharedArrayBuffer(4));
  while (performance.now() < until && readdirSync('/proc').some(isRunningShipper)) Atomics.wait(pause, 0, 0, LOOK_MS);
}

function isRunningShipper(pid: string): boolean {
  if (!/^\d+$/.test(pid)) return false;
  try {
    return RUNNING.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false; // It has just ended.
  }
}
